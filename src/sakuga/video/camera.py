"""Where live pictures come from: a camera, or a video file over and over."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sakuga.errors import SakugaError
from sakuga.picture.pixels import Array
from sakuga.video import SUFFIXES
from sakuga.video.container import FrameSize, colour_matrix, decode, open_container, reading, video_stream
from sakuga.video.orientation import orientation

if TYPE_CHECKING:
    from av import VideoFrame

FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
"""How FFmpeg reaches cameras on each platform."""

_ALLOW = {
    "linux": "join the group that owns /dev/video* (sudo usermod -aG video $USER) and log in again",
    "darwin": "allow it to your terminal in System Settings, Privacy & Security, Camera",
    "win32": "allow desktop apps to use it in Settings, Privacy & security, Camera",
}
_OPTIONS = {"avfoundation": {"framerate": "30"}}  # its default, 29.97, is refused by most cameras
_DAMAGED = 50  # pictures on end that cannot be decoded: now and then one from USB is normal
_PAUSE = 1.0  # seconds at most between two frames of a file


def frames(device: str) -> Iterator[VideoFrame]:
    """Yield the pictures of a camera as they come, or those of a video file at its own pace, over and over.

    `device`: the number of a camera, its name or path as the platform has it, or a file. Raises SakugaError, with what
    to do, when it is missing or cannot be used, and when it stops.
    """
    file = Path(device)
    if file.is_file() or file.suffix.lower() in SUFFIXES:
        return _repeated(file)
    return _live(device)


class Reducer:
    """Makes upright RGB pictures (H, W, 3), uint8, of at most `width` columns and no side over `max_side`."""

    def __init__(self, width: int, max_side: int | None = None) -> None:
        from av.video.reformatter import VideoReformatter

        self.width, self.max_side = width, max_side
        self.reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> Array:
        """Return the picture, its proportions kept."""
        lies = orientation(frame)
        across = frame.height if lies.swaps else frame.width
        longest = max(frame.width, frame.height)
        scale = min(1.0, self.width / across, (self.max_side or longest) / longest)
        width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
        frame.colorspace = colour_matrix(frame)
        rgb = self.reformatter.reformat(frame, width, height, "rgb24", interpolation="AREA").to_ndarray()
        return np.ascontiguousarray(lies.upright(rgb), dtype=np.uint8)


def _repeated(path: Path) -> Iterator[VideoFrame]:
    while True:
        begin, first, count = time.monotonic(), 0.0, 0
        with open_container(path) as reader, reading(path):
            video, size = video_stream(reader, path), FrameSize(reader)
            for frame in (frame for packet in reader.demux(video) for frame in decode(packet, path)):
                size.check(frame, path)
                at = count / 25 if frame.time is None else frame.time
                first = first if count else at
                delay = begin + at - first - time.monotonic()
                if delay > _PAUSE:
                    begin -= delay - _PAUSE
                time.sleep(min(max(0.0, delay), _PAUSE))
                count += 1
                yield frame
        if not count:
            raise SakugaError(f"{path} has no frame that can be decoded: get a whole copy of it")
        time.sleep(1 / 25)  # the last one has its time too, above all when it is the only one


def _live(device: str) -> Iterator[VideoFrame]:
    import av

    kind = FORMATS.get(sys.platform, "v4l2")
    try:
        camera = av.open(_address(device, kind), format=kind, options=_OPTIONS.get(kind, {}))
    except (av.FFmpegError, ValueError) as error:  # ValueError: a PyAV without this platform's cameras
        raise SakugaError(_refusal(device, error)) from error
    with camera:
        damaged = 0
        while damaged < _DAMAGED:
            try:
                for frame in camera.decode(video=0):
                    damaged = 0
                    yield frame
                break
            except av.error.BlockingIOError:  # no picture yet
                time.sleep(0.005)
            except av.error.InvalidDataError:
                damaged += 1
            except (av.FFmpegError, IndexError):  # unplugged; or it has sound only
                break
    raise SakugaError(f"camera {device} gives no more pictures: is it still connected? Start again when it is")


def _address(device: str, kind: str) -> str:
    """Return what FFmpeg calls a camera."""
    if kind == "v4l2":
        return f"/dev/video{device}" if device.isdecimal() else device
    if kind == "dshow":
        return f"video={_dshow_name(int(device)) if device.isdecimal() else device}"
    return device


def _dshow_name(number: int) -> str:
    import av

    if not hasattr(av, "enumerate_input_devices"):  # PyAV below 15
        raise ValueError("cameras have names here, not numbers")
    cameras = [one.description for one in av.enumerate_input_devices("dshow") if "video" in one.media_types]
    if number >= len(cameras):
        raise ValueError(f"{len(cameras) or 'no'} cameras were found")
    return cameras[number]


def _refusal(device: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EBUSY:
        return f"camera {device} is in use: close the program that shows it"
    if number in (errno.EACCES, errno.EPERM):
        return f"camera {device} may not be used: {_ALLOW.get(sys.platform, _ALLOW['linux'])}"
    reason = getattr(error, "strerror", None) or str(error)
    return (
        f"there is no camera {device} that can be opened ({reason}): connect one, name another (--device 1), "
        "or take a video in its place (--device FILE)"
    )
