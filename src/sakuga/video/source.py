"""A video file as RGB frames: cut, at their times or at a rate, deinterlaced, upright, in the colours of a screen."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sakuga.errors import SakugaError, UsageError
from sakuga.picture.hdr import HLG, PQ, ToneMap
from sakuga.video.av_compat import fraction
from sakuga.video.clock import JOINABLE, Clock
from sakuga.video.container import (
    MAX_FRAME_PIXELS,
    FrameSize,
    colour_matrix,
    frame_rate,
    open_container,
    packets,
    time_base,
    video_stream,
)
from sakuga.video.damage import Damage, in_words, whole_frames
from sakuga.video.options import VideoOptions
from sakuga.video.orientation import Orientation, orientation
from sakuga.video.timed_frames import BT709, Pixels, StreamInfo, TimedFrame, fitted, resample, ticks_for

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.filter import Graph
    from av.video.stream import VideoStream

Frames = Iterator["VideoFrame"]


class Span:
    """The part of a file that is wanted, in seconds of its own clock, and what to subtract from its times.

    Without `--start` only the clocks of MPEG streams are set back, which were started at any time.
    """

    def __init__(self, reader: InputContainer, options: VideoOptions) -> None:
        origin = max(Fraction(reader.start_time or 0, 1_000_000), Fraction(0))
        clock = origin if reader.format.name in JOINABLE else Fraction(0)
        self.begin = None if options.begin is None else origin + options.begin
        self.origin = origin
        self.shift = clock if self.begin is None else self.begin
        first = origin if self.begin is None else self.begin
        self.end = None if options.length is None else first + options.length
        length = Fraction(reader.duration or 0, 1_000_000)
        stop = origin + length if self.end is None else min(origin + length, self.end)
        self.seconds = max(Fraction(0), stop - first)
        """About how long it is; 0 where the file does not tell."""
        if self.begin is not None and length and not self.seconds:
            name = reader.name.removeprefix("file:")
            raise UsageError(
                f"--start {options.start} lies behind the end of {name}, which lasts {float(length):.1f} s"
            )

    def ticks(self, time_base: Fraction) -> int:
        """Return what to subtract from times, in ticks."""
        return round(self.shift / time_base)


class FileSource:
    """A video file; `info` says what its frames are like once they are converted.

    Raises SakugaError when the file is missing, no video, or has no frame that can be decoded.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_side: int | None,
        options: VideoOptions,
        warn: Callable[[str], None],
        max_pixels: int = MAX_FRAME_PIXELS,
    ) -> None:
        self.path, self.options, self.max_pixels, self._warn = path, options, max_pixels, warn
        self._damage = Damage()
        first = _first_frame(path, max_pixels)
        self._hdr = first.color_trc if first.color_trc in (PQ, HLG) else None
        self._interlaced = bool(first.interlaced_frame)
        self._orientation = orientation(first)
        self._first = first.width, first.height
        self._size = fitted(*self._first, max_side)
        self._matrix = colour_matrix(first)
        if self._hdr:
            warn(f"{path} is HDR: its brightness is compressed (ITU-R BT.2390) and its colours are brought to BT.709")
        with open_container(path, max_pixels) as reader:
            video = video_stream(reader, path)
            span = Span(reader, options)
            self._time_base = time_base(video)
            rate = frame_rate(video)
            width, height = self._size[::-1] if self._orientation.swaps else self._size
            aspect = fraction(video.sample_aspect_ratio)
            whole = not (options.start or options.duration or options.fps)
            info = StreamInfo(
                width,
                height,
                self._time_base,
                rate,
                matrix=self._matrix,
                primaries=first.color_primaries,
                transfer=first.color_trc,
                aspect=1 / aspect if aspect and self._orientation.swaps else aspect,
                total=(video.frames if whole else 0) or round(span.seconds * (options.rate or rate)) or None,
                metadata=dict(video.metadata),
            )
        if self._hdr:
            info = replace(info, matrix=BT709, primaries=BT709, transfer=BT709)
        if options.rate:
            info = replace(info, rate=options.rate, time_base=ticks_for(options.rate))
        self._span = span
        self._leaps: list[tuple[Fraction, Fraction]] = []
        self._joined = False
        self._times: list[int] = []
        variable = self._look_through()
        self.info = replace(info, variable=variable and not options.rate, total=None if self._joined else info.total)

    def missing(self, sound: Damage) -> str:
        """What could not be read of the pictures and of the `sound`, in words; nothing where all of it could."""
        begin, end, origin = self._span.begin, self._span.end, self._span.origin
        pictures = self._damage.within(begin, end)
        # What is missing of both is said once, and where recordings were joined nothing is.
        heard = [
            part for part in sound.within(begin, end) if not self._damage.covers(part) and not self._leaps_over(*part)
        ]
        words = [in_words(pictures, origin)] if pictures else []
        said = " and ".join([*words, f"{in_words(heard, origin)} of its sound"] if heard else words)
        unlisted = ", and whatever stood in the list that is cut off" if pictures and self._damage.unlisted else ""
        resized = f", for its frames change their size: {FrameSize.REMEDY}"
        return said + unlisted + (resized if pictures and self._damage.resized else "")

    def _leaps_over(self, begin: Fraction, end: Fraction) -> bool:
        return any(2 * (min(end, last) - max(begin, first)) > end - begin for first, last in self._leaps)

    def _look_through(self) -> bool:
        """Say before the work that a file ends too early, where that shows; return whether its frames' lengths vary.

        Notes where an MPEG stream's clock leaps forward with its pictures, and the times of the frames where each can
        be found by its own. Raises UsageError where it is set anew and a beginning was asked for, which could not be
        found.
        """
        times: list[Fraction] = []  # the first one and the last one
        longest, count, end = Fraction(0), 0, self._span.end
        shown: list[int | None] = []
        with open_container(self.path, self.max_pixels) as reader:
            video, clock = video_stream(reader, self.path), Clock(reader)
            joinable, step = reader.format.name in JOINABLE, 1 / frame_rate(video)
            try:
                for packet in packets(reader, video, self.path, clock):
                    if packet.stream_index == video.index and packet.size:
                        shown.append(None if packet.is_discard else packet.pts)
                    if packet.dts is None or not packet.size:
                        continue
                    time = packet.dts * packet.time_base
                    if packet.stream_index == video.index:
                        longest, count = max(longest, time - times[-1] if times else longest), count + 1
                        if joinable and times and time > times[-1] + 2 * step:
                            self._leaps.append((times[-1] + step, time))
                        times[1:] = [time]
                    if end and time > end + 10 and not (joinable and self._span.begin):
                        break
            except SakugaError as error:
                shown = []
                self._warn(f"{str(error).partition(': get')[0]}; what can be read is stylized")
        found = sorted(time for time in shown if time is not None)
        chosen = self.options.start or self.options.duration or self.options.fps
        if not (joinable or self._interlaced or chosen) and len({*found}) == len(shown):
            self._times = found
        self._joined = clock.anew is not None
        if clock.anew is not None and self._span.begin is not None:
            anew = f"its clock is set anew at {float(clock.anew - self._span.origin):.1f} s"
            remedy = "leave out --start, or join its parts under one clock first"
            raise UsageError(f"--start {self.options.start} cannot be found in {self.path}, for {anew}: {remedy}")
        return count > 1 and longest > 2 * (times[-1] - times[0]) / (count - 1)

    def frames(self, skip: int = 0) -> Generator[TimedFrame[Pixels], None, None]:
        """Yield the frames in order but for the first `skip`; a frame that comes several times is the same array."""
        convert = _Convert(self._size, self._orientation, self._matrix, self._hdr)
        old, new = None, None
        with open_container(self.path, self.max_pixels) as reader:
            video = video_stream(reader, self.path)
            span = Span(reader, self.options)
            decoded = self._decoded(reader, video, span)
            timed = _timed(decoded, video, span, self._damage, joined=self._joined)
            if self.options.rate:
                timed = resample(timed, self._time_base, self.options.rate)
            number = -1
            for number, frame in enumerate(timed):
                if number < skip:
                    continue
                if new is None or frame.image is not old:
                    old, new = frame.image, convert(frame.image)
                yield TimedFrame(new, frame.pts, frame.duration)
            if number < 0:
                raise SakugaError(f"{self.path} has no frame in the part that was asked for: choose another")

    @property
    def count(self) -> int:
        """The number of frames where `part` can find them; otherwise 0."""
        return len(self._times)

    def part(self, first: int, stop: int) -> Generator[TimedFrame[Pixels], None, None]:
        """Yield the frames from number `first` on, as `frames` does, but decode from a key frame a little before.

        Raises SakugaError at the first one that is not where the file told, as in a damaged one.
        """
        convert = _Convert(self._size, self._orientation, self._matrix, self._hdr)
        begin, number = self._times[first], first
        damaged = SakugaError(f"{self.path} has frames that are not where it says: get a whole copy of it")
        with open_container(self.path, self.max_pixels) as reader:
            video = video_stream(reader, self.path)
            span = Span(reader, self.options)
            self._damage.parts.clear()
            decoded = self._sought(reader, video, begin * self._time_base) if first else self._whole(reader, video)
            wanted = (frame for frame in decoded if frame.pts is None or frame.pts >= begin)
            timed = _timed(wanted, video, span, self._damage, joined=False)
            for number, frame in enumerate(islice(timed, stop - first), first):
                if frame.pts + span.ticks(self._time_base) != self._times[number]:
                    raise damaged
                yield TimedFrame(convert(frame.image), frame.pts, frame.duration)
            if number != stop - 1 or self._damage.within(begin * self._time_base, None):
                raise damaged

    def _whole(self, reader: InputContainer, video: VideoStream, *, sought: bool = False) -> Frames:
        return whole_frames(reader, video, self.path, self._damage, size=self._first, sought=sought)

    def _decoded(self, reader: InputContainer, video: VideoStream, span: Span) -> Frames:
        """Yield decoded frames, from a little before the span's beginning on."""
        self._damage.parts.clear()
        frames = self._sought(reader, video, span.begin) if span.begin else self._whole(reader, video)
        return _deinterlaced(frames, time_base(video)) if self._interlaced else frames

    def _sought(self, reader: InputContainer, video: VideoStream, begin: Fraction) -> Frames:
        """Yield frames from a key frame at `begin` or before it on, in seconds."""
        import av

        with suppress(av.FFmpegError):  # a file without an index is read from its beginning
            reader.seek(max(0, int((begin - 1) * 1_000_000)))
        frames = self._whole(reader, video, sought=True)
        first = next(frames, None)
        if first is not None and first.time is not None and first.time <= begin:
            yield first
            yield from frames
            return
        with open_container(self.path, self.max_pixels) as again:  # it went too far
            self._damage.parts.clear()
            yield from self._whole(again, video_stream(again, self.path))


