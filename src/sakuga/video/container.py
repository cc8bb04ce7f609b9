"""Reading a video: its stream, its packets and frames, the matrix of its colours; FFmpeg's errors as sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import cache
from math import isqrt
from pathlib import Path
from struct import unpack_from
from typing import TYPE_CHECKING

from sakuga.errors import SakugaError, TooLargeError
from sakuga.video.av_compat import fraction, open_input
from sakuga.video.clock import JOINABLE, Clock

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

# As ITU-T H.273 numbers them, and FFmpeg after it.
_BT709, _BT601 = 1, 6
_MATRICES = {_BT709, 4, 5, _BT601, 7, 9}  # the convertible ones; besides: FCC, BT.601 again, SMPTE 240M, BT.2020

# The one list for every door: only what is a video in one file. Others, such as playlists and manifests, would have
# FFmpeg open the files and addresses that they name.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv"
_PROTOCOLS = "file"

_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # the GUID of its File Properties

# Files whose header names their streams: only for these do the decoders that look into a file at its opening get the
# limit of pixels. Of others (FLV, MPEG) no picture is decoded then.
_HEADERS = re.compile(
    rb"....(ftyp|moov|mdat|wide|free|skip|pnot)|\x1a\x45\xdf\xa3|RIFF....AVI |\x30\x26\xb2\x75", re.DOTALL
)

_BORDER = 160  # pixels that decoders add to a side at most

MAX_FRAME_PIXELS = 80_216_064
"""Pixels of a frame where nothing else is asked for: the most that a level of H.265 has (6.3); others have less."""


def open_container(
    source: Path, max_pixels: int = MAX_FRAME_PIXELS, *, seconds: float | None = None, undecoded: bool = False
) -> InputContainer:
    """Open a file for reading; its decoders refuse frames of more than `max_pixels` before they take memory for them.

    `undecoded`: no picture is decoded to find out what is in it.

    Raises SakugaError when it is missing, no video, or a list of other files, and when it takes more than `seconds` to
    find out what is in it.
    """
    import av

    options = {"format_whitelist": _FORMATS, "protocol_whitelist": _PROTOCOLS, "max_pixels": str(max_pixels)}
    with suppress(OSError), source.open("rb") as file:  # what is wrong with it FFmpeg will find again
        if undecoded or not _HEADERS.match(file.read(12)):
            options["codec_whitelist"] = _sound_decoders()
    with reading(source):
        try:
            return open_input(source, options, seconds)
        except av.error.ArgumentError as error:  # so FFmpeg words that a format is not in the list
            raise av.error.InvalidDataError(error.errno or 0, error.strerror or "") from error


@cache
def _sound_decoders() -> str:
    import av

    return ",".join(name for name in sorted(av.codecs_available) if _is_sound(name))


def _is_sound(name: str) -> bool:
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    with suppress(UnknownCodecError):
        return Codec(name).type == "audio"
    return False


@contextmanager
def reading(source: Path) -> Iterator[None]:
    """Turn FFmpeg's errors into SakugaError, a sentence about the source."""
    import av

    try:
        yield
    except av.error.FileNotFoundError as error:
        raise SakugaError(f"{source} does not exist: check the path") from error
    except (av.error.InvalidDataError, av.error.EOFError) as error:
        raise SakugaError(f"{source} is not a video, or is damaged or truncated: get a whole copy of it") from error
    except av.FFmpegError as error:
        raise SakugaError(f"{source} cannot be read as a video ({error.strerror}): check the file") from error


