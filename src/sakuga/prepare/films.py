"""A film's frames: decoded once, looked at small, converted at full size only when they are kept."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from PIL import Image

from sakuga.errors import SakugaError, UsageError
from sakuga.prepare.letterbox import Bars, bars
from sakuga.prepare.quality import is_black, sharpness
from sakuga.runtime.folder import walk
from sakuga.video import SUFFIXES
from sakuga.video.av_compat import fraction
from sakuga.video.container import (
    FrameSize,
    colour_matrix,
    decode,
    frame_rate,
    open_container,
    packets,
    video_stream,
)
from sakuga.video.orientation import orientation

SIDE = 240
"""The short side of what is looked at."""


def find_films(inputs: Sequence[Path]) -> list[Path]:
    """Return the videos below folders (a file stands for itself).

    Raises:
        UsageError: an input is missing, or there is no video.
    """
    found: list[Path] = []
    for place in inputs:
        if not place.exists():
            raise UsageError(f"{place} does not exist: name a video or a folder of them")
        found += [place] if place.is_file() else walk(place, SUFFIXES).files
    if not found:
        where = f" in {', '.join(map(str, inputs))}" if inputs else ""
        raise UsageError(f"No video found{where}: name videos or folders of them")
    return found


class Film:
    """A film, and what its key frames say of it: where black bars are, and how sharp it is.

    Raises:
        SakugaError: the file is missing, no video, or damaged from its beginning.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._to_small, self._to_rgb = VideoReformatter(), VideoReformatter()
        greys = list(self._survey())
        self._bars = bars(*greys) if greys else Bars()
        self._shape = greys[0].shape if greys else (0, 0)
        smaller = [_shrunk(self._bars.cut(grey)) for grey in greys]
        self._sharpness = [sharpness(grey) for grey in smaller if not is_black(grey)]
        with open_container(path) as reader:
            video = video_stream(reader, path)
            self.length = video.frames or int((reader.duration or 0) * frame_rate(video) / 1_000_000) or None
            """The number of frames, as far as it is known beforehand."""
            self._aspect = float(fraction(video.sample_aspect_ratio) or 1)

    def frames(self) -> Iterator[VideoFrame]:
        """Yield all frames; raises SakugaError where the film is damaged, or at its end when that comes too early."""
        with open_container(self.path) as reader:
            video, size = video_stream(reader, self.path), FrameSize(reader)
            for packet in packets(reader, video, self.path):
                if packet.stream is video:
                    for frame in decode(packet, self.path):
                        if frame.is_corrupt:
                            remedy = "get a whole copy of it"
                            raise SakugaError(f"{self.path} is damaged at {frame.time or 0:.1f} s: {remedy}")
                        size.check(frame, self.path)
                        yield frame

    def bars(self, frame: VideoFrame) -> Bars:
        """Return the black bars of a frame: those of the key frames where it is as large as they are."""
        return self._bars if (frame.height, frame.width) == self._shape else Bars()

    def look(self, frame: VideoFrame) -> np.ndarray:
        """Return a frame as (3, H, W) uint8 of full range, Y, U, V, small and between the bars."""
        scale = min(1.0, SIDE / min(frame.width, frame.height))
        width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
        small = self._to_small.reformat(
            frame, width, height, "yuv444p", interpolation=Interpolation.AREA, dst_color_range=ColorRange.JPEG
        ).to_ndarray()
        inner = Bars(*(int(np.ceil(side * scale)) for side in self.bars(frame)))
        yuv = np.stack([inner.cut(channel) for channel in small])
        return orientation(frame).upright(yuv, (1, 2))

    def typical(self, seen: list[float]) -> float:
        """Return the median sharpness of the key frames and those seen so far."""
        return float(np.median([*self._sharpness, *seen] or [0.0]))

    def picture(self, frame: VideoFrame, size: int | None) -> np.ndarray:
        """Return a frame as RGB (H, W, 3) uint8: upright, with square pixels, between the bars.

        A shorter side beyond `size` is reduced to it.
        """
        frame.colorspace = colour_matrix(frame)
        fine = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
        rgb = self.bars(frame).cut(self._to_rgb.reformat(frame, format="rgb24", interpolation=fine).to_ndarray())
        image = Image.fromarray(np.ascontiguousarray(rgb))
        width = round(image.width * self._aspect)
        scale = min(1.0, size / min(width, image.height)) if size else 1.0
        wanted = max(1, round(width * scale)), max(1, round(image.height * scale))
        if wanted != image.size:
            image = image.resize(wanted, Image.Resampling.LANCZOS)
        return orientation(frame).upright(np.asarray(image))

    def _survey(self) -> Iterator[np.ndarray]:
        """Yield up to 32 key frames from all over the film, grey and at full size, which is that of the first."""
        with open_container(self.path) as reader:
            video, seen = video_stream(reader, self.path), set()
            video.thread_type = "SLICE"  # frame threads would want more frames before they give the first
            size: tuple[int, int] | None = None
            duration, start = reader.duration or 0, reader.start_time or 0
            count = min(32, max(1, duration // 2_000_000))
            for i in range(count):
                # A film may not be seekable, or end early: what is found will do.
                with suppress(av.FFmpegError, StopIteration):
                    if i:
                        reader.seek(start + duration * i // count)
                    frame = next(reader.decode(video))
                    size = size or (frame.width, frame.height)
                    if frame.pts not in seen and size == (frame.width, frame.height):
                        seen.add(frame.pts)
                        yield frame.reformat(format="yuv444p", dst_color_range=ColorRange.JPEG).to_ndarray()[0]


def _shrunk(grey: np.ndarray) -> np.ndarray:
    scale = SIDE / min(grey.shape)
    if scale >= 1:
        return grey
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return np.asarray(Image.fromarray(np.ascontiguousarray(grey)).resize((width, height), Image.Resampling.BOX))
