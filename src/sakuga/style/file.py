"""A style: one `.onnx` file that carries its own card."""

import base64
import hashlib
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sakuga.errors import SakugaError
from sakuga.style.card import Card
from sakuga.style.inputs import Input
from sakuga.style.session import is_text, open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from sakuga.picture.pixels import Array

KEY = "sakuga"  # of the card among the model's metadata_props
INT8 = "sakuga.int8"  # of the same network in int8 (`sakuga.export.int8`), an ONNX file in base64
CONTEXT = "sakuga.context"  # of what looks at a thumbnail of the whole picture (`sakuga.export.context`), likewise
_TYPES = {"tensor(float)": "float32", "tensor(int64)": "int64"}
EMBEDDED = Path(__file__).parents[1] / "styles"


@dataclass(frozen=True)
class Style:
    """A style file and its card. It is called what its file is called."""

    path: Path
    card: Card
    int8: bytes | None = field(default=None, repr=False)
    """The network in whole numbers, an ONNX file: `pixels` (1, H, W, 3) uint8 to the same, scale times as large."""
    context: bytes | None = field(default=None, repr=False)
    """Of a style that knows the whole picture, an ONNX file: `thumbnail` (1, 64, 64, 3) uint8 to `context`, which the
    network takes, and to initializers of the network in whole numbers, each called as there."""
    _sessions: dict[tuple[int, bool], "InferenceSession"] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The name by which `load` finds it."""
        return self.path.stem

    @property
    def embedded(self) -> bool:
        """Whether it came with the package."""
        return self.path.parent == EMBEDDED

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    @cached_property
    def file_sha256(self) -> str:
        """SHA-256 of the whole file, in hexadecimal digits."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def session(self, threads: int | None = None, *, int8: bool = False) -> "InferenceSession":
        """Return the session that runs the network, made at the first call and shared by all threads afterwards.

        `threads`: how many the network computes with; None leaves the choice to ONNX Runtime (one for each core).
        `int8`: run the variant in whole numbers, which the style must have.
        """
        key = (threads or 0, int8)
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = open_session(self.path, key[0], optimize=True, model=self.int8 if int8 else None)
            return self._sessions[key]

    @cached_property
    def _encoder(self) -> "InferenceSession":
        return open_session(self.path, 1, optimize=True, model=self.context)

    def look_at(self, rgb: "Array", *, int8: bool = False) -> "dict[str, Array]":
        """Return what the network takes of a whole picture (H, W, 3), for a style that has a `context`.

        {"context": (1, K)}, or with `int8` the initializers of the variant in whole numbers.
        """
        from sakuga.style.context import thumbnail

        encoder = self._encoder
        names = [output.name for output in encoder.get_outputs()]
        wanted = names[1:] if int8 else names[:1]
        return dict(zip(wanted, encoder.run(wanted, {"thumbnail": thumbnail(rgb)[None]}), strict=True))

    def open_int8(self, rgb: "Array", threads: int | None = None) -> "InferenceSession":
        """Return a session of the variant in whole numbers for one picture (H, W, 3), or for all where all are alike.

        Opening one takes a fiftieth of a second; its scales and biases must be constants for its kernels to be fast.
        """
        values = self.look_at(rgb, int8=True)
        return open_session(self.path, threads or 0, optimize=True, model=self.int8, initializers=values)

    def describe(self) -> dict[str, Any]:
        """Return the card and the facts of the file as one JSON object."""
        facts = {"path": str(self.path), "embedded": self.embedded, "bytes": self.size, "file_sha256": self.file_sha256}
        return {**asdict(self.card), "inputs": [one.to_json() for one in self.card.inputs], "name": self.name, **facts}


def read(path: Path) -> Style:
    """Read the style file at `path`. Raises SakugaError when it is not one."""
    if not path.is_file():
        raise SakugaError(f"{path} does not exist: name a style or the file of one")
    if not is_text(path.name):
        raise SakugaError(f"{path} has a name that is not UTF-8, and a style is called what its file is: rename it")
    session = open_session(path, 1, optimize=False)  # only looked at: optimising would take most of the time
    try:
        texts = session.get_modelmeta().custom_metadata_map
        inputs = [(one.name, one.type, one.shape) for one in session.get_inputs()]
        outputs = [(one.name, one.type) for one in session.get_outputs()]
    except UnicodeDecodeError:
        raise SakugaError(f"{path} is damaged, for its texts are not UTF-8: get a whole copy of it") from None
    text = texts.get(KEY)
    if text is None:
        raise SakugaError(f"{path} is an ONNX file but no style, for it carries no card: make it with `sakuga export`")
    if [kind for _, kind in outputs[:1]] != ["tensor(float)"] or [name for name, _ in outputs[1:]] not in (
        [],
        ["statistics"],
    ):
        raise SakugaError(f"{path} is no style: it must have one output, of float32")
    try:
        style = Style(path, Card.from_json(text), *(_from_base64(texts.get(part)) for part in (INT8, CONTEXT)))
    except SakugaError as error:
        raise SakugaError(f"{path} is no usable style, for {error}: export it again") from None
    targets = {one.name: _target(one, style.card.size) for one in style.card.inputs}
    found = {name: (kind, shape) for name, kind, shape in inputs}
    if found.keys() != targets.keys() or not all(_fits(*found[name], *targets[name]) for name in targets):
        takes = ", ".join(f"{name} {_TYPES[kind]} {_words(shape)}" for name, (kind, shape) in targets.items())
        raise SakugaError(f"{path} is no style: its network must take what its card says, {takes}")
    return style


def _target(one: Input, size: tuple[int, int] | None) -> tuple[str, tuple[int, ...]]:
    """Type and shape that an input must have in the network; 0 for any length."""
    shape = (1, 3, *size) if size and one.kind == "picture" else one.shape
    return "tensor(int64)" if one.kind == "text" else "tensor(float)", shape


def _fits(kind: str, shape: list[int | str | None], target: str, lengths: tuple[int, ...]) -> bool:
    """Whether an input is of the type and the shape that it must have; a length that is left open takes any."""
    return (
        kind == target
        and len(shape) == len(lengths)
        and all(not isinstance(found, int) or found == length for found, length in zip(shape, lengths, strict=True))
    )


def _words(shape: tuple[int, ...]) -> str:
    return f"({', '.join('any' if length == 0 else str(length) for length in shape)})"


def _from_base64(text: str | None) -> bytes | None:
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except ValueError:
        raise SakugaError("its int8 variant is damaged") from None
