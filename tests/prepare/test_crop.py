"""`sakuga prepare crop`."""

import sys

import numpy as np
import pytest
from PIL import Image

from sakuga.commands.prepare import main
from sakuga.errors import SakugaError, UsageError
from sakuga.prepare.crop import Square, around_faces, center, crop, scattered
from sakuga.prepare.manifest import read


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(30, 256, (height, width, 3), dtype=np.uint8)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def made(out):
    return {p.relative_to(out).as_posix(): np.asarray(Image.open(p)) for p in sorted(out.rglob("*.png"))}


@pytest.fixture
def detectors(tmp_path, monkeypatch):
    """A module of detectors in the current folder."""
    (tmp_path / "mine.py").write_text(
        "def one(picture): return [(10, 10, 20, 30)]\n"
        "def none(picture): return []\n"
        "def two(picture): return [(-5, -5, 10, 10), (30, 20, 90, 90), (5, 5, 5, 9)]\n"
        "def wrong(picture): return [(1, 2, 3)]\n"
        "def words(picture): return 'face'\n"
        "def bug(picture): return 1 / 0\n"
        "number = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    return tmp_path


def test_the_middle(tmp_path):
    picture = noise(40, 61)
    save(tmp_path / "Ünïcødé 写真 (1)" / "a.png", picture)
    assert main(["crop", str(tmp_path / "Ünïcødé 写真 (1)"), "-o", str(tmp_path / "out"), "--workers", "1"]) == 0
    # (61 - 40) // 2 = 10 columns on the left
    np.testing.assert_array_equal(made(tmp_path / "out")["a.png"], picture[:, 10:50])


def test_size_reduces_leaves_out_or_enlarges(tmp_path, capsys):
    save(tmp_path / "in" / "large.png", noise(40, 60))
    save(tmp_path / "in" / "small.png", noise(20, 30))
    save(tmp_path / "in" / "exact.png", noise(32, 33))
    crop([tmp_path / "in"], output=tmp_path / "out", size=32, workers=1)
    assert {name: p.shape for name, p in made(tmp_path / "out").items()} == {
        "exact.png": (32, 32, 3),
        "large.png": (32, 32, 3),
    }
    assert "2 kept, 1 dropped (1 smaller than 32 pixels)" in capsys.readouterr().out
    crop([tmp_path / "in"], output=tmp_path / "all", size=32, enlarge=True, workers=1)
    assert {p.shape for p in made(tmp_path / "all").values()} == {(32, 32, 3)}
    assert len(made(tmp_path / "all")) == 3


def test_random_squares(tmp_path):
    picture = noise(40, 60)
    save(tmp_path / "in" / "a.png", picture)
    save(tmp_path / "again" / "other name.png", picture)
    crop([tmp_path / "in"], output=tmp_path / "out", mode="random", count=3, workers=1)
    crop([tmp_path / "again"], output=tmp_path / "out2", mode="random", count=3, workers=1)
    crop([tmp_path / "in"], output=tmp_path / "out3", mode="random", count=3, seed=1, workers=1)
    first, second, third = (made(tmp_path / name) for name in ("out", "out2", "out3"))
    assert list(first) == ["a-0.png", "a-1.png", "a-2.png"]
    for one, same, other in zip(first.values(), second.values(), third.values(), strict=True):
        np.testing.assert_array_equal(one, same)
        assert one.shape != other.shape or (one != other).any()


def test_random_squares_are_inside_and_of_all_sizes():
    picture = noise(40, 60)
    squares = scattered(picture, count=400, seed=0, least=1)
    assert {s.side for s in squares} == set(range(20, 41))
    assert all(0 <= s.left <= 60 - s.side and 0 <= s.top <= 40 - s.side for s in squares)
    assert min(s.left for s in squares) == 0
    assert max(s.left + s.side for s in squares) == 60
    assert {s.side for s in scattered(picture, count=50, seed=0, least=39)} == {39, 40}
    assert {s.side for s in scattered(picture, count=5, seed=0, least=100)} == {40}
    assert scattered(noise(1, 1), count=1, seed=0, least=1) == [Square(0, 0, 1)]


def test_faces(detectors):
    picture = noise(60, 80)
    # The box is 10 x 20 about (15, 20); with a margin of 0.25 the side is 20 * 1.5 = 30: from 0 to 30 and 5 to 35.
    assert around_faces(picture, detector="mine:one", margin=0.25) == [Square(0, 5, 30)]
    # The first box is clipped to (0, 0, 10, 10); the second to (30, 20, 80, 60), of side 50 about (55, 40), which is
    # 15 to 65 down and so moved up by 5; the third has no width.
    assert around_faces(picture, detector="mine:two", margin=0) == [Square(0, 0, 10), Square(30, 10, 50)]
    assert around_faces(picture, detector="mine:two", margin=9) == [Square(0, 0, 60), Square(20, 0, 60)]


def test_faces_from_the_command(detectors, capsys):
    save(detectors / "in" / "a.png", noise(60, 80))
    command = ["crop", "in", "-o", "out", "--mode", "faces", "--workers", "1"]
    assert main([*command, "--faces", "mine:two", "--margin", "0", "--size", "20"]) == 0
    assert {name: p.shape for name, p in made(detectors / "out").items()} == {"a-1.png": (20, 20, 3)}
    assert [row.why for row in read(detectors / "out")["../in/a.png"]] == ["smaller than 20 pixels (10)", ""]
    assert main([*command, "--faces", "mine:none", "--overwrite"]) == 0
    assert "1 no face" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["wrong", "words", "bug"])
