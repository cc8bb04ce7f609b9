"""A video in, a video out: every frame painted once and kept at its own time, sound and subtitles copied untouched."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sakuga.atomic import atomic
from sakuga.container import colour_matrix, decode, open_container, packets, reading, video_stream
from sakuga.errors import SakugaError, UsageError

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

Pixels = NDArray[np.uint8]

SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp"}
)
"""The suffixes by which a video is known."""

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""The suffixes a result may have, each with its muxer: those that hold H.264 with true timestamps."""

_ENCODING = {
    "crf": "18",  # the constant rate factor at which H.264 is commonly held to look like its source
    "x264-params": "cpu-independent=1",  # else the same frames do not give the same bytes, not even on one machine
}
_LIMITED = 1  # the range of the colours, as FFmpeg numbers it
_BRANDS = {"major_brand", "minor_version", "compatible_brands"}  # of the source's container, not of its contents


def stylize_video(
    source: Path,
    target: Path,
    paint: Callable[[Pixels], Pixels],
    *,
    scale: int = 1,
    max_side: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> None:
    """Write `source` to `target` with `paint` applied to every frame.

    `paint` maps RGB (H, W, 3) uint8, upright, to (scale · H, scale · W, 3). `progress` is called after each frame with
    the number done and in all (None where the file does not tell).

    The result is H.264 in the container that the suffix of `target` names (CONTAINERS). Each frame keeps its timestamp
    and time base (Matroska counts in milliseconds; the clock of an MPEG stream is made to start at 0). Sound is copied
    packet by packet, subtitles too where the container holds their kind. A rotation is applied; the matrix is kept
    (BT.709 or BT.601 by height where the source names none). The size is exact: H.264 can halve the resolution of
    colour only at even sizes, so odd ones are written as yuv444p, which not every player shows; `max_side` reduces to
    even sizes.

    Raises UsageError for another suffix, SakugaError when the source is missing, no video, damaged or shorter than it
    says, when its sound does not fit into the container, and when `target` exists or cannot be written. Then, and when
    `paint` raises, no file is left.
    """
    import av

    source, target = Path(source), Path(target)
    muxer = CONTAINERS.get(target.suffix.lower())
    if muxer is None:
        raise UsageError(f"{target} is not a name for a video that can be written: end it in {', '.join(CONTAINERS)}")
    first = _first_frame(source)
    with open_container(source) as reader, atomic(target, overwrite=overwrite) as temporary, _writing(target):
        video = video_stream(reader, source)
        with av.open(f"file:{temporary}", "w", format=muxer, container_options=_scales(muxer, video)) as writer:
            writer.metadata.update({key: text for key, text in reader.metadata.items() if key not in _BRANDS})
            start = _clock_start(reader)
            painter = _Painter(writer, video, first, paint, scale, max_side, start)
            copies = _copied_streams(reader, writer, source, target)
            done = 0
            for packet in packets(reader, video, source):
                if packet.stream_index == video.index:
                    for frame in decode(packet, source):
                        writer.mux(painter.packets(frame))
                        done += 1
                        if progress:
                            progress(done, video.frames or None)
                elif packet.stream_index in copies and packet.size:  # the last ones are empty: they only flush decoders
                    _shift(packet, start)
                    packet.stream = copies[packet.stream_index]
                    writer.mux(packet)
            writer.mux(painter.rest())


def _scales(muxer: str, video: VideoStream) -> dict[str, str]:
    """What MP4 and MOV count time in: the frames' own time base for them and, for a late start, a multiple of it.

    Left alone, the frames would get a multiple and the start would be rounded to milliseconds.
    """
    if muxer == "matroska":
        return {}
    ticks = _time_base(video).denominator
    return {"video_track_timescale": str(ticks), "movie_timescale": str(lcm(ticks, 1000))}


class _Painter:
    """Frames in, H.264 packets out."""

    def __init__(
        self,
        writer: OutputContainer,
        video: VideoStream,
        first: VideoFrame,
        paint: Callable[[Pixels], Pixels],
        scale: int,
        max_side: int | None,
        start: Fraction,
    ) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        self.paint, self.scale = paint, scale
        self.size = _fitted(first.width, first.height, max_side)
        self.turns = round(first.rotation / 90) % 4  # counter-clockwise
        self.matrix = colour_matrix(first)
        self.to_rgb, self.to_yuv = VideoReformatter(), VideoReformatter()
        # Without these two the colour of a whole 2x2 block would come from one sample.
        self.interpolation = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
        self.time_base = _time_base(video)
        self.start = round(start / self.time_base)
        rate = video.average_rate or video.guessed_rate or Fraction(25)
        self.mean = max(1, round(1 / rate / self.time_base))
        self.end = None if video.duration is None else (video.start_time or 0) + video.duration - self.start
        self.pending: VideoFrame | None = None
        self.stream = stream = writer.add_stream("libx264", rate=rate, options=dict(_ENCODING))
        stream.metadata.update(video.metadata)
        width, height = self.size[::-1] if self.turns % 2 else self.size
        stream.width, stream.height = width * scale, height * scale
        stream.pix_fmt = "yuv444p" if stream.width % 2 or stream.height % 2 else "yuv420p"
        context = stream.codec_context
        stream.time_base = context.time_base = self.time_base
        if aspect := video.sample_aspect_ratio:
            context.sample_aspect_ratio = 1 / aspect if self.turns % 2 else aspect
        context.colorspace, context.color_range = self.matrix, _LIMITED
        context.color_primaries, context.color_trc = first.color_primaries, first.color_trc

    def packets(self, frame: VideoFrame) -> list[Packet]:
        """Paint a frame and encode the one before, whose duration is known now."""
        picture = self._picture(frame)
        before, self.pending = self.pending, picture
        picture.pts = self._time(frame, before)
        if before is None:
            return []
        before.duration = picture.pts - (before.pts or 0)
        return self.stream.encode(before)

    def rest(self) -> list[Packet]:
        """Encode the last frame and empty the encoder."""
        last = self.pending
        if last is None:
            return []
        left = self.end - (last.pts or 0) if self.end is not None else 0
        last.duration = left if left > 0 else self.mean
        return [*self.stream.encode(last), *self.stream.encode()]

    def _picture(self, frame: VideoFrame) -> VideoFrame:
        import av

        frame.colorspace = colour_matrix(frame, self.matrix)
        rgb = self.to_rgb.reformat(frame, *self.size, "rgb24", interpolation=self.interpolation).to_ndarray()
        upright = np.ascontiguousarray(np.rot90(rgb, self.turns), dtype=np.uint8)
        shape = (upright.shape[0] * self.scale, upright.shape[1] * self.scale, 3)
        painted = self.paint(upright)
        if painted.shape != shape or painted.dtype != np.uint8:
            raise ValueError(f"paint made {painted.shape} of {painted.dtype}, not {shape} of uint8")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(painted), format="rgb24")
        picture.colorspace = self.matrix
        picture = self.to_yuv.reformat(
            picture, format=self.stream.pix_fmt, dst_color_range=_LIMITED, interpolation=self.interpolation
        )
        picture.time_base = self.time_base
        return picture

    def _time(self, frame: VideoFrame, before: VideoFrame | None) -> int:
        """The frame's timestamp; where there is none, or time does not advance, the next one that can be."""
        time = frame.dts if frame.pts is None else frame.pts
        last = None if before is None else before.pts
        if time is None:
            return 0 if last is None else last + self.mean
        time -= self.start
        return time if last is None else max(time, last + 1)


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Turn FFmpeg's errors into a sentence about the target, or an OSError for `atomic` to word."""
    import av

    try:
        yield
    except av.FFmpegError as error:
        if error.errno in errno.errorcode and error.errno != errno.EINVAL:
            raise OSError(error.errno, error.strerror) from error
        message = f"{target} cannot hold this video or its sound ({error.strerror}): name the output .mkv"
        raise SakugaError(message) from error


