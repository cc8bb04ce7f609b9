"""Reading a video: its stream, its packets and frames, the matrix of its colours; FFmpeg's errors as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from sakuga.errors import SakugaError

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

# As ITU-T H.273 numbers them, and FFmpeg after it.
_BT709, _BT601 = 1, 6
_MATRICES = {_BT709, 4, 5, _BT601, 7, 9}  # the convertible ones; besides: FCC, BT.601 again, SMPTE 240M, BT.2020


def open_container(source: Path) -> InputContainer:
    """Open a file for reading; raises SakugaError when it is missing or no video."""
    import av

    with reading(source):
        # "file:", because a name with a colon would be taken for an address.
        return av.open(f"file:{source}", metadata_errors="replace")


@contextmanager
def reading(source: Path) -> Iterator[None]:
    """Turn FFmpeg's errors into SakugaError, a sentence about the source."""
    import av

    try:
        yield
    except av.error.FileNotFoundError as error:
        raise SakugaError(f"{source} does not exist: check the path") from error
    except av.error.InvalidDataError as error:
        raise SakugaError(f"{source} is not a video, or is damaged or truncated: get a whole copy of it") from error
    except av.FFmpegError as error:
        raise SakugaError(f"{source} cannot be read as a video ({error.strerror}): check the file") from error


def video_stream(reader: InputContainer, source: Path) -> VideoStream:
    """Return the best stream of pictures that is not a cover; raises SakugaError where there is none."""
    from av.stream import Disposition

    best = reader.streams.best("video")
    moving = [stream for stream in reader.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        raise SakugaError(f"{source} has no video in it: name a file that has one")
    stream = next((stream for stream in moving if stream is best), moving[0])
    stream.thread_type = "AUTO"
    return stream


def packets(reader: InputContainer, video: VideoStream, source: Path) -> Iterator[Packet]:
    """Yield the packets of all streams, last the empty ones that flush the decoders.

    Raises SakugaError where they cannot be read, and after the last one when the file is shorter than it says.
    """
    end = Fraction(0)
    with reading(source):
        for packet in reader.demux():
            if packet.pts is not None:
                end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            yield packet
    _check_whole(reader, video, end, source)


def decode(packet: Packet, source: Path, since: Fraction | None = None) -> list[VideoFrame]:
    """Return the frames that a packet completes; raises SakugaError where the file is damaged.

    After a jump into the middle frames can lack what they refer to: those before `since` (in seconds) may.
    """
    with reading(source):
        frames = packet.decode()
    for frame in frames:
        if frame.is_corrupt and (since is None or frame.time is None or frame.time >= since):
            raise SakugaError(f"{source} is damaged at {frame.time or 0:.1f} s: get a whole copy of it")
    return frames


def colour_matrix(frame: VideoFrame, default: int | None = None) -> int:
    """Return the matrix, as ITU-T H.273 numbers it, by which to convert a frame between YUV and RGB.

    Where the frame names none, or none that can be converted: `default`, or as players guess, BT.709 from a height of
    720 on and BT.601 below.
    """
    if frame.colorspace in _MATRICES:
        return frame.colorspace
    if default is not None:
        return default
    return _BT709 if frame.height >= 720 else _BT601


def _check_whole(reader: InputContainer, video: VideoStream, end: Fraction, source: Path) -> None:
    """Raise SakugaError if the file ended well before the length in its header, which is no error to FFmpeg."""
    length = Fraction(reader.duration or 0, 1_000_000)
    if reader.format.name == "avi" and video.average_rate:
        length = video.frames / video.average_rate  # count frames: FFmpeg makes the duration fit the file
    if end < length - max(Fraction(1, 4), length / 100):
        raise SakugaError(f"{source} ends at {float(end):.1f} of {float(length):.1f} s: get a whole copy of it")