def test_a_bad_detector_fails_with_the_picture_named(detectors, capsys, name):
    save(detectors / "in" / "a.png", noise(60, 80))
    assert crop([detectors / "in"], output=detectors / "out", mode="faces", faces=f"mine:{name}", workers=1) == 1
    told = capsys.readouterr().err
    assert "a.png" in told
    assert "Traceback" not in told


def test_wrong_usage(detectors):
    save(detectors / "in" / "a.png", noise(60, 80))
    for options, text in (
        ({"faces": "mine:one"}, "name both"),
        ({"mode": "faces", "faces": "mine"}, "write MODULE:FUNCTION"),
        ({"mode": "faces", "faces": "mine:absent"}, "no such function"),
        ({"mode": "faces", "faces": "nothing_here:absent"}, "no such function"),
        ({"mode": "faces", "faces": "mine:number"}, "is no function"),
        ({"size": 0}, "at least 1"),
        ({"count": 0}, "at least 1"),
        ({"seed": -1}, "at least 0"),
        ({"enlarge": True}, "--enlarge needs"),
        ({"workers": 0}, "at least 1"),
    ):
        with pytest.raises(UsageError, match=text):
            crop([detectors / "in"], output=detectors / "out", **options)
    assert not list(detectors.glob("out/*.png"))
    with pytest.raises(SakugaError, match="is a file"):
        crop([detectors / "in"], output=detectors / "mine.py")


def test_letterbox(tmp_path):
    boxed = noise(60, 80)
    boxed[:10] = boxed[-10:] = 0
    save(tmp_path / "in" / "a.png", boxed)
    crop([tmp_path / "in"], output=tmp_path / "out", letterbox=True, workers=1)
    np.testing.assert_array_equal(made(tmp_path / "out")["a.png"], boxed[10:50, 20:60])


def test_names_and_lying_files(tmp_path, capsys):
    save(tmp_path / "in" / "one" / "a.png", noise(8, 9))
    save(tmp_path / "in" / "two" / "a.png", noise(8, 9))
    save(tmp_path / "in" / "two" / "a.jpg", noise(8, 9), format="PNG")
    (tmp_path / "in" / "text.png").write_text("no picture")
    assert crop([tmp_path / "in"], output=tmp_path / "in" / "out", workers=1) == 1
    assert list(made(tmp_path / "in" / "out")) == ["one/a.png", "two/a.jpg.png", "two/a.png.png"]
    assert "text.png is not a picture" in capsys.readouterr().err
    # The results lie in the input folder, and yet are no inputs the second time.
    assert crop([tmp_path / "in"], output=tmp_path / "in" / "out", workers=1) == 1
    assert "0 kept, 0 dropped, 3 done before, 1 failed" in capsys.readouterr().out


def test_largest_square():
    assert center(noise(3, 8)) == [Square(2, 0, 3)]
    assert center(noise(8, 3)) == [Square(0, 2, 3)]
