"""A virtual camera, by a backend of pyvirtualcam that keeps what it is sent."""

import builtins
import time

import numpy as np
import pytest
from camera_clips import GRAYS

from sakuga.commands.webcam import main
from sakuga.errors import SakugaError, UsageError
from sakuga.stylizer import Stylizer
from sakuga.video.camera import Reducer, frames
from sakuga.webcam.live import Live
from sakuga.webcam.virtual import virtual_camera

pyvirtualcam = pytest.importorskip("pyvirtualcam", reason="the extra virtual is not installed")


@pytest.fixture
def sent(monkeypatch):
    """What a device of its own gets, as flat arrays."""
    sent = []

    class Device:
        def __init__(self, *, width, height, fps, fourcc, device):
            sent.append((width, height))

        def device(self):
            return "made"

        def native_fourcc(self):
            return None

        def send(self, frame):
            sent.append(frame.copy())

        def close(self):
            sent.append(None)

    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {"made": Device})
    return sent


@pytest.mark.parametrize(("style", "size"), [("neg", (64, 48)), ("double", (64, 48))])
def test_it_gets_what_is_shown(clip, sent, style, size):
    live = Live(Stylizer(style), Reducer(640))
    with virtual_camera(live, size[0] + 1, size[1]) as name, live.running(frames(str(clip))):
        end = time.monotonic() + 30
        while len(sent) < 4 and time.monotonic() < end:
            time.sleep(0.01)
        assert live.error is None
    assert name == "made"
    assert (sent[0], sent[-1]) == (size, None)
    shown = [picture.reshape(size[1], size[0], 3) for picture in sent[1:-1]]
    grays = GRAYS if style == "double" else [255 - gray for gray in GRAYS]
    assert all(
        np.abs(picture[-1, -1].astype(int) - min(grays, key=lambda g: abs(g - int(picture[-1, -1, 0])))).max() < 6
        for picture in shown
    )
    assert len(shown) > 2


def test_without_a_device(clip, monkeypatch):
    class Missing:
        def __init__(self, **options):
            raise RuntimeError("No device was found. Did you load it?")

    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {"made": Missing})
    with pytest.raises(
        SakugaError, match=r"there is no virtual camera \('made' backend: No device .*\): install "
    ) as raised:
        main(["-s", "neg", "--device", str(clip), "--port", "0", "--virtual"])
    assert "\n" not in str(raised.value)


def test_without_the_extra(clip, monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **options):
        if name == "pyvirtualcam":
            raise ImportError(name=name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match=r'--virtual needs pyvirtualcam: pip install "sakuga\[virtual\]"'):
        main(["-s", "neg", "--device", str(clip), "--port", "0", "--virtual"])
