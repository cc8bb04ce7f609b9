"""A video as an animated picture: GIF or WebP, written frame by frame by libav."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sakuga.video.encoder import ToFrame
from sakuga.video.options import ANIMATIONS
from sakuga.video.timed_frames import BT601, Pixels, StreamInfo, TimedFrame

if TYPE_CHECKING:
    from av import VideoFrame

_CENTISECOND = Fraction(1, 100)


def write_animation(path: Path, info: StreamInfo, frames: Iterable[tuple[TimedFrame[Pixels], Any]]) -> None:
    """Write frames to `path`, which plays for ever; each is shown as long as in the video.

    A GIF counts in hundredths of a second and no viewer shows a frame for less than two, so frames that would be
    shorter are left out. Its 256 colours are chosen anew for every frame.
    """
    import av

    gif = path.suffix.lower() == ".gif"
    info = replace(info, matrix=BT601)  # a WebP knows no other
    muxer = ANIMATIONS[path.suffix.lower()]
    with av.open(f"file:{path}", "w", format=muxer, container_options={"loop": "0"}) as writer:
        stream: Any = writer.add_stream("gif" if gif else "libwebp_anim", rate=info.rate)
        stream.width, stream.height = info.width, info.height
        stream.pix_fmt = "pal8" if gif else "yuv420p"
        base = _CENTISECOND if gif else Fraction(1, 1000)
        stream.time_base = stream.codec_context.time_base = base
        if not gif:
            stream.options = {"quality": "85", "compression_level": "2"}
        to_yuv = ToFrame(info, "yuv420p")
        first = last = end = None
        for timed, _ in frames:
            first = timed.pts if first is None else first
            time = round((timed.pts - first) * info.time_base / base)
            end = round((timed.pts + timed.duration - first) * info.time_base / base)
            if last is not None and time < last + (2 if gif else 1):
                continue
            frame: VideoFrame = _paletted(timed.image) if gif else to_yuv(timed)
            frame.pts, frame.time_base, frame.duration = time, base, max(1, end - time)
            last = time
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode())
    if not gif and last is not None and end is not None:
        _set_last_duration(path, max(1, end - last))


def _set_last_duration(path: Path, milliseconds: int) -> None:
    """Write how long the last frame of a WebP is shown, which libav has guessed, into its header (ANMF)."""
    with path.open("r+b") as file:
        file.seek(12)
        found = None
        while len(header := file.read(8)) == 8:
            if header[:4] == b"ANMF":
                found = file.tell()
            size = int.from_bytes(header[4:], "little")
            file.seek(size + size % 2, os.SEEK_CUR)
        if found is not None:  # a single frame is no animation
            file.seek(found + 12)
            file.write(milliseconds.to_bytes(3, "little"))


def _paletted(rgb: Pixels) -> VideoFrame:
    """Reduce a frame to the 256 colours that suit it best, mixed by error diffusion."""
    import av

    picture = Image.fromarray(rgb)
    small = picture.copy()
    small.thumbnail((256, 256))  # enough to find its colours, and many times quicker
    palette = small.quantize(256, Image.Quantize.MEDIANCUT)
    indices = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    colours = np.zeros((256, 4), np.uint8)
    colours[:, 0] = 255
    table = np.frombuffer(indices.palette.getdata()[1], np.uint8).reshape(-1, 3)  # type: ignore[union-attr]
    colours[: len(table), 1:] = table
    pair: Any = np.asarray(indices), colours
    return av.VideoFrame.from_ndarray(pair, format="pal8")