class _Convert:
    """From a decoded frame to RGB (H, W, 3) uint8, upright."""

    def __init__(self, size: tuple[int, int], orientation: Orientation, matrix: int, hdr: int | None) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        self._size, self._orientation, self._matrix = size, orientation, matrix
        self._tone_map = ToneMap(hdr) if hdr else None
        self._to_rgb = VideoReformatter()
        # Without these two the colour of a whole 2x2 block would come from one sample.
        exact = Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
        # Where only colour is enlarged, bilinear takes half the time, and a tenth of a value lies between the two.
        self._same_size, self._resized = Interpolation.BILINEAR | exact, Interpolation.BICUBIC | exact

    def __call__(self, frame: VideoFrame) -> Pixels:
        frame.colorspace = colour_matrix(frame, self._matrix)
        format = "rgb48le" if self._tone_map else "rgb24"
        how = self._same_size if (frame.width, frame.height) == self._size else self._resized
        rgb = self._to_rgb.reformat(frame, *self._size, format, interpolation=how)
        shown = self._tone_map(rgb.to_ndarray()) if self._tone_map else _in_place(rgb)  # type: ignore[arg-type]
        return np.ascontiguousarray(self._orientation.upright(shown))


def _in_place(frame: VideoFrame) -> Pixels:
    """The pixels (H, W, 3) of an RGB frame where they lie; copying them takes as long as a third of the conversion."""
    plane = frame.planes[0]
    rows = np.asarray(memoryview(plane)).reshape(frame.height, plane.line_size)
    pixels: Pixels = rows[:, : 3 * frame.width].reshape(frame.height, frame.width, 3)
    return pixels


