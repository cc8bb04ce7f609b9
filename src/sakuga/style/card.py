"""What a style says about itself: its card, JSON in the metadata of its file."""

import json
import re
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sakuga.errors import SakugaError


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
