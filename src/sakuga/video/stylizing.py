"""Stylizing frames: each distinct one once, several at the same time, then stabilised in order if that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, Protocol

import numpy as np

from sakuga.video import pipeline
from sakuga.video.segments import LENGTH, State
from sakuga.video.timed_frames import Pixels, StreamInfo, TimedFrame

Stylize = Callable[..., Pixels]
"""Maps a frame, and what was found in it where something is tracked, to the stylized frame."""
Progress = Callable[[int, int | None], None]
Begun = tuple[TimedFrame[Pixels], Future[Pixels], State]
Write = Callable[[Iterable[tuple[TimedFrame[Pixels], State | None]]], None]


class Source(Protocol):
    """Where frames come from."""

    info: StreamInfo

    def frames(self, skip: int = 0) -> Generator[TimedFrame[Pixels], None, None]:
        """Yield the frames in order, but for the first `skip`."""


class Track(Protocol):
    """What looks at one frame after another for `stylize`, such as for faces."""

    def __call__(self, photo: Pixels, /) -> Any:
        """Return what it finds in the next frame."""

    def state(self) -> State:
        """What the next frame depends on; its names are none of the Stabilizer's."""

    def restore(self, state: State, /) -> None:
        """Go on where another was when it gave `state`."""


class FrameStylizer:
    """Runs `stylize` on the frames of `source`, on `workers` of them at a time.

    `done`: how many frames were finished before, in an earlier run, and the `state` that was left then.
    """

    def __init__(
        self,
        source: Source,
        stylize: Stylize,
        scale: int,
        *,
        workers: int = 1,
        stable: bool = False,
        track: Track | None = None,
        progress: Progress | None = None,
        done: int = 0,
        state: State | None = None,
    ) -> None:
        self._source, self._stylize, self._scale = source, stylize, scale
        self._workers, self._progress, self._done = workers, progress, done
        self._stylized: Pixels | None = None
        self._shown: Pixels | None = None
        self._stabilizer, self._track = None, track
        if track and state:
            track.restore(state)
        if stable:
            from sakuga.video.stabilisation import Stabilizer

            self._stabilizer = Stabilizer()
            if state:
                self._stabilizer.restore(dict(state))

    def run(self, write: Write) -> None:
        """Read, stylize and write at the same time; `write` gets the state with the last frame of a segment."""
        executor = ThreadPoolExecutor(self._workers, "sakuga-stylizer")
        try:
            ahead = max(pipeline.AHEAD, self._workers)
            pipeline.run(self._begun(executor), self._finish, write, ahead=ahead)
        finally:
            executor.shutdown(cancel_futures=True)

    def _begun(self, executor: ThreadPoolExecutor) -> Generator[Begun, None, None]:
        """Yield the frames and what will be their stylization, which is one for a frame that comes again.

        With the last frame of a segment comes the state of what is tracked.
        """
        photo: Pixels | None = None
        with closing(self._source.frames(skip=self._done)) as frames:
            for number, frame in enumerate(frames, self._done + 1):
                # One that comes again is looked at again in another segment, which a later run may begin with.
                if frame.image is not photo or (self._track and number % LENGTH == 1):
                    found = (self._track(frame.image),) if self._track else ()
                    photo, future = frame.image, executor.submit(self._one, frame.image, *found)
                yield frame, future, self._track.state() if self._track and number % LENGTH == 0 else {}

    def _one(self, photo: Pixels, *found: Any) -> Pixels:
        shape = (photo.shape[0] * self._scale, photo.shape[1] * self._scale, 3)
        stylized = self._stylize(photo, *found)
        if stylized.shape != shape or stylized.dtype != np.uint8:
            raise ValueError(f"stylize made {stylized.shape} of {stylized.dtype}, not {shape} of uint8")
        return stylized

    def _finish(self, begun: Begun) -> tuple[TimedFrame[Pixels], State | None]:
        frame, future, tracked = begun
        stylized = future.result()
        # A frame that comes again is shown again; not in another segment, which a later run may begin with.
        if self._shown is None or stylized is not self._stylized or self._done % LENGTH == 0:
            self._stylized = stylized
            self._shown = self._stabilizer(frame.image, stylized) if self._stabilizer else stylized
        self._done += 1
        if self._progress:
            self._progress(self._done, self._source.info.total)
        state = self._stabilizer.state() if self._stabilizer and self._done % LENGTH == 0 else {}
        return TimedFrame(self._shown, frame.pts, frame.duration), {**state, **tracked} or None
