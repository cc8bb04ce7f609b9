"""Raw frames, as programs send them to one another through pipes: bytes in, bytes out, a frame at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, Literal, get_args

import numpy as np

from sakuga.errors import UsageError
from sakuga.video.encoder import ToFrame
from sakuga.video.timed_frames import BT601, BT709, Pixels, StreamInfo, TimedFrame

if TYPE_CHECKING:
    from sakuga.video.segments import State

PixelFormat = Literal["rgb24", "yuv420p"]
PIXEL_FORMATS: tuple[str, ...] = get_args(PixelFormat)


class RawSource:
    """Frames of one size that follow each other in a stream of bytes without anything between them.

    `rgb24`: red, green, blue, a byte each, row by row; `yuv420p`: three planes in limited range, by BT.709 from 720
    lines on and BT.601 below, the last two of half the size. Raises UsageError for a size that the format
    does not have. `left` is how many bytes of a frame that was not whole stood at the end.
    """

    def __init__(self, stream: BinaryIO, width: int, height: int, pix_fmt: PixelFormat = "rgb24") -> None:
        if width < 1 or height < 1:
            raise UsageError(f"size must be at least 1x1, not {width}x{height}")
        if pix_fmt == "yuv420p" and (width % 2 or height % 2):
            raise UsageError(f"yuv420p has even sides only, not {width}x{height}: send rgb24")
        self._stream, self._pix_fmt, self.left = stream, pix_fmt, 0
        self.frame_bytes = width * height * 3 // (2 if pix_fmt == "yuv420p" else 1)
        if pix_fmt == "yuv420p":  # here: threads that import it at once would wait for each other
            import av
            import av.video.reformatter

            self._av = av
        # What times and rate there are is known to whoever sends: frames are only counted.
        self.info = StreamInfo(width, height, Fraction(1), Fraction(1), matrix=BT709 if height >= 720 else BT601)

    def frames(self, skip: int = 0) -> Generator[TimedFrame[Pixels], None, None]:
        """Yield the frames in order, but for the first `skip`."""
        number = 0
        while data := self._stream.read(self.frame_bytes):  # of a buffered stream: less only at the end
            if len(data) < self.frame_bytes:
                self.left = len(data)
                return
            if number >= skip:
                yield TimedFrame(self._rgb(data), number, 1)
            number += 1

    def _rgb(self, data: bytes) -> Pixels:
        info = self.info
        if self._pix_fmt == "rgb24":
            return np.frombuffer(data, np.uint8).reshape(info.height, info.width, 3)
        planes = np.frombuffer(data, np.uint8).reshape(info.height * 3 // 2, info.width)
        frame = self._av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.colorspace = info.matrix
        rgb: Pixels = frame.reformat(format="rgb24").to_ndarray()  # type: ignore[assignment]
        return rgb


def write_raw(
    stream: BinaryIO, info: StreamInfo, pix_fmt: PixelFormat, frames: Iterable[tuple[TimedFrame[Pixels], State | None]]
) -> None:
    """Write frames one behind another; each is there for the reader as soon as it is made."""
    convert = None if pix_fmt == "rgb24" else ToFrame(info, pix_fmt)
    for frame, _ in frames:
        data = convert(frame).to_ndarray() if convert else frame.image
        stream.write(np.ascontiguousarray(data).data)
        stream.flush()