def _first_frame(source: Path, max_pixels: int) -> VideoFrame:
    """The size, rotation and colours that the result is set up with; they are sure only in a decoded frame."""
    with open_container(source, max_pixels) as reader:
        for frame in whole_frames(reader, video_stream(reader, source), source, Damage()):
            return frame
    raise SakugaError(f"{source} has no frame that can be decoded: get a whole copy of it")


def _deinterlaced(frames: Iterable[VideoFrame], base: Fraction) -> Frames:
    """Fill every other line from its neighbours in space and time (libav's bwdif), a frame for a frame."""
    from av.filter import Graph

    for (width, height, pixels), alike in groupby(frames, lambda frame: (frame.width, frame.height, frame.format.name)):
        graph = Graph()
        lines = graph.add("bwdif", "mode=send_frame:deint=interlaced")
        begin = graph.add_buffer(width=width, height=height, format=pixels, time_base=base)
        graph.link_nodes(begin, lines, graph.add("buffersink")).configure()
        for frame in alike:
            if frame.pts is None:
                frame.pts = frame.dts
            graph.vpush(frame)
            yield from _finished(graph)
        graph.vpush(None)
        yield from _finished(graph)


def _finished(graph: Graph) -> Frames:
    import av

    with suppress(av.error.BlockingIOError, av.error.EOFError):
        while True:
            yield graph.vpull()


def _timed(
    frames: Iterable[VideoFrame], video: VideoStream, span: Span, damage: Damage, *, joined: bool
) -> Iterator[TimedFrame[VideoFrame]]:
    """Give the frames of the span their times, which always advance, and durations, in the stream's ticks."""
    base = time_base(video)
    mean = max(1, round(1 / frame_rate(video) / base))
    shift = span.ticks(base)
    begin = None if span.begin is None else span.begin / base
    stop = None if span.end is None else span.end / base
    cut = None if span.end is None else round(span.end / base) - shift
    before: TimedFrame[VideoFrame] | None = None
    for frame in frames:
        time = frame.dts if frame.pts is None else round(frame.pts * (fraction(frame.time_base) or base) / base)
        if time is None:  # the next one that can be
            time = shift if before is None else before.pts + mean + shift
        if begin is not None and time < begin:
            continue
        over = stop is not None and time >= stop
        time -= shift
        if before:
            time = max(time, before.pts + 1)
            yield replace(before, duration=(min(time, cut) if over and cut else time) - before.pts)
        if over:
            return
        before = TimedFrame(frame, time, mean)
    if before:
        said = None if damage.cut or joined else video.duration
        end = None if said is None else (video.start_time or 0) + said - shift
        end = min((each for each in (end, cut) if each is not None), default=0)
        yield replace(before, duration=end - before.pts if end > before.pts else mean)