def _first_frame(source: Path) -> VideoFrame:
    """The size, rotation and colours that the result is set up with; they are sure only in a decoded frame."""
    with open_container(source) as reader, reading(source):
        for frame in reader.decode(video_stream(reader, source)):
            return frame
    raise SakugaError(f"{source} has no frame that can be decoded: get a whole copy of it")


def _fitted(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """The size itself, or reduced to even sides of at most `max_side` (but at least 2)."""
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    width, height = (max(2, side * max_side // longest // 2 * 2) for side in (width, height))
    return width, height


def _time_base(stream: Stream) -> Fraction:
    return stream.time_base or Fraction(1, 90_000)


def _copied_streams(reader: InputContainer, writer: OutputContainer, source: Path, target: Path) -> dict[int, Stream]:
    """Add a stream for every sound and for every subtitle that the container holds; by their indices in the source."""
    copies: dict[int, Stream] = {}
    for stream in (*reader.streams.audio, *reader.streams.subtitles):
        try:
            copy = writer.add_stream_from_template(stream)
        except ValueError as error:  # no such codec in this container, or a codec unknown to FFmpeg
            if stream.type == "subtitle":
                continue
            codec = stream.codec_context.name if stream.codec_context else "of an unknown kind"
            remedy = "convert it first" if target.suffix == ".mkv" else f"use -o {target.stem}.mkv"
            raise SakugaError(f"the sound of {source} ({codec}) does not fit into {target.suffix}: {remedy}") from error
        copy.metadata.update(stream.metadata)
        copy.disposition = stream.disposition
        copies[stream.index] = copy
    return copies


def _clock_start(reader: InputContainer) -> Fraction:
    """What to subtract from all times, in seconds: MPEG streams come off a clock that was started at any time."""
    if reader.format.name in ("mpegts", "mpeg") and reader.start_time is not None:
        return Fraction(reader.start_time, 1_000_000)
    return Fraction(0)


def _shift(packet: Packet, start: Fraction) -> None:
    ticks = round(start / packet.time_base)
    packet.pts = None if packet.pts is None else packet.pts - ticks
    packet.dts = None if packet.dts is None else packet.dts - ticks
