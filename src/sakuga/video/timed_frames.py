"""Frames and when they are shown; what is the same for all frames of a clip; the rhythm of a fixed frame rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Image = TypeVar("Image")

BT709, BT601, UNSPECIFIED = 1, 6, 2  # matrices, primaries and curves, as ITU-T H.273 numbers them


@dataclass(frozen=True)
class TimedFrame(Generic[Image]):
    """A picture, the tick at which it is first shown and for how many."""

    image: Image
    pts: int
    duration: int


@dataclass(frozen=True)
class StreamInfo:
    """What all frames have in common: size, the length of a tick in seconds, frames a second, colours, names.

    `aspect` is a pixel's; `total` the number of frames as far as it is known beforehand; `variable`: whether they
    last very differently.
    """

    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    matrix: int = BT709
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    aspect: Fraction | None = None
    total: int | None = None
    variable: bool = False
    metadata: dict[str, str] = field(default_factory=dict)


def fitted(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """Return the size itself, or reduced to even sides of at most `max_side` (but at least 2)."""
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    width, height = (max(2, side * max_side // longest // 2 * 2) for side in (width, height))
    return width, height


def ticks_for(rate: Fraction) -> Fraction:
    """Return a time base of at most a millisecond in which a frame of this rate lasts a whole number of ticks."""
    return 1 / (rate * math.ceil(1000 / rate))


def resample(frames: Iterable[TimedFrame[Any]], old: Fraction, rate: Fraction) -> Iterator[TimedFrame[Any]]:
    """Show at every beat of `rate` the frame whose time is nearest, from the first one's time to the last one's end.

    `old` is the time base of `frames`; that of the result is ticks_for(rate). A frame can come several times (the very
    same object) or not at all. Between two frames at the same distance the later one is taken.
    """
    base = ticks_for(rate)
    step = round(1 / rate / base)
    first: Fraction | None = None
    beat, last = 0, None

    def until(end: Fraction, frame: TimedFrame[Any]) -> Iterator[TimedFrame[Any]]:
        nonlocal beat
        while first is not None and first + beat / rate < end:
            yield TimedFrame(frame.image, round(first / base) + beat * step, step)
            beat += 1

    for frame in frames:
        time = frame.pts * old
        if last is None:
            first = time
        else:
            yield from until((last.pts * old + time) / 2, last)
        last = frame
    if last is not None:
        yield from until((last.pts + last.duration) * old, last)
