"""A part of a long video, made by one of several machines: segments in the work folder of the result.

`stylize_video` on the same source and target then finds them finished, goes on from there, and joins them. Whatever is
missing it makes itself, so that no part has to come to its end.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sakuga.errors import SakugaError
from sakuga.picture import READABLE_SUFFIXES
from sakuga.video.container import MAX_FRAME_PIXELS, open_container
from sakuga.video.encoder import Encoder
from sakuga.video.options import CONTAINERS, VideoOptions, is_pattern
from sakuga.video.segments import LENGTH, WorkFolder
from sakuga.video.source import FileSource
from sakuga.video.stylize import facts_of, write_segments
from sakuga.video.stylizing import FrameStylizer, Stylize
from sakuga.video.timed_frames import Pixels, TimedFrame

MIN_SECONDS = 60
"""Of a video that is worth dividing."""


def is_long(source: Path, target: Path, options: VideoOptions) -> bool:
    """Whether a video is to be divided: it is long, and its frames do not depend on those before them."""
    if options.stable or options.start or options.duration or options.fps or target.suffix.lower() not in CONTAINERS:
        return False
    if is_pattern(source) or source.suffix.lower() in READABLE_SUFFIXES:
        return False
    try:
        with open_container(source) as reader:
            return (reader.duration or 0) >= MIN_SECONDS * 1_000_000
    except SakugaError:  # which whoever makes it will tell
        return False


def stylize_part(
    source: Path,
    target: Path,
    stylize: Stylize,
    number: int,
    count: int,
    *,
    scale: int = 1,
    workers: int = 1,
    max_side: int | None = None,
    max_pixels: int | None = None,
    options: VideoOptions | None = None,
    identity: Mapping[str, Any],
) -> None:
    """Make part `number` of `count`, from 0 on, of what `stylize_video` with the same arguments makes of a file.

    Frames are found by their times, from the key frame before them on; where that is not sure, as in MPEG streams and
    interlaced ones, nothing is made. Segments that are there are kept. Raises SakugaError where frames are not where
    the file says: of a damaged one the number of a frame shows only when all before it are read.
    """
    options = options or VideoOptions()
    limit = max_pixels or MAX_FRAME_PIXELS
    frames = FileSource(source, max_side=max_side, options=options, warn=lambda _: None, max_pixels=limit)
    info = replace(frames.info, width=frames.info.width * scale, height=frames.info.height * scale)
    codec = options.codec_for(target)
    codec = codec.in_order() if info.variable else codec
    work = WorkFolder(target, facts_of(source, info, options, identity), shared=True)
    try:
        segments = -(-frames.count // LENGTH)
        for first, stop in _gaps(work, segments * number // count, segments * (number + 1) // count):
            part = _Part(frames, min(stop * LENGTH, frames.count))
            write = partial(write_segments, work, first, partial(Encoder, info, codec, options.crf))
            FrameStylizer(part, stylize, scale, workers=workers, done=first * LENGTH).run(write)
    finally:
        work.release()


class _Part:
    """Frames of a file up to one of them."""

    def __init__(self, source: FileSource, stop: int) -> None:
        self.info, self._source, self._stop = source.info, source, stop

    def frames(self, skip: int = 0) -> Generator[TimedFrame[Pixels], None, None]:
        """Yield the frames in order, but for the first `skip`."""
        with closing(self._source.part(skip, self._stop)) as frames:
            yield from frames


def _gaps(work: WorkFolder, first: int, stop: int) -> Iterable[tuple[int, int]]:
    """Yield from where to where segments are missing."""
    number = first
    while number < stop:
        end = number
        while end < stop and not work.has(end):
            end += 1
        if end > number:
            yield number, end
        number = end + 1
