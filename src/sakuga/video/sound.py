"""Sound: decoded to find what of it is damaged, and where a container does not hold it, encoded as AAC or Opus."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from sakuga.video.av_compat import fraction
from sakuga.video.damage import Damage

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler, Packet
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

    from sakuga.video.source import Span

ENCODERS = {"webm": "libopus"}
"""What sound becomes in a container, by its muxer; in all others AAC."""

_RATES = {"aac": (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000), "libopus": (48000,)}
_BITS = 96_000  # a second, of each channel


_SLACK = 60  # seconds of sound beyond what a stream's times have room for
_GAP = Fraction(1, 20)  # seconds, and more than two packets: what is missing where nothing else tells of damage
_ZEROS = ("opus", "vorbis")  # decoders that take zeros, of which no encoder makes as many, for silence
_MIN_ZEROS = 16


class SoundDecoder:
    """Decodes the packets of a stream of sound in order, and notes in `damage` which of them cannot be.

    Its times are those of the packets, `shift` seconds later.
    """

    def __init__(self, stream: AudioStream, damage: Damage, shift: Fraction) -> None:
        self._damage, self._shift, self._codec = damage, shift, stream.codec_context.name
        # Others may have gaps: Matroska's times are free, and nothing is sent of a muted microphone.
        self._gapless = any(name in stream.container.format.name for name in ("mp4", "avi", "mpeg"))
        self._first: Fraction | None = None
        self._bad: Fraction | None = None  # when the packet before begins, where it is damaged
        self._end: Fraction | None = None
        self._decoded = self._longest = Fraction(0)

    def decode(self, packet: Packet) -> list[AudioFrame] | None:
        """Return the frames of a packet; None for one that is damaged."""
        time = packet.dts if packet.pts is None else packet.pts
        begin = self._shift + time * packet.time_base if time is not None else self._end or self._shift
        self._first = begin if self._first is None else self._first
        if self._bad is not None:
            self._damage.add(self._bad, begin)
        elif self._gapless and self._end is not None and begin > self._end + max(_GAP, 2 * self._longest):
            self._damage.add(self._end, begin)
        frames = self._frames(packet, begin - self._first)
        lasts = max(
            (packet.duration or 0) * packet.time_base,
            sum((Fraction(frame.samples, frame.sample_rate or 1) for frame in frames or ()), Fraction(0)),
        )
        self._decoded, self._longest = self._decoded + lasts, max(self._longest, lasts)
        self._end = max(self._end or begin, begin + lasts)
        self._bad = begin if frames is None else None
        if frames is None:
            self._damage.add(begin, self._end)
        return frames

    def _frames(self, packet: Packet, elapsed: Fraction) -> list[AudioFrame] | None:
        import av

        # A few bytes can hold seconds of silence, and there can be millions of them.
        if packet.is_corrupt or self._decoded > 2 * elapsed + _SLACK:
            return None
        if self._codec in _ZEROS and packet.size >= _MIN_ZEROS and not any(bytes(packet)):
            return None
        try:
            frames: list[AudioFrame] = packet.decode()  # type: ignore[assignment]
        except av.FFmpegError:
            return None
        return None if any(frame.is_corrupt for frame in frames) else frames

    def check_end(self, said: Fraction | None, span: Span) -> None:
        """Note what is missing where the stream ends well before what its header has `said`."""
        whole = span.begin is None and span.end is None
        if said is None or (self._end is None and not whole):  # one packet may be longer than the span
            return
        end = span.origin if self._end is None else self._end
        said = said if span.end is None else min(said, span.end)
        near = end >= said - max(Fraction(1, 4), said / 100) - self._longest
        if end < said and (self._bad is not None or not near):
            self._damage.add(end, said)


class SoundEncoder:
    """Encodes the frames of a stream of sound into a new one, at the same times.

    Of more than two channels 5.1 or stereo is made.
    """

    def __init__(self, source: AudioStream, writer: OutputContainer, encoder: str) -> None:
        context, rates = source.codec_context, _RATES[encoder]
        channels = 1 if context.layout.nb_channels == 1 else 6 if context.layout.nb_channels >= 6 else 2
        self.stream: AudioStream = writer.add_stream(  # type: ignore[assignment]
            encoder,
            rate=context.rate if context.rate in rates else rates[0],
            layout={1: "mono", 2: "stereo", 6: "5.1"}[channels],
            bit_rate=channels * _BITS,
        )
        self._resampler: AudioResampler | None = None
        self._last: int | None = None

    def encode(self, frames: list[AudioFrame]) -> list[Packet]:
        """Return the packets that more frames complete."""
        return self._in_order([new for frame in frames for new in self._encode(frame)])

    def rest(self) -> list[Packet]:
        """Empty the encoder."""
        return self._in_order([*self._resampled(None), *self.stream.encode(None)])

    def _encode(self, frame: AudioFrame) -> list[Packet]:
        base = fraction(frame.time_base)
        if frame.pts is not None and base:
            # The resampler counts in the frames' time base, of which a tick, as AVI's, can be longer than our packets.
            frame.pts, frame.time_base = round(frame.pts * base * frame.sample_rate), Fraction(1, frame.sample_rate)
        try:
            return self._resampled(frame)
        except ValueError:  # the sound has changed its rate or channels
            rest = self._resampled(None)
            self._resampler = None
            return [*rest, *self._resampled(frame)]

    def _resampled(self, frame: AudioFrame | None) -> list[Packet]:
        from av import AudioResampler

        context = self.stream.codec_context
        if self._resampler is None:
            if frame is None:
                return []
            context.open(strict=False)
            size = context.frame_size
            self._resampler = AudioResampler(context.format, context.layout, context.rate, size)
        return [packet for part in self._resampler.resample(frame) for packet in self.stream.encode(part)]

    def _in_order(self, packets: list[Packet]) -> list[Packet]:
        for packet in packets:
            self._last = follow(packet, self._last)
        return packets


def follow(packet: Packet, last: int | None) -> int | None:
    """Have a packet of sound begin after the one that begins at `last`, and return when it does.

    The times of some sound overlap, or are too coarse to tell one packet from the next, and MP4 refuses that.
    """
    if packet.dts is None:
        return last
    if last is not None and packet.dts <= last:
        packet.dts = last + 1
    packet.pts = packet.dts if packet.pts is None else max(packet.pts, packet.dts)
    return packet.dts
