"""What a style says about itself: its card, JSON in the metadata of its file."""

import json
import re
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sakuga.errors import SakugaError
from sakuga.faces.frame import FaceFrame
from sakuga.style.inputs import FRAME, PICTURE, Input, asked, photo

MAX_DEPTH = 32  # levels of a card's JSON, so that whatever shows it need not go deeper
MAX_INPUTS = 64


BEST_PIXELS = 4096, 2**30
"""The least and the most pixels at which a style can be at its best."""


@dataclass(frozen=True)
class Card:
    """What a style says about itself: how it was made, what it may be used for and how it is run.

    `multiple`: the sides of what the network is given are multiples of this. `receptive_field`: the pixels, from end to
    end, on which one pixel of the result depends; 0 when it depends on the whole picture. `sha256`: of the weights.
    `scale`: how many times wider and taller the result is (super-resolution); `match_histogram`: whether its values are
    then given the photo's distribution. `local_receptive_field`: of a network whose `receptive_field` is 0, the pixels
    on which one of the result depends when what it measures of the whole picture is given; 0 where it cannot be.
    `inputs`: what the network is given; cards of before mean the photo alone. `size`: (height, width) of its pictures
    where it runs on no other. `frame`: where a face lies in them, for networks of faces, which do not enlarge.
    `best_pixels`: of a picture on which the style is at its best; larger ones are stylised at that size and brought up.
    `underpainting`: the embedded style in whose light and shade a picture is painted before, in its own colours, at the
    best quality; "": none. `palette`: the film whose colours the network gives its results; "": none.
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
    inputs: tuple[Input, ...] = (PICTURE,)
    size: tuple[int, int] | None = None
    frame: FaceFrame | None = None
    best_pixels: int = 1_000_000
    underpainting: str = ""
    palette: str = ""

    def __post_init__(self) -> None:
        for one in ("name", "title", "system", "licence", "date", "version", "sha256"):
            _check(_is_text(getattr(self, one)), one, "must be a text that is not empty and has no control characters")
        _check(re.fullmatch(r"[\w-]+", self.name), "name", "may hold letters, digits, '-' and '_' only")
        for one in ("config", "data"):
            _check(_is_shallow(getattr(self, one)), one, f"is nested deeper than {MAX_DEPTH} levels")
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
        names = {one.name for one in self.inputs}
        _check(
            0 < len(self.inputs) == len(names) <= MAX_INPUTS, "inputs", f"must be 1 to {MAX_INPUTS}, of unlike names"
        )
        sides = self.size or (1, 1)
        fixed = (
            isinstance(sides, tuple) and [type(side) for side in sides] == [int, int] and 0 < min(sides) <= max(sides)
        )
        _check(fixed and max(sides) <= 16384, "size", "must be height and width from 1 to 16384")
        alone = self.frame is None or (self.scale == 1 and self.size in (None, (self.frame.side, self.frame.side)))
        _check(alone, "frame", "must be of the size that the network runs on, and of none that enlarges")
        _check(
            self.frame is None or FRAME.name not in names,
            "inputs",
            f"may not have the name {FRAME.name}, which is taken",
        )
        least, most = BEST_PIXELS
        best = self.best_pixels
        _check(type(best) is int and least <= best <= most, "best_pixels", f"must lie between {least} and {most}")
        ground = self.underpainting
        _check(isinstance(ground, str) and re.fullmatch(r"[\w-]{0,64}", ground), "underpainting", "must name a style")
        film = self.palette
        _check(isinstance(film, str) and re.fullmatch(r"[\w-]{0,64}", film), "palette", "must be a name")
        plain = self.scale == 1 and self.size is None and self.frame is None
        _check(plain or not ground, "underpainting", "may only be of a style for whole pictures of any size")
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
        required = (f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING)
        if missing := [name for name in required if name not in read]:
            raise SakugaError(f"the card lacks {', '.join(missing)}")
        known = {f.name: read[f.name] for f in fields(cls) if f.name in read}
        if "inputs" in known:
            _check(isinstance(known["inputs"], list), "inputs", "must be a list")
            known["inputs"] = tuple(Input.from_json(one) for one in known["inputs"][: MAX_INPUTS + 1])
        if isinstance(known.get("size"), list):
            known["size"] = tuple(known["size"])
        if known.get("frame") is not None:
            known["frame"] = FaceFrame.from_json(known["frame"])
        return cls(**known)

    def to_json(self) -> str:
        """Write the card as `from_json` reads it; what later versions added is left out where it says nothing."""
        plain = {**asdict(self), "inputs": [one.to_json() for one in self.inputs]}
        unsaid: dict[str, Any] = {"inputs": [PICTURE.to_json()], "size": None, "frame": None}
        unsaid |= {"best_pixels": Card.best_pixels, "underpainting": Card.underpainting}
        unsaid |= {"palette": Card.palette}
        return json.dumps({k: v for k, v in plain.items() if k not in unsaid or v != unsaid[k]}, ensure_ascii=False)

    @property
    def photo(self) -> str | None:
        """Name of the input that the user's picture goes to; None for a generator."""
        found = photo(self.inputs)
        return found.name if found else None

    @property
    def settings(self) -> list[Input]:
        """What may be set: all inputs but the photo, and, of a style for faces, what it takes for one."""
        return asked(self.inputs) + ([FRAME] if self.frame else [])

    @property
    def reach(self) -> int:
        """The receptive field where parts of a picture may be run on their own; 0 where they may not."""
        whole = self.size is not None or any(one.kind == "points" for one in self.inputs)
        return 0 if whole else self.receptive_field or self.local_receptive_field


def _is_shallow(value: object) -> bool:
    """Whether JSON is nested no deeper than MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, (list, tuple)) else ())
        ]
    return not level


def as_name(text: str) -> str:
    """What a style may be called after a file of any name: "my film v2" becomes my-film-v2."""
    return re.sub(r"[^\w-]+", "-", text).strip("-") or "unnamed"


def _is_text(value: object) -> bool:
    """Whether a value can be shown: no empty text, and none that steers a terminal or cannot be encoded."""
    return isinstance(value, str) and bool(re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+", value))


def _check(true: object, name: str, rule: str) -> None:
    if not true:
        raise SakugaError(f"the card's {name} {rule}")
