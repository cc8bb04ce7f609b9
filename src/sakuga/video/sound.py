"""Sound that a container does not hold, encoded again as one that it does: AAC, in WebM Opus."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler, Packet
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

ENCODERS = {"webm": "libopus"}
"""What sound becomes in a container, by its muxer; in all others AAC."""

_RATES = {"aac": (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000), "libopus": (48000,)}
_BITS = 96_000  # a second, of each channel


class SoundEncoder:
    """Decodes the packets of a stream of sound and encodes them into a new one, at the same times.

    Packets that cannot be decoded are left out. Of more than two channels 5.1 or stereo is made.
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

    def encode(self, packet: Packet) -> list[Packet]:
        """Return the packets that another one of the source, the empty one at its end too, completes."""
        import av

        try:
            frames = packet.decode()
        except av.FFmpegError:
            return []
        return [new for frame in frames for new in self._encode(frame)]  # type: ignore[arg-type]

    def rest(self) -> list[Packet]:
        """Empty the encoder."""
        return [*self._resampled(None), *self.stream.encode(None)]

    def _encode(self, frame: AudioFrame) -> list[Packet]:
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
