"""The stylised pictures as a camera that other programs see, through pyvirtualcam."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image

from sakuga.errors import SakugaError, UsageError
from sakuga.webcam.live import Live

_FPS = 30
_INSTALL = {
    "linux": "install v4l2loopback and load it (sudo modprobe v4l2loopback exclusive_caps=1)",
    "darwin": "install OBS Studio, start its virtual camera once, and close OBS",
    "win32": "install OBS Studio, which brings one",
}


@contextmanager
def virtual_camera(live: Live, width: int, height: int) -> Iterator[str]:
    """Send every new picture of `live` to a virtual camera of this size, less an odd column or row; its name.

    Raises UsageError without pyvirtualcam, SakugaError where there is no such device.
    """
    try:
        from pyvirtualcam import Camera
    except ImportError:
        raise UsageError('--virtual needs pyvirtualcam: pip install "sakuga[virtual]"') from None
    try:
        camera = Camera(width // 2 * 2, height // 2 * 2, _FPS)
    except RuntimeError as error:
        reason = " ".join(str(error).split("\n")[0].split()).rstrip(".")
        remedy = _INSTALL.get(sys.platform, _INSTALL["linux"])
        raise SakugaError(f"there is no virtual camera ({reason}): {remedy}") from None
    with camera:
        sending = threading.Thread(target=_send, args=(live, camera), name="virtual camera", daemon=True)
        sending.start()
        try:
            yield camera.device
        finally:
            live.end()
            sending.join()


def _send(live: Live, camera: Any) -> None:
    number, size = 0, (camera.width, camera.height)
    while not live.ended.is_set():
        if frame := live.after(number, timeout=0.5):
            number = frame.number
            height, width = frame.after.shape[:2]
            if (width // 2 * 2, height // 2 * 2) == size:
                picture = frame.after[: size[1], : size[0]]
            else:  # of a style that enlarges, where the first one did not
                picture = np.asarray(Image.fromarray(frame.after).resize(size, Image.Resampling.BOX))
            camera.send(np.ascontiguousarray(picture))
