"""An animated picture (GIF, WebP, PNG, AVIF) as a video, or as numbered pictures."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import numpy as np

from sakuga.errors import UsageError
from sakuga.picture import MAX_PIXELS, READABLE_SUFFIXES, Frame, read, read_header
from sakuga.picture.arrays import resize
from sakuga.picture.pixels import Array, in_srgb, over_white, to8
from sakuga.video.options import CONTAINERS, VideoOptions, is_sequence
from sakuga.video.timed_frames import BT601, BT709, Pixels, StreamInfo, TimedFrame, fitted, resample, ticks_for

_TICK = Fraction(1, 90_000)
"""Seconds: the clock of MPEG, in which hundredths, milliseconds and the usual rates are whole numbers."""
_TOO_SHORT, _DEFAULT = 10, 100
"""Milliseconds: what is no time to show a frame for, and what browsers take instead."""


def becomes_video(source: Path, target: Path) -> bool:
    """Whether a picture is to become a video or numbered pictures, by its result's name.

    A still picture does not become numbered ones: 100%done.png is a name. Raises SakugaError for a source that cannot
    be read.
    """
    if target.suffix.lower() in CONTAINERS:
        return source.suffix.lower() in READABLE_SUFFIXES
    if not is_sequence(target) or not source.is_file():
        return False
    header = read_header(source, max_pixels=None)
    return header.frames > 1 or header.format == "GIF"


class AnimatedSource:
    """The frames of a picture, each for as long as it says, in sRGB and on white; or with their alpha beside them.

    Raises SakugaError for a picture that cannot be read, UsageError for one that is to be a video and does not move.
    """

    def __init__(
        self, path: Path, options: VideoOptions, max_side: int | None, *, pages: bool, max_pixels: int = MAX_PIXELS
    ) -> None:
        """`pages`: numbered pictures are made, each for itself, which may be transparent."""
        picture = read(path, max_pixels=max_pixels)
        if not pages and picture.format == "TIFF":
            remedy = "name the output .tif, or %03d.png for each alone"
            raise UsageError(f"{path} holds pages, which are no video: {remedy}")
        if not pages and len(picture.frames) == 1 and picture.format != "GIF":
            raise UsageError(f"{path} is one picture and no video: name the output .png or .jpg")
        self._icc, self._max_side, self._pages = picture.icc, max_side, pages
        self._frames = _within(_timed(picture.frames), options)
        if not self._frames:
            raise UsageError(f"--start {options.start} lies behind the end of {path}")
        base, last = _TICK, self._frames[-1]
        rate = len(self._frames) / ((last.pts + last.duration) * base)
        if options.rate:
            self._frames = list(resample(self._frames, base, options.rate))
            base, rate = ticks_for(options.rate), options.rate
        height, width = picture.frames[0].rgb.shape[:2]
        width, height = fitted(width, height, max_side)
        matrix = BT709 if height >= 720 else BT601
        total = len(self._frames)
        self.info = StreamInfo(width, height, base, rate, matrix=matrix, total=total, variable=not options.rate)

    def frames(self, skip: int = 0) -> Generator[TimedFrame[Pixels], None, None]:
        """Yield the frames in order but for the first `skip`; a frame that comes several times is the same array."""
        before: Frame | None = None
        for timed in self._frames[skip:]:
            frame = timed.image
            if frame is not before:
                before, rgb = frame, in_srgb(to8(frame.rgb) if self._pages else over_white(frame), self._icc)
                rgb = self._fitted(rgb)
            yield TimedFrame(rgb, timed.pts, timed.duration)

    def alpha(self, number: int) -> Array | None:
        """The alpha (H, W) uint8 of a frame, counted from 0."""
        alpha = self._frames[number].image.alpha
        return None if alpha is None else self._fitted(to8(alpha))

    def _fitted(self, pixels: Array) -> Pixels:
        size = fitted(pixels.shape[1], pixels.shape[0], self._max_side)
        return pixels if pixels.shape[1::-1] == size else np.asarray(resize(pixels, size))


def _timed(frames: list[Frame]) -> list[TimedFrame[Frame]]:
    """Each frame from when on and for how long, in ticks; no rounding adds up."""
    timed, time = [], Fraction(0)
    for frame in frames:
        duration = Fraction(frame.duration).limit_denominator(1000)
        end = time + (duration if duration > _TOO_SHORT else Fraction(_DEFAULT)) / 1000
        pts = round(time / _TICK)
        timed.append(TimedFrame(frame, pts, round(end / _TICK) - pts))
        time = end
    return timed


def _within(frames: list[TimedFrame[Frame]], options: VideoOptions) -> list[TimedFrame[Frame]]:
    """What is shown in the part that was asked for, from time 0 on: of the frames at its edges only that much."""
    begin = round((options.begin or 0) / _TICK)
    end = frames[-1].pts + frames[-1].duration
    end = end if options.length is None else min(end, begin + round(options.length / _TICK))
    cut = [(each, max(begin, each.pts), min(end, each.pts + each.duration)) for each in frames]
    return [TimedFrame(each.image, first - begin, last - first) for each, first, last in cut if last > first]
