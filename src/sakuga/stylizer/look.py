"""The options of a look, declared once: commands, the API, the page and the webcam read them here."""

from dataclasses import dataclass, field, fields
from math import inf

from sakuga.errors import UsageError
from sakuga.runtime.flags import QUALITIES, Brush, Flag, Number, Quality
from sakuga.style.providers import PRECISIONS, Precision


def check_brush(value: object) -> Brush:
    """Return "auto" or a float of at least 1, of itself or as text; raises UsageError for anything else."""
    if value == "auto":
        return "auto"
    try:
        size = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        size = 0.0
    if not 1 <= size < inf:
        raise UsageError(f"brush must be auto or a number of at least 1, not {value!r}")
    return size


@dataclass(frozen=True)
class Look:
    """How a style is applied to a picture.

    Each field is an option of its name wherever looks are chosen, with its docstring as help and the `minimum` and
    `maximum` of its metadata as bounds, or its `check` as the function that reads it. Raises UsageError for a value out
    of range.
    """

    strength: float = field(default=1.0, metadata={"minimum": 0, "maximum": 1})
    """From 0, the photo itself, to 1, the full style."""
    keep_color: Flag = False
    """Keep the colours of the photo: take only the brightness from the style."""
    max_side: Number = field(default=None, metadata={"minimum": 1})
    """Reduce pictures so that neither side is longer than this."""
    brush: Brush = field(default="auto", metadata={"check": check_brush})
    """Width of the brush: each of the network's pixels covers S of the picture's, 1 or more. auto: large pictures are
    stylised at the size where the style is at its best, the embedded ones at 0.3 megapixels; the photo guides them back
    to its own."""
    quality: Quality = "auto"
    """best: paint eight times, moved by parts of the squares that the network paints in, and small pictures enlarged.
    auto: best for a picture, fast for video and animations."""
    faces: Flag = False
    """Draw small faces at the size at which styles draw them well, by what `sakuga download faces` fetches."""
    precision: Precision = "auto"
    """Arithmetic of the network; auto takes what is fast on this machine. Pictures of 16 bits are never run in int8."""

    def __post_init__(self) -> None:
        for one in fields(self):
            if check := one.metadata.get("check"):
                object.__setattr__(self, one.name, check(getattr(self, one.name)))
            value, low, high = getattr(self, one.name), one.metadata.get("minimum"), one.metadata.get("maximum")
            if value is None or low is None:
                continue
            if high is None and not value >= low:
                raise UsageError(f"{one.name} must be at least {low}, not {value}")
            if high is not None and not low <= value <= high:
                raise UsageError(f"{one.name} must lie between {low} and {high}, not {value}")
        if self.precision not in PRECISIONS:
            raise UsageError(f"precision must be one of {', '.join(PRECISIONS)}, not {self.precision!r}")
        if self.quality not in QUALITIES:
            raise UsageError(f"quality must be one of {', '.join(QUALITIES)}, not {self.quality!r}")
