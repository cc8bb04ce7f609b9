"""Painting frames in order: each distinct one once, steadied if that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Protocol

import numpy as np

from sakuga.video import pipeline
from sakuga.video.segments import LENGTH, State
from sakuga.video.shots import Form, Pixels, Shot

Paint = Callable[[Pixels], Pixels]
Progress = Callable[[int, int | None], None]


class Source(Protocol):
    """Where frames come from."""

    form: Form

    def shots(self, skip: int = 0) -> Generator[Shot[Pixels], None, None]:
        """Yield the frames in order, but for the first `skip`."""


class Painter:
    """Paints frames one after another; `state` goes with the last frame of a segment.

    `done`: how many frames were painted before, in an earlier run, and the `state` that was left then.
    """

    def __init__(
        self, paint: Paint, scale: int, *, total: int | None, stable: bool = False, done: int = 0,
        state: State | None = None, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self._paint, self._scale, self._total, self._done, self._progress = (
            paint,
            scale,
            total,
            done,
            progress,
        )
        self._photo: Pixels | None = None
        self._painted: Pixels | None = None
        self._stabilizer = None
        if stable:
            from sakuga.stable import Stabilizer

            self._stabilizer = Stabilizer()
            if state:
                self._stabilizer.restore(dict(state))

    def __call__(self, shot: Shot[Pixels]) -> tuple[Shot[Pixels], State | None]:
        """Paint one frame."""
        # A frame that comes again keeps its painting; not in another segment, which a later run may begin with.
        if self._painted is None or shot.image is not self._photo or self._done % LENGTH == 0:
            self._photo, self._painted = shot.image, self._one(shot.image)
        self._done += 1
        if self._progress:
            self._progress(self._done, self._total)
        ends = self._stabilizer is not None and self._done % LENGTH == 0
        # Copies, because the state changes while a segment is being written.
        state = {k: np.array(v) for k, v in self._stabilizer.state().items()} if ends and self._stabilizer else None
        return Shot(self._painted, shot.pts, shot.duration), state

    def _one(self, photo: Pixels) -> Pixels:
        shape = (photo.shape[0] * self._scale, photo.shape[1] * self._scale, 3)
        painted = self._paint(photo)
        if painted.shape != shape or painted.dtype != np.uint8:
            raise ValueError(f"paint made {painted.shape} of {painted.dtype}, not {shape} of uint8")
        return self._stabilizer(photo, painted) if self._stabilizer else painted


def paint_all(
    source: Source, painter: Painter, write: Callable[[Iterable[tuple[Shot[Pixels], State | None]]], None],
    skip: int = 0,
) -> None:  # fmt: skip
    """Read, paint and write at the same time, each in a thread of its own (painting in the calling one)."""
    pipeline.run(source.shots(skip), painter, write)
