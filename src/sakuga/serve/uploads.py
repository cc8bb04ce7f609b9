"""What a request brings: a file, as a form or as the body itself, and options. Its name never becomes a path."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, BinaryIO, Literal, TypeVar, cast
from urllib.parse import quote

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData, UploadFile

from sakuga.serve.errors import RefusedError

Format = Literal["jpeg", "png", "webp", "tiff", "avif", "gif"]


class StylizeOptions(BaseModel):
    """How a picture or a video is stylised."""

    model_config = ConfigDict(extra="forbid")

    style: Annotated[str | None, Field(description="A name that /v1/styles lists; otherwise its first.")] = None
    strength: Annotated[
        float, Field(ge=0, le=1, allow_inf_nan=False, description="From 0, the photo itself, to 1, the full style.")
    ] = 1.0
    keep_color: Annotated[bool, Field(description="Keep the colours of the photo.")] = False
    max_side: Annotated[
        int | None, Field(ge=1, le=65535, description="Reduce the input so that neither side is longer than this.")
    ] = None
    strip: Annotated[
        bool, Field(description="Leave out all metadata but the colour profile. (GPS data are always left out.)")
    ] = False


class PictureOptions(StylizeOptions):
    """How a picture is stylised and written."""

    format: Annotated[Format | None, Field(description="Format of the result; otherwise that of the input.")] = None


def form_schema(options: type[StylizeOptions]) -> dict[str, Any]:
    """The multipart form of OpenAPI: the file and the options."""
    file = {"type": "string", "format": "binary", "description": "The file. Its name serves only to name the result."}
    fields = options.model_json_schema()["properties"]
    schema = {"type": "object", "required": ["file"], "properties": {"file": file, **fields}}
    return {"multipart/form-data": {"schema": {**schema, "additionalProperties": False}}}


_MEMORY = 2**20  # bytes of a file that are kept in memory; more go into a nameless temporary file
Options = TypeVar("Options", bound=StylizeOptions)


@dataclass(frozen=True)
class Upload:
    """An open file, the name its sender gave it, and the options that came with it."""

    file: BinaryIO
    name: str
    fields: dict[str, str]

    def options(self, query: Options) -> Options:
        """The options of the query, with those of the form over them. Raises pydantic's ValidationError."""
        return query.model_validate({**query.model_dump(exclude_unset=True), **self.fields})


@asynccontextmanager
async def upload(request: Request) -> AsyncIterator[Upload]:
    """Read a request to its end. Raises RefusedError when there is no file in it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=1, max_fields=16, max_part_size=1024) as form:
            yield _of_form(form)
    else:  # whatever it is said to be: curl calls every body a form
        with SpooledTemporaryFile(max_size=_MEMORY) as file:
            async for piece in request.stream():
                file.write(piece)
            yield _checked(cast(BinaryIO, file), "", {})


def _of_form(form: FormData) -> Upload:
    fields = {name: value for name, value in form.multi_items() if value != ""}  # an empty field is one left alone
    file = fields.pop("file", None)
    if not isinstance(file, UploadFile):
        raise RefusedError(422, "no_file", "file: the form has no file of this name.")
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    return _checked(file.file, file.filename or "", texts)


def _checked(file: BinaryIO, name: str, fields: dict[str, str]) -> Upload:
    if file.seek(0, 2) == 0:
        raise RefusedError(400, "empty", "The file is empty: get a whole copy of it.")
    file.seek(0)
    return Upload(file, name, fields)


def disposition(upload: str, style: str, suffix: str) -> str:
    """The header that names a result as the command would: NAME.STYLE.SUFFIX, whatever the upload was called."""
    stem = re.split(r"[/\\]", upload)[-1].rpartition(".")[0] or "picture"
    stem = "".join(c for c in stem if c.isprintable() and c not in '"<>:|?*')[:100].strip(" .") or "picture"
    name = f"{stem}.{style}{suffix}"
    plain = re.sub(r"[^\w.() -]", "_", name.encode("ascii", "replace").decode().replace("?", "_"))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
