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

from sakuga.errors import SakugaError, UsageError
from sakuga.video.clock import Clock
from sakuga.video.container import open_container, packets, stream_end, video_stream
from sakuga.video.damage import Damage
from sakuga.video.encoder import add_stream, with_decoding_times
from sakuga.video.options import CONTAINERS, Codec, VideoOptions
from sakuga.video.sound import ENCODERS, SoundDecoder, SoundEncoder, follow
from sakuga.video.source import Span
from sakuga.video.timed_frames import StreamInfo

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

_BRANDS = {"major_brand", "minor_version", "compatible_brands"}  # of the source's container, not of its contents


class Muxer:
    """Puts a file together; `source` is None where there is nothing but pictures.

    Raises SakugaError, before any work, for sound that the container of `target` does not hold and that is not to be
    encoded again. What is encoded again or left out is said in a warning.
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
        self._copied: set[int] = set()
        self._encoded: set[int] = set()
        self.damage = Damage()
        """Of the sound, once the file is written."""
        if source is not None:
            with open_container(source) as reader:
                self._choose(reader, source, warn)
        with self._opened(io.BytesIO()) as (writer, _, _):
            writer.start_encoding()  # writes the header: what else the container cannot hold shows here

    def _choose(self, reader: InputContainer, source: Path, warn: Callable[[str], None]) -> None:
        """Choose which streams are copied, which encoded again and which left out; and say so."""
        audio, encoder = self._options.audio, ENCODERS.get(self._format, "aac")
        if audio == "aac" and encoder != "aac":
            remedy = "leave out --audio, which makes it Opus, or name the output .mkv or .mp4"
            raise UsageError(f"{self._target} cannot hold AAC: {remedy}")
        changed, lost = [], []
        for stream in () if audio == "none" else reader.streams.audio:
            if audio != "aac" and _fits(stream, self._format):
                self._copied.add(stream.index)
            elif audio == "copy":
                holds = self._format != "matroska" and _fits(stream, "matroska")
                remedy = f"name the output {self._target.stem}.mkv, or leave" if holds else "leave"
                codec = _kind(stream)
                sentence = f"the sound of {source} ({codec}) cannot be copied into {self._target.suffix}"
                raise SakugaError(f"{sentence}: {remedy} out --audio copy, and it is encoded again")
            elif stream.codec_context is None:
                lost.append(f"sound that cannot be decoded ({stream.index})")
            else:
                self._encoded.add(stream.index)
                changed.append(_kind(stream))
        if changed and audio is None:
            made = {"aac": "AAC", "libopus": "Opus"}[encoder]
            kinds = ", ".join(changed)
            warn(f"{source} has sound ({kinds}) that does not fit into {self._target.suffix}: it becomes {made}")
        others: tuple[Stream, ...] = (*reader.streams.subtitles, *reader.streams.attachments)
        for other in others:
            # Of attachments FFmpeg says that WebM takes them, and then does not write them.
            if (other.type != "attachment" or self._format == "matroska") and _fits(other, self._format):
                self._copied.add(other.index)
            else:
                lost.append(_kind(other))
        if lost:
            remedy = "" if self._format == "matroska" else f"; -o {self._target.stem}.mkv would keep them"
            warn(f"{source} has what {self._target.suffix} does not hold, which is left out: {', '.join(lost)}{remedy}")

    def write(self, path: Path, pictures: Iterable[Packet]) -> None:
        """Write the file `path` of packets in decoding order that an Encoder made."""
        with self._opened(path) as (writer, reader, streams):
            video = writer.streams.video[0]
            waiting = with_decoding_times(pictures, self._codec.delay, self._info.time_base)
            next_one = next(waiting, None)

            def mux_until(time: Fraction | None) -> None:
                nonlocal next_one
                while next_one is not None and (time is None or (next_one.dts or 0) * self._info.time_base <= time):
                    next_one.stream = video
                    writer.mux(next_one)
                    next_one = next(waiting, None)

            if reader is not None and streams and self._source is not None:
                span, last = Span(reader, self._options), dict.fromkeys(streams, -(2**63))
                written: dict[int, int | None] = {}
                decoders = {
                    stream.index: SoundDecoder(stream, self.damage, span.shift)
                    for stream in reader.streams.audio
                    if stream.index in streams and stream.codec_context
                }
                for packet in _in_span(reader, self._source, span, streams):
                    index, stream = packet.stream_index, streams[packet.stream_index]
                    frames = decoders[index].decode(packet) if index in decoders else []
                    if frames is None:
                        continue
                    if isinstance(stream, SoundEncoder):
                        new = stream.encode(frames)
                    elif packet.dts is None or packet.dts < last[index]:  # damaged, or a clock that was set back
                        continue
                    else:
                        last[index], new = packet.dts, [packet]
                        packet.stream = stream
                        if index in decoders:
                            written[index] = follow(packet, written.get(index))
                    for each in new:
                        if each.dts is not None:
                            mux_until(each.dts * each.time_base)
                        writer.mux(each)
                for stream in streams.values():
                    if isinstance(stream, SoundEncoder):
                        writer.mux(stream.rest())
                for index, decoder in decoders.items():
                    decoder.check_end(stream_end(reader, index), span)
            mux_until(None)

    @contextmanager
    def _opened(
        self, file: Path | io.BytesIO
    ) -> Iterator[tuple[OutputContainer, InputContainer | None, dict[int, Stream | SoundEncoder]]]:
        """Yield the container with all its streams, the source, and what becomes of the source's streams by index."""
        import av

        name: Any = f"file:{file}" if isinstance(file, Path) else file
        with (
            _writing(self._target),
            av.open(name, "w", format=self._format, container_options=self._settings()) as writer,
        ):
            add_stream(writer, self._info, self._codec, self._options.crf)
            if self._source is None:
                yield writer, None, {}
                return
            with open_container(self._source) as reader:
                span = Span(reader, self._options)
                writer.metadata.update({key: text for key, text in reader.metadata.items() if key not in _BRANDS})
                _copy_chapters(reader, writer, span)
                streams: dict[int, Stream | SoundEncoder] = {}
                new: Stream
                for stream in reader.streams:
                    if stream.index in self._encoded:
                        encoder = SoundEncoder(stream, writer, ENCODERS.get(self._format, "aac"))  # type: ignore[arg-type]
                        streams[stream.index], new = encoder, encoder.stream
                    elif stream.index in self._copied:
                        streams[stream.index] = new = writer.add_stream_from_template(stream)
                    else:
                        continue
                    new.metadata.update(stream.metadata)
                    new.disposition = stream.disposition
                yield writer, reader, streams

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


