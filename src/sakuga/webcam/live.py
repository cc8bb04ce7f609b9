"""The newest picture, stylised: older ones are dropped, so that what is seen is now."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from sakuga.errors import SakugaError
from sakuga.picture.pixels import Array
from sakuga.stylizer import Stylizer

_QUALITY = 88  # of the JPEGs that are shown
_SECONDS = 2.0  # over which the rate is averaged


@dataclass(frozen=True)
class LiveFrame:
    """One picture and its stylised copy, RGB (H, W, 3) uint8, of one size; how quickly they follow one another."""

    number: int
    before: Array
    after: Array
    style: str
    rate: float

    @cached_property
    def both(self) -> bytes:
        """A JPEG of the picture and, to the right of it, its stylised copy."""
        return _jpeg(np.hstack([self.before, self.after]))

    @cached_property
    def jpegs(self) -> dict[str, bytes]:
        """A JPEG of each."""
        return {"before": _jpeg(self.before), "after": _jpeg(self.after)}


class Live:
    """Stylises what `frames` yield, in two threads, for any number of viewers.

    `reduce` makes RGB pictures of frames. `running` is the time during which it does.
    """

    def __init__(self, stylizer: Stylizer, reduce: Callable[[Any], Array]) -> None:
        self.stylizer = stylizer
        self.reduce = reduce
        self.error: SakugaError | None = None
        self.ended = threading.Event()
        self.hangs = False
        self._changed = threading.Condition()
        self._frame: Any = None
        self._latest: LiveFrame | None = None
        self._times: deque[float] = deque()

    @contextmanager
    def running(self, frames: Iterable[object]) -> Iterator[None]:
        """Read and stylise in the background; both threads have ended afterwards, or `hangs` is set."""
        # Daemons: a camera that hangs in its driver must not keep the program from ending.
        threads = [
            threading.Thread(target=self._guarded, args=job, name=name, daemon=True)
            for name, job in (("camera", (self._read, frames)), ("worker", (self._stylize,)))
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.end()
            for thread in threads:
                thread.join(timeout=2)
            self.hangs = any(thread.is_alive() for thread in threads)

    def after(self, number: int, timeout: float) -> LiveFrame | None:
        """Return the newest picture, once it is another than `number`; None when there is none in time."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended.is_set() or self._is_new(number), timeout)
            return self._latest if self._is_new(number) and not self.ended.is_set() else None

    def _is_new(self, number: int) -> bool:
        return self._latest is not None and self._latest.number != number

    def _read(self, frames: Iterable[object]) -> None:
        for frame in frames:
            with self._changed:
                if self.ended.is_set():
                    return
                self._frame = frame
                self._changed.notify_all()

    def _stylize(self) -> None:
        number, tracker, tracked = 0, None, None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self.ended.is_set() or self._frame is not None)
                if self.ended.is_set():
                    return
                frame, self._frame = self._frame, None
            stylizer = self.stylizer  # it may be exchanged meanwhile
            before = self.reduce(frame)
            if stylizer is not tracked:
                tracker, tracked = stylizer.tracker(), stylizer
            after = stylizer.array(before, tracker(before) if tracker else None)
            for axis in (0, 1):  # a style that enlarges
                before = before.repeat(after.shape[axis] // before.shape[axis], axis)
            number += 1
            pair = LiveFrame(number, before, after, stylizer.style.name, self._rate())
            _ = pair.both  # here once, rather than in the thread of each viewer
            with self._changed:
                self._latest = pair
                self._changed.notify_all()

    def _rate(self) -> float:
        """Count one more picture; how many were stylised in a second, of late."""
        now = time.monotonic()
        self._times.append(now)
        while now - self._times[0] > _SECONDS:
            self._times.popleft()
        return (len(self._times) - 1) / (now - self._times[0]) if len(self._times) > 1 else 0.0

    def _guarded(self, work: Callable[..., None], *args: object) -> None:
        try:
            work(*args)
        except SakugaError as error:
            self.error = error
        except Exception as error:  # a fault of ours ends the program with a sentence, not a silent picture
            self.error = SakugaError(f"unexpected {type(error).__name__}: {error}")
        finally:
            self.end()

    def end(self) -> None:
        """Stop reading and stylising."""
        with self._changed:
            self.ended.set()
            self._changed.notify_all()


def _jpeg(rgb: Array) -> bytes:
    file = BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
