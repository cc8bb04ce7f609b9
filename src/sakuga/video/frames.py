"""Frames that are made here, and of no video, as a video or an animated picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sakuga.errors import UsageError
from sakuga.runtime.atomic import atomic
from sakuga.video.animation import write_animation
from sakuga.video.encoder import Encoder
from sakuga.video.mux import Muxer
from sakuga.video.options import ANIMATIONS, CONTAINERS, VideoOptions
from sakuga.video.timed_frames import BT601, BT709, Pixels, StreamInfo, TimedFrame, ticks_for

if TYPE_CHECKING:
    from av import Packet


def write_frames(frames: Iterable[Pixels], target: Path, *, rate: Fraction, overwrite: bool = False) -> None:
    """Write frames, RGB (H, W, 3) uint8 and at least one, to `target`, whole or not at all; `rate` in frames a second.

    Raises UsageError for another suffix than those of CONTAINERS and ANIMATIONS, SakugaError as `atomic` does.
    """
    suffix = target.suffix.lower()
    if suffix not in (*CONTAINERS, *ANIMATIONS):
        endings = ", ".join([*CONTAINERS, *ANIMATIONS])
        raise UsageError(f"{target} is not a name for a video that can be written: end it in {endings}")
    with atomic(target, overwrite=overwrite) as temporary:
        frames = iter(frames)
        first = next(frames)
        height, width = first.shape[:2]
        base = ticks_for(rate)
        info = StreamInfo(width, height, base, rate, matrix=BT709 if height >= 720 else BT601)
        step = round(1 / rate / base)
        timed = (TimedFrame(frame, number * step, step) for number, frame in enumerate(chain([first], frames)))
        if suffix in ANIMATIONS:
            write_animation(temporary, info, ((frame, None) for frame in timed))
            return
        options = VideoOptions()
        codec = options.codec_for(target)

        def packets() -> Iterator[Packet]:
            encoder = Encoder(info, codec, options.crf)
            for frame in timed:
                yield from encoder.encode(frame)
            yield from encoder.rest()

        Muxer(None, target, info, codec, options, lambda _: None).write(temporary, packets())