def video_stream(reader: InputContainer, source: Path) -> VideoStream:
    """Return the best stream of pictures that is not a cover.

    Raises SakugaError where there is none, TooLargeError where its frames are larger than `reader` lets through.
    """
    from av.stream import Disposition

    best = reader.streams.best("video")
    moving = [stream for stream in reader.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        raise SakugaError(f"{source} has no video in it: name a file that has one")
    stream = next((stream for stream in moving if stream is best), moving[0])
    if stream.codec_context is None:
        raise SakugaError(f"{source} has a video of a kind that cannot be decoded: convert it first, to H.264 for one")
    stream.thread_type = "AUTO"
    limit = int(reader.options["max_pixels"])
    width, height = stream.width, stream.height
    if not width:  # so some decoders, such as FFV1's, leave it where they refuse it at the opening
        with open_container(source, limit, undecoded=True) as again:
            (width, height), *_ = [(one.width, one.height) for one in again.streams.video if one.index == stream.index]
    if width * height > limit:
        raise _too_large(source, limit, f"is {width}x{height},")
    # What decoders hold against it is not the frame but what they take for it, rounded up and with a border.
    stream.codec_context.options = {"max_pixels": str(limit + 4 * _BORDER * isqrt(limit) + _BORDER**2)}
    return stream


def frame_rate(video: VideoStream) -> Fraction:
    """Return the frames a second, about; 25 where the file does not tell."""
    return fraction(video.average_rate) or fraction(video.guessed_rate) or Fraction(25)


def time_base(video: VideoStream) -> Fraction:
    """Return the seconds of a tick."""
    return fraction(video.time_base) or Fraction(1, 90_000)


def packets(reader: InputContainer, video: VideoStream, source: Path, clock: Clock | None = None) -> Iterator[Packet]:
    """Yield the packets of all streams, at the times of `clock`; last the empty ones that flush the decoders.

    Raises SakugaError where they cannot be read, and after the last one when the file is shorter than it says.
    """
    end, before, longest = Fraction(0), None, Fraction(0)
    clock = clock or Clock(reader)
    with reading(source):
        for packet in clock.through(reader.demux()):
            if packet.pts is not None:
                end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if packet.stream_index == video.index and packet.dts is not None:
                longest = max(longest, (packet.dts - (packet.dts if before is None else before)) * packet.time_base)
                before = packet.dts
            yield packet
    if clock.anew is None:  # else its length is not known either
        _check_whole(reader, video, end, source, last=longest)


def decode(packet: Packet, source: Path) -> list[VideoFrame]:
    """Return the frames that a packet completes, of which some may be corrupt (`is_corrupt`).

    Raises SakugaError where the file is damaged, TooLargeError for a frame of more pixels than are let through.
    """
    import av

    context, limit = packet.stream.codec_context, int(packet.stream.container.options["max_pixels"])
    with reading(source):
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            # What a decoder refuses for its size leaves that size here, or none at all; that of AV1 has its own error.
            refused = isinstance(error, av.error.ArgumentError) and not context.width
            if refused or isinstance(error, av.error.OverflowError) or context.width * context.height > limit:
                raise _too_large(source, limit, "has frames of") from error
            raise
    if any(frame.width * frame.height > limit for frame in frames):
        raise _too_large(source, limit, "has frames of")
    return frames


class FrameSize:
    """The size of a video's frames, which is that of its first one: another is damage, or was made to do some.

    Only MPEG streams may change it, as recordings that were joined or cut do.
    """

    REMEDY = "ffmpeg -i IN OUT.mp4 brings them to one"

    def __init__(self, reader: InputContainer, size: tuple[int, int] | None = None) -> None:
        self._size, self._fixed = size, reader.format.name not in JOINABLE

    def differs(self, frame: VideoFrame) -> bool:
        """Whether a frame has another size than the first one, which is the first that was asked for."""
        size = frame.width, frame.height
        self._size = self._size or size
        return self._fixed and size != self._size

    def check(self, frame: VideoFrame, source: Path) -> None:
        """Raise SakugaError where it has."""
        if self.differs(frame):
            when = f"{frame.time or 0:.1f} s"
            raise SakugaError(f"the frames of {source} change their size at {when}: {self.REMEDY}")


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


def length(reader: InputContainer, video: VideoStream) -> Fraction:
    """Return the seconds that a file says it lasts; 0 where it does not tell."""
    rate = fraction(video.average_rate)
    if reader.format.name == "avi" and rate:
        return video.frames / rate  # count frames: FFmpeg makes the duration fit what is left of the file
    if reader.format.name == "asf" and not reader.duration:
        return _asf_length(Path(reader.name.removeprefix("file:")))
    return Fraction(reader.duration or 0, 1_000_000)


def _asf_length(path: Path) -> Fraction:
    """Return the seconds that an ASF file says it lasts, which FFmpeg does not once the file is cut off."""
    with path.open("rb") as file:
        head = file.read(2**16)
    at = head.find(_ASF_FILE) + 64  # behind its size, identifier, bytes, date and packets
    if at < 64 or at + 28 > len(head):
        return Fraction(0)
    played, _, preroll, flags = unpack_from("<QQQI", head, at)
    return Fraction(0) if flags & 1 else max(Fraction(played, 10**7) - Fraction(preroll, 1000), Fraction(0))


def stream_end(reader: InputContainer, index: int) -> Fraction | None:
    """Return the second at which a stream ends by what the file's header says; None where it does not."""
    stream = reader.streams[index]
    if "mp4" in reader.format.name and stream.duration is not None:
        return ((stream.start_time or 0) + stream.duration) * (fraction(stream.time_base) or Fraction(0))
    said = re.fullmatch(r"(\d{1,6}):(\d\d):(\d\d\.\d{1,9})", stream.metadata.get("DURATION", ""))  # Matroska's
    return Fraction(said[3]) + 60 * int(said[2]) + 3600 * int(said[1]) if said else None


def _check_whole(reader: InputContainer, video: VideoStream, end: Fraction, source: Path, *, last: Fraction) -> None:
    """Raise SakugaError if the file ended well before the length in its header, which is no error to FFmpeg.

    `last`: how long the last frame may stand beyond what its packet says, which of a variable rate is often nothing.
    """
    said, end = length(reader, video), end - max(Fraction(reader.start_time or 0, 1_000_000), Fraction(0))
    if end < said - max(Fraction(1, 4), said / 100, last):
        raise SakugaError(f"{source} ends at {float(end):.1f} of {float(said):.1f} s: get a whole copy of it")


def _too_large(source: Path, limit: int, what: str) -> TooLargeError:
    return TooLargeError(f"{source} {what} more than {limit:,} pixels: make it smaller, or allow more (--max-pixels)")
