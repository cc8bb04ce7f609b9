"""A style: one `.onnx` file that carries its own card."""

import base64
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sakuga.errors import SakugaError, UsageError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DEFAULT = "hosoda"
KEY = "sakuga"  # of the card among the model's metadata_props
INT8 = "sakuga.int8"  # of the same network in whole numbers (`sakuga.quantize`), an ONNX file in base64
EMBEDDED = Path(__file__).with_name("styles")


@dataclass(frozen=True)
class Card:
    """What a style says about itself: how it was made, what it may be used for and how it is run.

    `multiple`: the sides of what the network is given are multiples of this. `receptive_field`: the pixels, from end to
    end, on which one pixel of the result depends; 0 when it depends on the whole picture. `sha256`: of the weights.
    `scale`: how many times wider and taller the result is (super-resolution); `match_histogram`: whether its values are
    then given the photo's distribution. `local_receptive_field`: of a network whose `receptive_field` is 0, the pixels
    on which one of the result depends when what it measures of the whole picture is given; 0 where it cannot be.
    Raises SakugaError, naming the field, when one cannot be true.
    """

    name: str
    title: str
    system: str
    config: dict[str, Any]
    data: list[dict[str, str]]
    licence: str
    multiple: int
    receptive_field: int
    date: str
    version: str
    sha256: str
    scale: int = 1
    match_histogram: bool = False
    local_receptive_field: int = 0

    def __post_init__(self) -> None:
        for one in ("name", "title", "system", "licence", "date", "version", "sha256"):
            _check(_is_text(getattr(self, one)), one, "must be a text that is not empty and has no control characters")
        _check(re.fullmatch(r"[\w-]+", self.name), "name", "may hold letters, digits, '-' and '_' only")
        _check(isinstance(self.config, dict), "config", "must be an object")
        _check(
            isinstance(self.data, list)
            and all(
                isinstance(d, dict) and all(_is_text(d.get(k)) for k in ("name", "licence", "use")) for d in self.data
            ),
            "data",
            "must be a list of objects with name, licence and use, each a text",
        )
        # An upper bound, so that a mistaken card cannot ask for gigabytes of padding.
        _check(type(self.multiple) is int and 1 <= self.multiple <= 1024, "multiple", "must lie between 1 and 1024")
        rule = "must lie between 0 and 16384"
        _check(type(self.receptive_field) is int and 0 <= self.receptive_field <= 16384, "receptive_field", rule)
        local = self.local_receptive_field
        _check(type(local) is int and 0 <= local <= 16384, "local_receptive_field", rule)
        _check(type(self.scale) is int and 1 <= self.scale <= 16, "scale", "must lie between 1 and 16")
        _check(type(self.match_histogram) is bool, "match_histogram", "must be true or false")
        _check(re.fullmatch(r"[0-9a-f]{64}", self.sha256), "sha256", "must be 64 hexadecimal digits")
        try:
            datetime.fromisoformat(self.date)
        except ValueError:
            _check(False, "date", "must be an ISO date such as 2026-01-31")

    @classmethod
    def from_json(cls, text: str) -> "Card":
        """Read a card; fields that this version does not know are ignored."""
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            raise SakugaError("the card is not JSON") from None
        if not isinstance(read, dict):
            raise SakugaError("the card is not a JSON object")
        if missing := [f.name for f in fields(cls) if f.default is MISSING and f.name not in read]:
            raise SakugaError(f"the card lacks {', '.join(missing)}")
        return cls(**{f.name: read[f.name] for f in fields(cls) if f.name in read})

    def to_json(self) -> str:
        """Write the card as `from_json` reads it."""
        return json.dumps(asdict(self), ensure_ascii=False)