def _fits(stream: Stream, format: str) -> bool:
    """Whether a container takes a stream as it is: FFmpeg knows only when it has written the header."""
    import av

    context: Any = stream.codec_context
    # Of PCM MP4 says which speakers it is for, which not every file does; but it says so when all is done.
    if format == "mp4" and context and context.name.startswith("pcm_") and context.layout.name.endswith("channels"):
        return False
    try:
        with av.open(io.BytesIO(), "w", format=format) as writer:
            writer.add_stream_from_template(stream)
            writer.start_encoding()
    except (ValueError, av.FFmpegError):
        return False
    return True


def _kind(stream: Stream) -> str:
    """What a stream is, in a few words: its codec or its name, and its language."""
    name = stream.metadata.get("filename") if stream.type == "attachment" else None
    codec = stream.codec_context.name if stream.codec_context else "of an unknown kind"
    return " ".join(filter(None, (name or codec, stream.metadata.get("language"))))


def _in_span(reader: InputContainer, source: Path, span: Span, streams: Iterable[int]) -> Iterator[Packet]:
    """Yield the packets of those streams that lie in the span, or for subtitles reach into it, at their new times.

    Where the source cannot be read on they end; that is noticed, and told, with the pictures.
    """
    begin, end = span.begin, span.end
    if begin:
        import av

        with suppress(av.FFmpegError):  # a file without an index is read from its beginning
            reader.seek(max(0, int((begin - 30) * 1_000_000)))  # a subtitle can have begun well before
    with suppress(SakugaError):
        clock = Clock(reader, sought=begin is not None)
        for packet in packets(reader, video_stream(reader, source), source, clock):
            time = packet.dts if packet.pts is None else packet.pts
            shown = Fraction(0) if time is None else time * packet.time_base
            if end is not None and shown >= end + 10:  # streams do not lie farther apart than that
                return
            if packet.stream_index not in streams or not packet.size:  # the last are empty: they only flush decoders
                continue
            if end is not None and shown >= end:
                continue
            if packet.stream.type == "subtitle":
                if packet.is_corrupt or not _trim(packet, shown, begin, end):
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
        message = f"{target} cannot be written ({error.strerror}): take another container or --audio none"
        raise SakugaError(message) from error
