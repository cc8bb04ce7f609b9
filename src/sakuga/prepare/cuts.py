"""Where a film cuts, and the sharpest frames in between."""

from typing import Generic, NamedTuple, TypeVar

import numpy as np

CUT = 0.08
"""How far histograms of neighbouring frames are at a cut, out of 1, if also three times as far as just before."""

DRIFT = 0.25
"""A scene also ends when it is as far from its first frame as different pictures are: dissolves, pans, fades."""

SHORTEST = 8
"""Frames in a scene at least: a flash is no scene."""

BLUR = 25
"""Levels over which a histogram is smoothed: an even area that changes by one level must not look like another."""

T = TypeVar("T")


def histogram(yuv: np.ndarray) -> np.ndarray:
    """Return the smoothed histograms of (3, H, W) uint8 as (3, 256 + 24), each of sum 1."""
    found = []
    for channel in yuv[:, ::2, ::2]:
        counts = np.bincount(channel.ravel(), minlength=256) / channel.size
        sums = np.concatenate([np.zeros(BLUR), counts, np.zeros(BLUR - 1)]).cumsum()
        found.append((sums[BLUR:] - sums[:-BLUR]) / BLUR)
    return np.stack(found)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Total variation ½ Σ |p - q| of two histograms, the mean of the channels; 0 to 1."""
    return float(np.abs(one - other).sum() / 2 / len(one))


class Cuts:
    """Tells of every frame whether a new scene begins with it."""

    def __init__(self) -> None:
        self.first: np.ndarray | None = None
        self.last: np.ndarray | None = None
        self.length = 0
        self.steps: list[float] = []

    def __call__(self, yuv: np.ndarray) -> bool:
        """Look at the next frame, (3, H, W) uint8."""
        now = histogram(yuv)
        if self.first is None or self.last is None:
            self.first = self.last = now
            return False
        step, before = distance(now, self.last), float(np.median(self.steps[-5:] or [0.0]))
        cut = step > max(CUT, 3 * before) or distance(now, self.first) > DRIFT
        self.last = now
        self.length += 1
        self.steps = [*self.steps[-4:], step]
        if not cut:
            return False
        self.first = now
        if self.length < SHORTEST:
            return False
        self.length = 0
        return True


class Shot(NamedTuple, Generic[T]):
    """A frame that may be kept."""

    sharpness: float
    frame: T


class Scene(Generic[T]):
    """The sharpest frame of each of up to 16 stretches of a scene, all equally long; the length of the scene is free.

    When there are 16, neighbours are joined and the stretches become twice as long.
    """

    MOST = 16

    def __init__(self) -> None:
        self.shots: list[Shot[T]] = []
        self.stretch, self.count = 1, 0

    def add(self, sharpness: float, frame: T) -> None:
        """Look at the next frame."""
        shot = Shot(sharpness, frame)
        if self.count % self.stretch:
            self.shots[-1] = max(self.shots[-1], shot, key=_sharpness)
        else:
            if len(self.shots) == self.MOST:
                pairs = zip(self.shots[::2], self.shots[1::2], strict=True)
                self.shots = [max(pair, key=_sharpness) for pair in pairs]
                self.stretch *= 2
            self.shots.append(shot)
        self.count += 1

    def best(self, count: int) -> list[Shot[T]]:
        """Return the sharpest of each of `count` equal parts of the scene."""
        parts = np.array_split(np.arange(len(self.shots)), max(1, min(count, len(self.shots))))
        return [max((self.shots[i] for i in part), key=_sharpness) for part in parts if len(part)]


def _sharpness(shot: Shot[T]) -> float:
    return shot.sharpness
