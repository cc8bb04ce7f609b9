"""Where a face lies in the square that a network for faces was trained on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sakuga.errors import SakugaError

MAX_SIDE = 4096
COUNTS = (5, 68)
"""How many landmarks a template may have: centres of the eyes, nose and corners of the mouth; or iBUG's 68."""


@dataclass(frozen=True)
class FaceFrame:
    """Where a face lies in the square that a network was trained on.

    `template`: x and y of its landmarks in pixels of the square, COUNTS of them, (0, 0) the centre of the first pixel;
    left and right are those of the picture. `side`: of the square, pixels. `max_side`: up to which the network is run
    on larger squares, where faces are larger; 0 for a network that is run on no other side.
    Raises SakugaError when these cannot be so.
    """

    template: tuple[tuple[float, float], ...]
    side: int
    max_side: int = 0

    def __post_init__(self) -> None:
        numbers = [one for point in self.template for one in point]
        if len(self.template) not in COUNTS or any(len(point) != 2 for point in self.template):
            raise SakugaError(f"the card's frame must have a template of {' or '.join(map(str, COUNTS))} points")
        if not all(type(one) in (int, float) and math.isfinite(one) and abs(one) < MAX_SIDE for one in numbers):
            raise SakugaError(f"the card's frame must have a template of numbers below {MAX_SIDE}")
        if len({*self.template}) < len(self.template):
            raise SakugaError("the card's frame must have a template of points that lie apart")
        sides = (self.side, self.max_side or self.side)
        if not all(type(one) is int for one in sides) or not 1 <= sides[0] <= sides[1] <= MAX_SIDE:
            raise SakugaError(f"the card's frame must have sides from 1 to {MAX_SIDE}")

    @classmethod
    def from_json(cls, value: Any) -> "FaceFrame":
        """Read a card's frame. Raises SakugaError when it cannot be one."""
        if not isinstance(value, dict):
            raise SakugaError("the card's frame must be an object")
        points = value.get("template")
        if not isinstance(points, Sequence) or not all(isinstance(one, Sequence) for one in points[: max(COUNTS) + 1]):
            raise SakugaError("the card's frame must have a template of points")
        template = tuple(tuple(one) for one in points[: max(COUNTS) + 1])
        return cls(template, value.get("side", 0), value.get("max_side", 0))
