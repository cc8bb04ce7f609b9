"""Steps that find faces, with a detector that finds one or none, and with files beside the pictures."""

import json

import numpy as np
import pytest
from PIL import Image

from sakuga.cli import main
from sakuga.faces import find
from sakuga.faces.find import Face
from sakuga.prepare import face_finding, masks

AT = np.array([60, 40])
MESH = np.random.default_rng(0).uniform(-10, 10, (468, 2))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a picture of two faces and one of none; the networks seem to be there."""
    found = [Face(MESH + AT), Face(MESH / 2 + 2 * AT)]
    faces = lambda rgb: list(found) if rgb.any() else []  # noqa: E731
    for module in (find, masks):
        monkeypatch.setattr(module, "find_faces", faces)
    monkeypatch.setattr(face_finding, "missing", lambda: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    Image.new("RGB", (160, 120), (9, 9, 9)).save("in/two.png")
    Image.new("RGB", (160, 120)).save("in/none.png")
    return tmp_path


def run(step, *more):
    return main(["prepare", step, "in", "-o", "out", "--workers", "1", *more])


@pytest.mark.parametrize("count", [5, 68])
def test_landmarks_of_the_largest_face(place, capsys, count):
    assert run("landmarks", "--points", str(count)) == 0
    found = json.loads((place / "out" / "two.landmarks.json").read_text())
    assert (found["width"], found["height"]) == (160, 120)
    np.testing.assert_allclose(found["points"], Face(MESH + AT).landmarks(count))
    assert "no face found" in capsys.readouterr().out


def test_squares_around_faces(place):
    assert run("crop", "--mode", "faces", "--margin", "0") == 0
    sides = [Image.open(place / "out" / f"two-{k}.png").size[0] for k in range(2)]
    assert sides == [20, 10]


@pytest.mark.parametrize("parts", [False, True])
def test_masks(place, parts):
    assert run("masks", *(["--parts"] if parts else [])) == 0
    mask = np.asarray(Image.open(place / "out" / "two.png"))
    assert mask.shape == (120, 160)
    assert {*np.unique(mask)} == {0, 255}
    assert (mask[40, 60], mask[80, 120], mask[5, 5]) == (255, 255, 0)
    assert not (place / "out" / "none.png").exists()


def test_files_beside_pictures_win_and_need_no_networks(place, monkeypatch):
    monkeypatch.setattr(face_finding, "missing", lambda: "sakuga download faces")
    points = [[20, 20], [60, 20], [40, 40], [25, 60], [55, 60]]
    for name in ("two", "none"):
        (place / "in" / f"{name}.txt").write_text("\n".join(f"{x} {y}" for x, y in points))
    for step in ("landmarks", "crop", "masks"):
        more = ["--mode", "faces", "--margin", "0"] if step == "crop" else []
        assert main(["prepare", step, "in", "-o", step, "--workers", "1", *more]) == 0
    assert json.loads((place / "landmarks" / "none.landmarks.json").read_text())["points"] == points
    assert Image.open(place / "crop" / "none-0.png").size == (40, 40)
    mask = np.asarray(Image.open(place / "masks" / "none.png"))
    assert (mask[30, 40], mask[90, 40]) == (255, 0)
    assert main(["prepare", "masks", "in", "-o", "parts", "--workers", "1", "--parts"]) == 1


@pytest.mark.parametrize("step", ["landmarks", "crop", "masks"])
def test_without_networks_it_says_so_before_any_work(place, monkeypatch, capsys, step):
    monkeypatch.setattr(face_finding, "missing", lambda: "faces are found with: sakuga download faces")
    assert run(step, *(["--mode", "faces"] if step == "crop" else [])) == 2
    assert "sakuga download faces, or " in " ".join(capsys.readouterr().err.split())
    assert not (place / "out").exists()
