"""Styles in turn, -s one -s another: the second is given what the first makes."""

import av
import numpy as np
import pytest
from made_style import ASKS, make_style
from PIL import Image

from sakuga.cli import main
from sakuga.faces.find import Face
from sakuga.stylizer import Stylizer, stylizer
from sakuga.stylizer.painter import Painter

PHOTO = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
TEMPLATE = [[24, 28], [40, 28], [32, 35], [27, 42], [37, 42]]


@pytest.fixture
def place(tmp_path, monkeypatch):
    for kind in ("invert", "blur", "double"):
        make_style(tmp_path / f"{kind}.onnx", kind)
    make_style(tmp_path / "asks.onnx", "asks", inputs=ASKS)
    Image.fromarray(PHOTO).save(tmp_path / "me.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_after_the_other(place):
    both = Stylizer("blur.onnx", after=Stylizer("invert.onnx"))
    np.testing.assert_array_equal(both.array(PHOTO), Stylizer("blur.onnx").array(Stylizer("invert.onnx").array(PHOTO)))
    assert (both.name, both.scale) == ("invert+blur", 1)
    np.testing.assert_array_equal(both.with_threads(1).array(PHOTO), both.array(PHOTO))
    half = Stylizer("invert.onnx", strength=0.5, after=Stylizer("invert.onnx")).array(PHOTO)
    assert np.abs(half.astype(int) - 127.5).max() <= 1  # the look is the last style's
    assert both.identity != Stylizer("blur.onnx").identity


def test_frames_at_once_share_the_memory_in_every_style(place, monkeypatch):
    monkeypatch.setattr(stylizer, "cores", lambda: 2)
    seen, paint = [], Painter.paint
    monkeypatch.setattr(Painter, "paint", lambda self, *more: seen.append(self.at_once) or paint(self, *more))
    worker, workers = Stylizer("blur.onnx", after=Stylizer("invert.onnx")).for_frames()
    worker.array(PHOTO)
    assert (workers, seen) == (2, [2, 2])


def test_the_command(place, capsys):
    assert main(["me.png", "-s", "invert.onnx", "-s", "blur.onnx", "-s", "double.onnx"]) == 0
    made = np.asarray(Image.open("me.invert+blur+double.png"))
    assert made.shape == (140, 180, 3)
    assert main(["me.png", "-s", "invert.onnx", "-s", "blur.onnx,double.onnx", "-o", "out"]) == 0
    assert {file.name for file in (place / "out").iterdir()} == {"me.invert+blur.png", "me.invert+double.png"}
    assert main(["me.png", "-s", "invert.onnx,blur.onnx", "-s", "blur.onnx"]) == 2
    assert "only the last -s" in " ".join(capsys.readouterr().err.split())


def test_each_takes_the_values_that_are_its_own(place, capsys):
    values = ["--set", "tint=red", "--set", "gain=0.5", "--set", "other=me.png"]
    assert main(["me.png", "-s", "asks.onnx", "-s", "invert.onnx", *values]) == 0
    given = {"tint": "red", "gain": 0.5, "other": PHOTO}
    want = 255 - Stylizer("asks.onnx", inputs=given).array(PHOTO).astype(int)
    assert np.abs(np.asarray(Image.open("me.asks+invert.png")) - want).max() <= 1
    assert main(["me.png", "-s", "asks.onnx", "-s", "invert.onnx", *values, "--set", "size=3"]) == 2
    assert "no input 'size'" in " ".join(capsys.readouterr().err.split())


def test_a_style_for_faces_comes_first(place, monkeypatch):
    make_style(place / "faced.onnx", "invert", frame={"template": TEMPLATE, "side": 64})
    found = [Face(np.array(TEMPLATE, float))]
    monkeypatch.setattr(stylizer, "find_faces", lambda rgb: list(found))
    assert main(["me.png", "-s", "faced.onnx", "-s", "invert.onnx"]) == 0
    made = np.asarray(Image.open("me.faced+invert.png"))
    np.testing.assert_allclose(made[30:34, 30:34], PHOTO[30:34, 30:34], atol=1)
    np.testing.assert_array_equal(made[:, 70:], 255 - PHOTO[:, 70:])
    found.clear()
    assert main(["me.png", "-s", "faced.onnx", "-s", "invert.onnx", "--overwrite"]) == 1


def test_a_video_that_is_enlarged(place):
    with av.open("a.mp4", "w") as file:
        stream = file.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(2):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 50, np.uint8), format="rgb24")))
        file.mux(stream.encode())
    Stylizer("invert.onnx", after=Stylizer("double.onnx")).file(place / "a.mp4", place / "b.mp4")
    with av.open("b.mp4") as file:
        (first, _) = (frame.to_ndarray(format="rgb24") for frame in file.decode(video=0))
    assert first.shape == (96, 128, 3)
    assert np.abs(first.astype(int) - 205).max() < 6
