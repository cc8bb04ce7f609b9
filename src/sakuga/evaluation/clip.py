"""Frames of a video, small, to judge flicker by."""

from contextlib import suppress
from pathlib import Path

import av
import numpy as np
from PIL import Image

from sakuga.errors import SakugaError
from sakuga.video.container import FrameSize, open_container, reading, video_stream
from sakuga.video.orientation import orientation


def read_clip(path: Path, *, frames: int, side: int) -> list[np.ndarray]:
    """Return consecutive frames (H, W, 3) uint8 from the last key frame before the middle on.

    The shorter side is reduced to `side`; both are multiples of 4, so that pixels and motion are the same for every
    style. Fewer frames are returned when the video ends before.

    Raises:
        SakugaError: the file is missing or no video, or fewer than two frames can be read.
    """
    with open_container(path) as reader, reading(path):
        stream = video_stream(reader, path)
        if reader.duration:
            with suppress(av.FFmpegError):  # a file without an index is read from its beginning
                reader.seek(reader.duration // 2 + (reader.start_time or 0))
        found: list[np.ndarray] = []
        first, size = FrameSize(reader), (0, 0)
        for frame in reader.decode(stream):
            first.check(frame, path)
            picture = Image.fromarray(orientation(frame).upright(frame.to_ndarray(format="rgb24")))
            if not found:
                scale = min(1.0, side / min(picture.size))
                width, height = (max(4, round(length * scale / 4) * 4) for length in picture.size)
                size = width, height
            found.append(np.asarray(picture.resize(size, Image.Resampling.LANCZOS)))
            if len(found) == frames:
                break
    if len(found) < 2:
        raise SakugaError(f"{path} has {len(found)} frame in its second half; flicker needs a clip of two or more.")
    return found
