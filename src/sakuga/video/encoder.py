"""RGB frames in, packets of a video codec out."""

from __future__ import annotations

import os
from fractions import Fraction
from heapq import heappop, heappush
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from sakuga.video.options import Codec
from sakuga.video.timed_frames import Pixels, StreamInfo, TimedFrame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av import Packet, VideoFrame
    from av.container import OutputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

_LIMITED = 1  # the range of the colours, as FFmpeg numbers it
THREADS = 4
"""Of an encoder: as many on every machine, because results can depend on it."""


def add_stream(writer: OutputContainer, info: StreamInfo, codec: Codec, crf: int | None) -> VideoStream:
    """Add the stream to a container that packets of an Encoder of the same StreamInfo can be written to."""
    stream: VideoStream = writer.add_stream(codec.encoder, rate=info.rate)  # type: ignore[assignment]
    _set_up(stream.codec_context, info, codec, crf)
    stream.time_base = info.time_base
    stream.metadata.update(info.metadata)
    return stream


def _set_up(context: VideoCodecContext, info: StreamInfo, codec: Codec, crf: int | None) -> None:
    os.environ.setdefault("SVT_LOG", "1")  # errors alone: the AV1 encoder does not speak through libav
    context.width, context.height = info.width, info.height
    odd = info.width % 2 or info.height % 2
    context.pix_fmt = "yuv444p" if odd and not codec.subsampled_odd else "yuv420p"
    context.options = {"crf": str(codec.crf if crf is None else crf), **codec.options}
    context.thread_count = THREADS
    context.time_base, context.framerate = info.time_base, info.rate
    if info.aspect:
        context.sample_aspect_ratio = info.aspect
    context.colorspace, context.color_range = info.matrix, _LIMITED
    context.color_primaries, context.color_trc = info.primaries, info.transfer


class ToFrame:
    """From RGB (H, W, 3) uint8 to frames of another pixel format, with their time and length."""

    def __init__(self, info: StreamInfo, pix_fmt: str) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        self._info, self._pix_fmt, self._reformatter = info, pix_fmt, VideoReformatter()
        # Not ACCURATE_RND, which takes a third longer and changes one value in eighty by 1.
        self._interpolation = Interpolation.BICUBIC

    def __call__(self, timed: TimedFrame[Pixels]) -> VideoFrame:
        """Convert one frame."""
        import av

        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(timed.image), format="rgb24")
        frame.colorspace = self._info.matrix
        how = {"dst_color_range": _LIMITED, "interpolation": self._interpolation}
        frame = self._reformatter.reformat(frame, format=self._pix_fmt, **how)
        frame.pts, frame.duration, frame.time_base = timed.pts, timed.duration, self._info.time_base
        return frame


class Encoder:
    """One encoder from its first frame to its last; the packets carry no decoding times yet."""

    def __init__(self, info: StreamInfo, codec: Codec, crf: int | None) -> None:
        import av
        from av.codec.context import Flags

        self._context: VideoCodecContext = av.CodecContext.create(codec.encoder, "w")  # type: ignore[assignment]
        _set_up(self._context, info, codec, crf)
        self._context.flags |= Flags.global_header
        self._to_frame = ToFrame(info, self._context.pix_fmt or "yuv420p")
        self._durations: dict[int, int] = {}

    def encode(self, timed: TimedFrame[Pixels]) -> list[Packet]:
        """Encode a frame; gives the packets of earlier ones."""
        self._durations[timed.pts] = timed.duration
        return [self._timed(packet) for packet in self._context.encode(self._to_frame(timed))]

    def rest(self) -> list[Packet]:
        """Empty the encoder."""
        return [self._timed(packet) for packet in self._context.encode(None)]

    def _timed(self, packet: Packet) -> Packet:
        packet.duration = self._durations.pop(packet.pts or 0)
        return packet


def with_decoding_times(packets: Iterable[Packet], delay: int, time_base: Fraction) -> Iterator[Packet]:
    """Give packets in decoding order the times at which to decode them, as one encoder would have done for all.

    They are the times at which frames are shown, `delay` frames earlier; those of the first ones lie before the first.
    """
    packets = iter(packets)
    early = list(islice(packets, 1))
    times: list[int] = []
    if not early:
        return
    first, step = early[0].pts or 0, max(1, early[0].duration or 1)
    for number, packet in enumerate(chain(early, packets)):
        heappush(times, packet.pts or 0)
        packet.dts = heappop(times) if number >= delay else first - (delay - number) * step
        packet.time_base = time_base
        yield packet
