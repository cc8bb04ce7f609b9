"""The options of a look, declared once: commands, the API, the page and the webcam read them here."""

from dataclasses import dataclass

from sakuga.errors import UsageError
from sakuga.style.engine import PRECISIONS, Precision


@dataclass(frozen=True)
class Look:
    """How a style is applied to a picture.

    Raises UsageError for a value out of range.
    """

    strength: float = 1.0
    """From 0, the photo itself, to 1, the full style."""
    keep_color: bool = False
    """Keep the colours of the photo: take only the brightness from the style."""
    max_side: int | None = None
    """Reduce pictures so that neither side is longer than this."""
    precision: Precision = "auto"
    """Arithmetic of the network; auto takes what is fast on this machine. Pictures of 16 bits are never run in int8."""

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise UsageError(f"strength must lie between 0 and 1, not {self.strength}")
        if self.max_side is not None and self.max_side < 1:
            raise UsageError(f"max_side must be at least 1, not {self.max_side}")
        if self.precision not in PRECISIONS:
            raise UsageError(f"precision must be one of {', '.join(PRECISIONS)}, not {self.precision!r}")