def _is_text(value: object) -> bool:
    """Whether a value can be shown: no empty text, and none that steers a terminal or cannot be encoded."""
    return isinstance(value, str) and bool(re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+", value))


def _check(true: object, name: str, rule: str) -> None:
    if not true:
        raise SakugaError(f"the card's {name} {rule}")


@dataclass(frozen=True)
class Style:
    """A style file and its card. It is called what its file is called."""

    path: Path
    card: Card
    int8: bytes | None = field(default=None, repr=False)
    """The network in whole numbers, an ONNX file: `pixels` (1, H, W, 3) uint8 to the same, scale times as large."""
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
                self._sessions[key] = _open(self.path, key[0], optimize=True, model=self.int8 if int8 else None)
            return self._sessions[key]

    def describe(self) -> dict[str, Any]:
        """Return the card and the facts of the file as one JSON object."""
        facts = {"path": str(self.path), "embedded": self.embedded, "bytes": self.size, "file_sha256": self.file_sha256}
        return {**asdict(self.card), "name": self.name, **facts}


def read(path: Path) -> Style:
    """Read the style file at `path`. Raises SakugaError when it is not one."""
    if not path.is_file():
        raise SakugaError(f"{path} does not exist: name a style or the file of one")
    session = _open(path, 1, optimize=False)  # only looked at: optimising would take most of the time
    try:
        texts = session.get_modelmeta().custom_metadata_map
        inputs = [(one.name, one.type, one.shape) for one in session.get_inputs()]
        outputs = [(one.name, one.type) for one in session.get_outputs()]
    except UnicodeDecodeError:
        raise SakugaError(f"{path} is damaged, for its texts are not UTF-8: get a whole copy of it") from None
    text = texts.get(KEY)
    if text is None:
        raise SakugaError(f"{path} is an ONNX file but no style, for it carries no card: make it with `sakuga export`")
    if [one[:2] for one in inputs] != [("image", "tensor(float)")] or not _is_image(inputs[0][2]):
        raise SakugaError(f"{path} is no style: its one input must be float32 'image' of shape (1, 3, height, width)")
    if outputs[0][1] != "tensor(float)" or [name for name, _ in outputs[1:]] not in ([], ["statistics"]):
        raise SakugaError(f"{path} is no style: it must have one output, of float32")
    try:
        return Style(path, Card.from_json(text), _from_base64(texts.get(INT8)))
    except SakugaError as error:
        raise SakugaError(f"{path} is no usable style, for {error}: export it again") from None


def load(name: str | Path) -> Style:
    """Return the style called `name`: an embedded one, one in the user's folder, or the file at that path.

    Raises UsageError when there is none, SakugaError when the file is not a style.
    """
    if isinstance(name, str):
        for path in _files():
            if path.stem == name:
                return read(path)
    if Path(name).suffix == ".onnx" or Path(name).is_file():
        return read(Path(name))
    from difflib import get_close_matches

    known = sorted(names())
    near = get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known) or '(none is installed)'}"
    raise UsageError(f"there is no style {str(name)!r}: {hint}")


def styles() -> list[Style]:
    """Return the embedded styles, then those in the user's folder; files there that cannot be read are left out."""
    return [style for style in survey() if isinstance(style, Style)]


def survey() -> Iterator[Style | SakugaError]:
    """Yield every style as `styles` does, and for each file that cannot be read the error that says why."""
    for path in _files():
        try:
            yield read(path)
        except SakugaError as error:
            yield error


def names() -> set[str]:
    """Return the names of all styles, without opening a file."""
    return {path.stem for path in _files()}


def folder() -> Path:
    """Return the user's folder of styles: `$SAKUGA_STYLES`, or the place for data of this platform."""
    if chosen := os.environ.get("SAKUGA_STYLES"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or "~/AppData/Roaming"
    else:
        base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "sakuga" / "styles"


def _files() -> list[Path]:
    """Return embedded files before the user's; of two with one name the first counts."""
    found: dict[str, Path] = {}
    for home in (EMBEDDED, folder()):
        for path in sorted(home.glob("*.onnx")):
            found.setdefault(path.stem, path)
    return list(found.values())


def _is_image(shape: list[int | str | None]) -> bool:
    """Whether a declared shape is (1 or any, 3, any height, any width)."""
    fixed = [n if isinstance(n, int) else None for n in shape]
    return fixed in ([1, 3, None, None], [None, 3, None, None])


def _from_base64(text: str | None) -> bytes | None:
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except ValueError:
        raise SakugaError("its int8 variant is damaged") from None


def _open(path: Path, threads: int, *, optimize: bool, model: bytes | None = None) -> "InferenceSession":
    """Open the ONNX file at `path`, or `model`, which it holds."""
    import onnxruntime as ort

    from sakuga.providers import providers

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it saves no time and takes half as much memory again, or twice as much
    # What matters is raised; its log lines would stand between ours. Its allocator writes to the default log.
    options.log_severity_level = 4
    ort.set_default_logger_severity(4)
    if not optimize:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    cpu = ["CPUExecutionProvider"]
    on_gpu = [providers()] if optimize and model is None and providers() != cpu else []
    for on in [*on_gpu, cpu]:
        with suppress(Exception):  # ONNX Runtime's errors have no common class of their own
            # Its own way back to the processor (enable_fallback) prints a banner.
            return ort.InferenceSession(path if model is None else model, options, providers=on, enable_fallback=0)
    raise SakugaError(f"{path} is no style: ONNX Runtime cannot read it as an ONNX file")
