"""`sakuga prepare landmarks` with detectors that are functions of a file in the current folder."""

import json

import numpy as np
import pytest
from PIL import Image

from sakuga.cli import main

DETECTORS = """
import numpy as np

def corners(picture):
    height, width, channels = picture.shape
    assert picture.dtype == np.uint8 and channels == 3
    return None if height > width else np.array([[0, 0], [width - 1, height - 1.5]])

def flat(picture):
    return np.zeros(4)

def infinite(picture):
    return np.array([[np.inf, 0.0]])

def as_many_as_rows(picture):
    return np.zeros((len(picture), 2))

def broken(picture):
    raise KeyError("eyes")

number = 3
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a wide, a tall and a wide picture that lies on its side, and a module unlike any other's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_detectors.py").write_text(DETECTORS)
    monkeypatch.delitem(__import__("sys").modules, "my_detectors", raising=False)
    folder = tmp_path / "Ünïcødé 写真 (1)"
    (folder / "sub").mkdir(parents=True)
    Image.new("RGB", (20, 10)).save(folder / "wide.png")
    Image.new("RGB", (10, 20)).save(folder / "sub" / "wide.png")
    lying = Image.Exif()
    lying[0x0112] = 6
    Image.new("RGB", (8, 16)).save(folder / "lying.jpg", exif=lying.tobytes())
    return folder


def run(folder, detector, *more):
    out = folder.parent / "marks 写"
    return main(["prepare", "landmarks", str(folder), "-o", str(out), "--workers", "1", "--detector", detector, *more])


def test_side_files_and_pictures_without_a_face(place, capsys):
    assert run(place, "my_detectors:corners") == 0
    out = place.parent / "marks 写"
    assert sorted(path.name for path in out.rglob("*.json")) == ["lying.landmarks.json", "wide.landmarks.json"]
    wide = json.loads((out / "wide.landmarks.json").read_text())
    assert wide == {"width": 20, "height": 10, "points": [[0, 0], [19, 8.5]]}
    # The upright picture counts: 16 wide, 8 high.
    assert json.loads((out / "lying.landmarks.json").read_text())["points"] == [[0, 0], [15, 6.5]]
    assert f"no face found: {place / 'sub' / 'wide.png'}" in capsys.readouterr().out


def test_it_goes_on_where_it_stopped(place, capsys):
    assert run(place, "my_detectors:corners") == 0
    (place.parent / "marks 写" / "wide.landmarks.json").write_text("kept")
    assert run(place, "my_detectors:corners") == 0
    assert (place.parent / "marks 写" / "wide.landmarks.json").read_text() == "kept"
    assert "3 done before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("detector", "words"),
    [
        ("flat", r"wide.png: --detector my_detectors:flat returned an array (4,)"),
        ("infinite", "not finite coordinates"),
        ("broken", "unexpected KeyError: 'eyes'"),
        ("as_many_as_rows", "found different numbers of landmarks"),
    ],
)
def test_a_detector_that_fails(place, capsys, detector, words):
    assert run(place, f"my_detectors:{detector}") == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("detector", "words"),
    [
        ("", "an argument is empty"),
        ("my_detectors", "write MODULE:FUNCTION"),
        ("my_detectors:none", "no such function"),
        ("no_such_module:f", "no such function"),
        ("my_detectors:number", "is no function"),
    ],
)
def test_no_detector(place, capsys, detector, words):
    assert run(place, detector) == 2
    assert words in capsys.readouterr().err
    assert not (place.parent / "marks 写").exists()


def test_an_unreadable_picture_is_named(place, capsys):
    (place / "bad.png").write_bytes(np.arange(99, dtype=np.uint8).tobytes())
    assert run(place, "my_detectors:corners") == 1
    assert "bad.png is not a picture" in capsys.readouterr().err
    assert len(list((place.parent / "marks 写").rglob("*.json"))) == 2
