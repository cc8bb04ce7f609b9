"""Where pictures come from: a file, or FFmpeg's own test pattern, which is opened as a camera is."""

import errno
import itertools
import sys
import time
from types import SimpleNamespace

import av
import numpy as np
import pytest
from camera_clips import GRAYS, make_clip

from sakuga.errors import SakugaError
from sakuga.video import camera


def test_a_file_is_shown_over_and_over_at_its_own_pace(clip):
    begin = time.monotonic()
    shown = [
        int(frame.to_ndarray(format="rgb24")[-1].mean()) for frame in itertools.islice(camera.frames(str(clip)), 7)
    ]
    np.testing.assert_allclose(shown, [*GRAYS, *GRAYS, GRAYS[0]], atol=3)
    # Twice from the first frame to the third, 0.2 s each, and 0.04 s twice for the third.
    assert time.monotonic() - begin >= 0.48


def test_a_camera_gives_pictures_until_it_stops(monkeypatch):
    monkeypatch.setattr(camera, "FORMATS", {sys.platform: "lavfi"})
    pictures = camera.frames("testsrc=size=64x48:rate=30:duration=0.2")
    shapes = [next(pictures).to_ndarray(format="rgb24").shape for _ in range(6)]  # 0.2 s at 30 a second
    assert shapes == [(48, 64, 3)] * 6
    with pytest.raises(SakugaError, match="gives no more pictures: is it still connected"):
        next(pictures)


def test_a_camera_that_stumbles_goes_on(monkeypatch):
    """No picture yet, a damaged one, a good one, and 50 damaged ones on end."""
    damaged = av.error.InvalidDataError(errno.EINVAL, "damaged")
    answers = [av.error.BlockingIOError(errno.EAGAIN, "later"), damaged, "picture", *[damaged] * 50, "never seen"]

    class Device:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            answers.append("closed")

        def decode(self, video):
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            yield answer
            raise damaged

    monkeypatch.setattr(av, "open", lambda *args, **options: Device())
    shown = []
    with pytest.raises(SakugaError, match="no more pictures"):  # noqa: PT012
        for frame in camera.frames("0"):
            shown.append(frame)
    assert shown == ["picture"]
    assert answers[-2:] == ["never seen", "closed"]


def test_what_ffmpeg_calls_a_camera(monkeypatch):
    assert camera._address("0", "v4l2") == "/dev/video0"
    assert camera._address("/dev/video2", "v4l2") == "/dev/video2"
    assert camera._address("1", "avfoundation") == "1"
    assert camera._address("Integrated Camera", "dshow") == "video=Integrated Camera"
    devices = [("Microphone", ["audio"]), ("Front", ["video"]), ("Back", ["video", "audio"])]
    found = [SimpleNamespace(description=name, media_types=types) for name, types in devices]
    monkeypatch.setattr(av, "enumerate_input_devices", lambda kind: found, raising=False)
    assert camera._address("1", "dshow") == "video=Back"
    monkeypatch.setattr(camera, "FORMATS", {sys.platform: "dshow"})
    with pytest.raises(SakugaError, match=r"no camera 2 that can be opened \(2 cameras were found\)"):
        next(camera.frames("2"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (av.error.OSError(errno.EBUSY, "Device or resource busy"), "in use: close the program"),
        (av.error.PermissionError(errno.EACCES, "Permission denied"), r"may not be used: (join the group|allow)"),
        (av.error.FileNotFoundError(errno.ENOENT, "No such file"), r"no camera 7 .*\(No such file\).*--device FILE"),
        (ValueError("no container format 'v4l2'"), r"no camera 7 .*no container format.*--device FILE"),
    ],
)
def test_a_camera_that_cannot_be_opened(monkeypatch, error, words):
    def refuse(*args, **options):
        raise error

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(SakugaError, match=words):
        next(camera.frames("7"))


@pytest.mark.parametrize(("turn", "width", "shape"), [(None, 640, (48, 64)), (None, 32, (24, 32)), (90, 24, (32, 24))])
def test_pictures_are_reduced_and_upright(tmp_path, turn, width, shape):
    path = make_clip(tmp_path / "clip.mp4", turn=turn)
    rgb = camera.Reducer(width)(next(camera.frames(str(path))))
    assert (rgb.shape, rgb.dtype) == ((*shape, 3), np.uint8)
    # Its white half is the upper one; turned by 90 degrees counter-clockwise, the left one.
    white, gray = (rgb[:, 2], rgb[:, -3]) if turn else (rgb[2], rgb[-3])
    np.testing.assert_allclose([white.mean(), gray.mean()], [235, 40], atol=4)


def test_a_longer_side_is_reduced_too(tmp_path):
    clip = make_clip(tmp_path / "wide.mp4")  # 64 x 48
    frame = next(camera.frames(str(clip)))
    assert camera.Reducer(640, 32)(frame).shape == (24, 32, 3)
    assert camera.Reducer(40, 64)(frame).shape == (30, 40, 3)
