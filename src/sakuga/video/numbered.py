"""Numbered pictures as a video, and a video as numbered pictures."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sakuga.errors import SakugaError, UsageError
from sakuga.picture import MAX_PIXELS, read
from sakuga.picture import write as write_picture
from sakuga.picture.arrays import resize
from sakuga.picture.pixels import Array, in_srgb, over_white
from sakuga.picture.types import Frame, Picture
from sakuga.runtime.atomic import check_free
from sakuga.runtime.home import expand_user
from sakuga.video.options import NUMBER, VideoOptions, is_sequence, numbered
from sakuga.video.timed_frames import BT601, BT709, Pixels, StreamInfo, TimedFrame, fitted, ticks_for

RATE = Fraction(25)
"""Frames a second where nothing else is said."""


def sequence(pattern: Path) -> list[Path]:
    """Return the pictures that a pattern means, in their order.

    frames/%05d.png: 5 digits at least, from the smallest number on until one is missing. frames/*.png: by their names,
    numbers in them by their value. Raises SakugaError where there are none.
    """
    name = pattern.name
    if not is_sequence(name):
        found = [Path(each) for each in glob.glob(str(expand_user(pattern)))]
        found = sorted(each for each in found if each.is_file())
        found.sort(key=lambda path: [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.name)])
    else:
        (place,) = (found for found in NUMBER.finditer(name) if found[0] != "%%")
        before, after = (re.escape(part.replace("%%", "%")) for part in (name[: place.start()], name[place.end() :]))
        folder = pattern.parent if pattern.parent.is_dir() else None
        matches = (re.fullmatch(f"{before}(\\d+){after}", each.name) for each in folder.iterdir()) if folder else ()
        numbers = {int(match[1]) for match in matches if match and match[0] == numbered(name, int(match[1]))}
        first = min(numbers, default=0)
        found = [pattern.with_name(numbered(name, n)) for n in range(first, first + len(numbers)) if n in numbers]
        if len(found) < len(numbers):
            remedy = f"number the pictures in one go, or name them with a * instead of {pattern.name}"
            raise SakugaError(f"{pattern} has a gap after {_last_before_gap(numbers)}: {remedy}")
    if not found:
        raise SakugaError(f"{pattern} stands for no picture that is there: check the path")
    return found


def _last_before_gap(numbers: set[int]) -> int:
    return next(n for n in sorted(numbers) if n + 1 not in numbers)


class NumberedSource:
    """Pictures of the same size as frames of a video, in sRGB, and on white where they are transparent.

    Raises UsageError for options that only files of video have, SakugaError for a picture that cannot be read.
    """

    def __init__(
        self, pattern: Path, options: VideoOptions, max_side: int | None, max_pixels: int = MAX_PIXELS
    ) -> None:
        self._max_pixels = max_pixels
        self._rate = options.rate or RATE
        paths = sequence(pattern)
        first = round((options.begin or 0) * self._rate)
        count = len(paths) if options.length is None else max(1, round(options.length * self._rate))
        self._paths = paths[first : first + count]
        if not self._paths:
            length = float(len(paths) / self._rate)
            raise UsageError(f"--start {options.start} lies behind the end of {pattern}, which lasts {length:.1f} s")
        self._source_size = self._read(self._paths[0]).shape
        height, width = self._source_size[:2]
        self._size = fitted(width, height, max_side)
        self.info = StreamInfo(
            *self._size,
            ticks_for(self._rate),
            self._rate,
            matrix=BT709 if self._size[1] >= 720 else BT601,
            total=len(self._paths),
        )

    def frames(self, skip: int = 0) -> Generator[TimedFrame[Pixels], None, None]:
        """Yield the pictures in order but for the first `skip`."""
        step = round(1 / self._rate / self.info.time_base)
        for number, path in enumerate(self._paths[skip:], skip):
            rgb = self._read(path)
            if rgb.shape != self._source_size:
                height, width = self._source_size[:2]
                first = f"{self._paths[0].name} ({width}x{height})"
                size = f"{rgb.shape[1]}x{rgb.shape[0]}"
                raise SakugaError(f"{path} is {size}, unlike {first}: the frames of a video have one size")
            if rgb.shape[1::-1] != self._size:
                rgb = np.asarray(Image.fromarray(rgb).resize(self._size, Image.Resampling.LANCZOS))
            yield TimedFrame(rgb, number * step, step)

    def _read(self, path: Path) -> Pixels:
        picture = read(path, max_pixels=self._max_pixels, still=True)
        return in_srgb(over_white(picture.frames[0]), picture.icc)


@contextmanager
def write_numbered(
    pattern: Path, *, alpha: Callable[[int], Array | None] | None = None, overwrite: bool = False
) -> Iterator[Callable[[Iterable[tuple[TimedFrame[Pixels], Any]]], None]]:
    """Yield a function that writes frames as pictures numbered from 1; when anything fails, those are removed again.

    Each is written whole or not at all. `alpha` gives that of a frame, counted from 0. Raises SakugaError where one
    exists (unless `overwrite`) or cannot be written.
    """
    written: list[Path] = []

    def write(frames: Iterable[tuple[TimedFrame[Pixels], Any]]) -> None:
        for number, (frame, _) in enumerate(frames, 1):
            target = pattern.with_name(numbered(pattern.name, number))
            beside = alpha(number - 1) if alpha else None
            if beside is not None and beside.shape != frame.image.shape[:2]:
                beside = resize(beside, frame.image.shape[1::-1])
            write_picture(Picture([Frame(frame.image, beside)]), target, overwrite=overwrite)
            written.append(target)

    first = pattern.with_name(numbered(pattern.name, 1))
    check_free(first, overwrite)
    try:
        yield write
    except BaseException:
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise
