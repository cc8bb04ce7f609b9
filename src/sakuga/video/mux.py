"""The finished file: stylized pictures, and sound, subtitles, chapters and titles as they were in the source."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakuga.errors import SakugaError
from sakuga.video.container import open_container, packets, video_stream
from sakuga.video.encoder import add_stream, with_decoding_times
from sakuga.video.options import CONTAINERS, Codec, VideoOptions
from sakuga.video.source import Span
from sakuga.video.timed_frames import StreamInfo

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

_BRANDS = {"major_brand", "minor_version", "compatible_brands"}  # of the source's container, not of its contents


class Muxer:
    """Puts a file together; `source` is None where there is nothing but pictures.

    Raises SakugaError, before any work, when the container of `target` does not hold the sound. Subtitles that it does
    not hold are left out with a warning.
    """

    def __init__(
        self,
        source: Path | None,
        target: Path,
        info: StreamInfo,
        codec: Codec,
        options: VideoOptions,
        warn: Callable[[str], None],
    ) -> None:
        self._source, self._target, self._info = source, target, info
        self._codec, self._options = codec, options
        self._format = CONTAINERS[target.suffix.lower()]
        with self._opened(io.BytesIO()) as (writer, _, _, left_out):
            writer.start_encoding()  # writes the header: what the container cannot hold shows here
        if left_out:
            kinds = ", ".join(left_out)
            remedy = "" if self._format == "matroska" else f"; -o {target.stem}.mkv would keep them"
            warn(f"subtitles of {source} that {target.suffix} does not hold are left out: {kinds}{remedy}")

    def write(self, path: Path, pictures: Iterable[Packet]) -> None:
        """Write the file `path` of packets in decoding order that an Encoder made."""
        with self._opened(path) as (writer, reader, copies, _):
            video = writer.streams.video[0]
            waiting = with_decoding_times(pictures, self._codec.delay, self._info.time_base)
            next_one = next(waiting, None)

            def mux_until(time: Fraction | None) -> None:
                nonlocal next_one
                while next_one is not None and (time is None or (next_one.dts or 0) * self._info.time_base <= time):
                    next_one.stream = video
                    writer.mux(next_one)
                    next_one = next(waiting, None)

            if reader is not None and copies and self._source is not None:
                span = Span(reader, self._options)
                for packet in _copied(reader, self._source, span, copies):
                    if packet.dts is not None:
                        mux_until(packet.dts * packet.time_base)
                    packet.stream = copies[packet.stream_index]
                    writer.mux(packet)
            mux_until(None)

    @contextmanager
    def _opened(
        self, file: Path | io.BytesIO
    ) -> Iterator[tuple[OutputContainer, InputContainer | None, dict[int, Stream], list[str]]]:
        """Yield the container with all its streams, the source, its streams' copies by index, and what is left out."""
        import av

        name: Any = f"file:{file}" if isinstance(file, Path) else file
        with (
            _writing(self._target),
            av.open(name, "w", format=self._format, container_options=self._settings()) as writer,
        ):
            add_stream(writer, self._info, self._codec, self._options.crf)
            if self._source is None:
                yield writer, None, {}, []
                return
            with open_container(self._source) as reader:
                span = Span(reader, self._options)
                writer.metadata.update({key: text for key, text in reader.metadata.items() if key not in _BRANDS})
                _copy_chapters(reader, writer, span)
                copies, left_out = _copied_streams(reader, writer, self._source, self._target)
                yield writer, reader, copies, left_out

    def _settings(self) -> dict[str, str]:
        """No random numbers (Matroska's identifiers); and what MP4 and MOV count time in.

        It is the frames' own time base for them and, for a late start, a multiple of it: left alone, the frames would
        get a multiple and the start would be rounded to milliseconds.
        """
        settings = {"fflags": "+bitexact"}
        if self._format in ("mp4", "mov"):
            ticks = self._info.time_base.denominator
            settings |= {"video_track_timescale": str(ticks), "movie_timescale": str(lcm(ticks, 1000))}
        return settings


def _copied_streams(
    reader: InputContainer, writer: OutputContainer, source: Path, target: Path
) -> tuple[dict[int, Stream], list[str]]:
    """Add a stream for every sound and every subtitle that the container holds; what is left out, in words."""
    copies: dict[int, Stream] = {}
    left_out = []
    for stream in (*reader.streams.audio, *reader.streams.subtitles):
        codec = stream.codec_context.name if stream.codec_context else "of an unknown kind"
        try:
            copy = writer.add_stream_from_template(stream)
        except ValueError as error:  # no such codec in this container, or a codec unknown to FFmpeg
            if stream.type == "subtitle":
                left_out.append(" ".join(filter(None, (codec, stream.metadata.get("language")))))
                continue
            remedy = "convert it first" if target.suffix == ".mkv" else f"use -o {target.stem}.mkv"
            raise SakugaError(f"the sound of {source} ({codec}) does not fit into {target.suffix}: {remedy}") from error
        copy.metadata.update(stream.metadata)
        copy.disposition = stream.disposition
        copies[stream.index] = copy
    return copies, left_out


def _copied(reader: InputContainer, source: Path, span: Span, copies: dict[int, Stream]) -> Iterator[Packet]:
    """Yield the packets that lie in the span, or for subtitles reach into it, at their new times."""
    begin, end = span.begin, span.end
    if begin:
        import av

        with suppress(av.FFmpegError):  # a file without an index is read from its beginning
            reader.seek(max(0, int((begin - 30) * 1_000_000)))  # a subtitle can have begun well before
    for packet in packets(reader, video_stream(reader, source), source):
        time = packet.dts if packet.pts is None else packet.pts
        shown = Fraction(0) if time is None else time * packet.time_base
        if end is not None and shown >= end + 10:  # streams do not lie farther apart than that
            return
        if packet.stream_index not in copies or not packet.size:  # the last are empty: they only flush decoders
            continue
        if end is not None and shown >= end:
            continue
        if copies[packet.stream_index].type == "subtitle":
            if not _trim(packet, shown, begin, end):
                continue
        elif begin is not None and shown < begin:
            continue
        _shift(packet, span)
        yield packet


def _trim(packet: Packet, shown: Fraction, begin: Fraction | None, end: Fraction | None) -> bool:
    """Cut a subtitle to the part between `begin` and `end`; whether anything of it is left."""
    first, last = shown, shown + (packet.duration or 0) * packet.time_base
    first = first if begin is None else max(first, begin)
    last = last if end is None else min(last, end)
    if first != shown:
        packet.pts = packet.dts = round(first / packet.time_base)
    packet.duration = round(max(last - first, Fraction(0)) / packet.time_base)
    return begin is None or shown >= begin or last > begin


def _copy_chapters(reader: InputContainer, writer: OutputContainer, span: Span) -> None:
    """Copy the chapters that lie in the span."""
    chapters = []
    for chapter in reader.chapters():
        base = chapter["time_base"] or Fraction(1, 1000)
        start, end = (chapter[edge] * base - span.shift for edge in ("start", "end"))
        if span.end is not None:
            end = min(end, span.end - span.shift)
        start = max(start, Fraction(0))
        if end > start:
            times = {"start": round(start / base), "end": round(end / base), "time_base": base}
            chapters.append({**chapter, **times})
    if chapters:
        writer.set_chapters(chapters)  # type: ignore[arg-type]


def _shift(packet: Packet, span: Span) -> None:
    ticks = span.ticks(packet.time_base)
    packet.pts = None if packet.pts is None else packet.pts - ticks
    packet.dts = None if packet.dts is None else packet.dts - ticks


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
