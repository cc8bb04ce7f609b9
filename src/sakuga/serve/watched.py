"""A client's file in memory whose reading ends when the client leaves: decoders look at it piece by piece."""

import threading
import time
from io import BytesIO
from math import inf


class AbandonedError(Exception):
    """Nobody waits for the result any more, or it takes too long."""


class Watched(BytesIO):
    """`data` as a file, whose reading raises AbandonedError once its client has `left`, and after some `seconds`."""

    def __init__(self, data: bytes, left: threading.Event, seconds: float = inf) -> None:
        super().__init__(data)
        self._left, self._end = left, time.monotonic() + seconds

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on."""
        self._check()
        return super().read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go elsewhere."""
        self._check()
        return super().seek(offset, whence)

    @property
    def late(self) -> bool:
        """Whether the seconds are over."""
        return time.monotonic() > self._end

    def _check(self) -> None:
        if self._left.is_set() or self.late:
            raise AbandonedError
