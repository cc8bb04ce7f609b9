"""What a request brings: a file, as a form or as the body itself, and options. Its name never becomes a path."""

import ast
import inspect
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from itertools import pairwise
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, BinaryIO, TypeVar, cast, get_type_hints
from urllib.parse import quote

from fastapi import Request
from pydantic import ConfigDict, Field, PlainValidator, create_model
from pydantic_core import PydanticCustomError
from starlette.datastructures import FormData, UploadFile

from sakuga.errors import UsageError
from sakuga.picture import Picture, read
from sakuga.runtime.flags import Format
from sakuga.serve.errors import RefusedError, refusing
from sakuga.serve.limits import Limits
from sakuga.style import Style
from sakuga.style.card import MAX_INPUTS
from sakuga.stylizer import Look


def _look_fields() -> dict[str, Any]:
    """A field of the API for each of `Look`: its type, its bounds, and its docstring as description."""
    declared = ast.parse(inspect.getsource(Look)).body[0]
    assert isinstance(declared, ast.ClassDef)
    described = {
        ast.unparse(field.target): " ".join(ast.literal_eval(text.value).split())
        for field, text in pairwise(declared.body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
    types = get_type_hints(Look)
    made: dict[str, Any] = {}
    for one in fields(Look):
        rule: dict[str, Any] = {"ge": one.metadata.get("minimum"), "le": one.metadata.get("maximum")}
        if types[one.name] is float:
            rule["allow_inf_nan"] = False
        kind = types[one.name]
        if check := one.metadata.get("check"):
            kind = Annotated[Any, PlainValidator(_checked_by(one.name, check), json_schema_input_type=kind)]
        made[one.name] = kind, Field(one.default, description=described[one.name], **rule)
    return made


def _checked_by(name: str, check: Callable[[object], object]) -> Callable[[object], object]:
    """The check of an option as pydantic wants it."""

    def validate(value: object) -> object:
        try:
            return check(value)
        except UsageError as error:
            # What is in braces would be taken for a place to fill in.
            sentence = str(error).removeprefix(f"{name} ").replace("{", "(").replace("}", ")")
            raise PydanticCustomError("bad_option", sentence) from error

    return validate


class StylizeOptions(create_model("LookOptions", **_look_fields())):  # type: ignore[misc]
    """How a picture or a video is stylised: the fields of `Look`, and which style.

    What else comes is for the inputs that the style's card declares; see `style_inputs`.
    """

    model_config = ConfigDict(extra="allow")

    style: Annotated[str | None, Field(description="A name that /v1/styles lists; otherwise its first.")] = None
    strip: Annotated[
        bool, Field(description="Leave out all metadata but the colour profile. (GPS data are always left out.)")
    ] = False

    def look(self) -> Look:
        """The options of the look."""
        return Look(**{one.name: getattr(self, one.name) for one in fields(Look)})

    def style_inputs(self, style: Style, pictures: Mapping[str, bytes]) -> dict[str, object]:
        """What the request gives for the inputs of a style; `pictures` are its files but the first.

        Raises RefusedError (422) for what the style does not take, for what it lacks and for a wrong value.
        A picture is a file of the request and nothing else: text would be a path on this machine.
        """
        given: dict[str, object] = {**(self.model_extra or {}), **pictures}
        known = {one.name: one for one in style.card.settings}
        for name, value in given.items():
            if name not in known:
                raise RefusedError(422, "bad_option", f"There is no option {name[:100]}: see /docs.")
            if (known[name].kind == "picture") != isinstance(value, bytes):
                how = "sent as a file" if known[name].kind == "picture" else "sent as text"
                raise RefusedError(422, "bad_option", f"{name}: must be {known[name].expects}, {how}.")
            try:
                known[name].check(value)
            except UsageError as error:
                raise RefusedError(422, "bad_option", f"{name}:{str(error).removeprefix(name)}.") from error
        for name, one in known.items():
            if one.required and name not in given:
                raise RefusedError(422, "bad_option", f"{name}: the style {style.name} needs {one.expects}.")
        return given


class PictureOptions(StylizeOptions):
    """How a picture is stylised and written."""

    format: Annotated[Format | None, Field(description="Format of the result; otherwise that of the input.")] = None


class VideoFileOptions(StylizeOptions):
    """How a video is stylised."""

    stable: Annotated[bool, Field(description="Flicker less: what two frames both show is stylised alike.")] = False


def form_schema(options: type[StylizeOptions]) -> dict[str, Any]:
    """The multipart form of OpenAPI: the file and the options."""
    file = {"type": "string", "format": "binary", "description": "The file. Its name serves only to name the result."}
    known = options.model_json_schema()["properties"]
    more = {"type": "string", "description": "What the style asks for beside the photo: `inputs` in /v1/styles."}
    schema = {"type": "object", "required": ["file"], "properties": {"file": file, **known}}
    return {"multipart/form-data": {"schema": {**schema, "additionalProperties": more}}}


_MAX_FIELD_BYTES = 64 * 1024
_MEMORY = 2**20  # bytes of a file that are kept in memory; more go into a nameless temporary file
Options = TypeVar("Options", bound=StylizeOptions)


@dataclass(frozen=True)
class Upload:
    """An open file, the name its sender gave it, the options and the further files that came with it."""

    file: BinaryIO
    name: str
    fields: dict[str, str]
    pictures: dict[str, bytes]

    def options(self, query: Options) -> Options:
        """The options of the query, with those of the form over them. Raises pydantic's ValidationError."""
        return cast(Options, query.model_validate({**query.model_dump(exclude_unset=True), **self.fields}))


@asynccontextmanager
async def upload(request: Request) -> AsyncIterator[Upload]:
    """Read a request to its end. Raises RefusedError when there is no file in it, or an option in its address twice."""
    if len(request.query_params) < len(request.query_params.multi_items()):
        raise RefusedError(400, "bad_form", "The address has two options of one name: send each once.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=1 + MAX_INPUTS, max_fields=64, max_part_size=_MAX_FIELD_BYTES) as form:
            yield await _of_form(form)
    else:  # whatever it is said to be: curl calls every body a form
        with SpooledTemporaryFile(max_size=_MEMORY) as file:
            async for piece in request.stream():
                file.write(piece)
            yield _checked(cast(BinaryIO, file), "", {}, {})


async def _of_form(form: FormData) -> Upload:
    given = {name: value for name, value in form.multi_items() if value != ""}  # an empty field is one left alone
    if len(form) < len(form.multi_items()):
        raise RefusedError(400, "bad_form", "The form has two fields of one name: send each once.")
    file = given.pop("file", None)
    if not isinstance(file, UploadFile):
        raise RefusedError(422, "no_file", "file: the form has no file of this name.")
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    files = {name: value for name, value in given.items() if isinstance(value, UploadFile) and value.filename}
    pictures = {name: await value.read() for name, value in files.items()}
    return _checked(file.file, file.filename or "", texts, pictures)


def _checked(file: BinaryIO, name: str, texts: dict[str, str], pictures: dict[str, bytes]) -> Upload:
    if file.seek(0, 2) == 0:
        raise RefusedError(400, "empty", "The file is empty: get a whole copy of it.")
    file.seek(0)
    return Upload(file, name, texts, pictures)


def read_picture(source: bytes | BinaryIO, limits: Limits) -> Picture:
    """Read a picture of a request. Raises RefusedError where it cannot be taken."""
    with refusing("picture", limits.max_pixels):
        return read(source, max_pixels=limits.max_pixels)


def read_inputs(inputs: Mapping[str, object], limits: Limits) -> dict[str, object]:
    """The inputs with pixels in the place of the files among them. Raises RefusedError as `read_picture` does."""

    def pixels(name: str, data: bytes) -> object:
        try:
            return read_picture(data, limits).frames[0].rgb
        except RefusedError as error:
            raise RefusedError(error.status, error.code, f"{name}: {error.sentence}") from error

    return {name: pixels(name, value) if isinstance(value, bytes) else value for name, value in inputs.items()}


def disposition(upload: str, style: str, suffix: str) -> str:
    """The header that names a result as the command would: NAME.STYLE.SUFFIX, whatever the upload was called."""
    stem = re.split(r"[/\\]", upload)[-1].rpartition(".")[0] or "picture"
    stem = "".join(c for c in stem if c.isprintable() and c not in '"<>:|?*')[:100].strip(" .") or "picture"
    name = f"{stem}.{style}{suffix}"
    plain = re.sub(r"[^\w.() -]", "_", name.encode("ascii", "replace").decode().replace("?", "_"))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
