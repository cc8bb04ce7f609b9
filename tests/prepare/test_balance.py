"""`sakuga prepare balance`: the sets' statistics, and copies that have the photos'."""

import numpy as np
import pytest
from PIL import Image

from sakuga.cli import main
from sakuga.data.images import load_image
from sakuga.prepare.balance import Statistics, match, measure

PLACE = "Ünïcødé 写真 (1)"


def even(path, *colours, size=(8, 8), **options):
    """A picture of stripes of even colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.concatenate([np.full((size[1], size[0] // len(colours), 3), c, np.uint8) for c in colours], axis=1)
    Image.fromarray(pixels).save(path, **options)
    return path


def run(root, *more):
    folders = ["--photos", str(root / "photos"), "--style", str(root / "style")]
    return main(["prepare", "balance", *folders, "--workers", "1", *more])


def test_statistics_of_a_set(tmp_path):
    """Black has L 0, white 100, and greys a = b = 0."""
    paths = [even(tmp_path / "black.png", 0), even(tmp_path / "half.png", 0, 255, size=(80, 8))]
    found, lost = measure(paths, "style", 1)
    # Every picture counts the same: E[L] = (0 + 50) / 2 = 25, E[L²] = (0 + 5000) / 2, std = √(2500 - 625) = 43.3.
    np.testing.assert_allclose(found.mean, (25, 0, 0), atol=0.01)
    np.testing.assert_allclose(found.std, (43.30, 0, 0), atol=0.01)
    assert lost == 0


def test_a_large_jpeg_is_measured_like_its_small_copy(tmp_path):
    large = even(tmp_path / "large.jpg", (200, 40, 30), (20, 90, 200), size=(2048, 1024), quality=95)
    small = even(tmp_path / "small.png", (200, 40, 30), (20, 90, 200), size=(256, 128))
    one, other = measure([large], "a", 1)[0], measure([small], "b", 1)[0]
    np.testing.assert_allclose(one, other, atol=1.5)


def test_the_correction_is_one_for_the_whole_set(tmp_path):
    """Two even pictures on either side: an affine map that matches mean and deviation takes one pair to the other."""
    root = tmp_path / PLACE
    photos = (70, 60, 50), (190, 170, 150)
    style = (10, 20, 40), (120, 100, 105)
    even(root / "photos" / "dark.png", photos[0])
    even(root / "photos" / "light.png", photos[1])
    even(root / "style" / "same.png", style[0])
    even(root / "style" / "sub folder" / "same.png", style[1])
    before = {path: path.read_bytes() for path in root.rglob("*.png")}
    out = tmp_path / "bal 写"
    assert run(root, "--correct", "-o", str(out)) == 0
    # In both sets each of L, a and b is larger in the second: (26, 2, 8), (71, 4, 13) and (6, 3, -15), (44, 9, 0).
    assert np.abs(load_image(out / "same.png").astype(int) - photos[0]).max() <= 1
    assert np.abs(load_image(out / "sub folder" / "same.png").astype(int) - photos[1]).max() <= 1
    assert {path: path.read_bytes() for path in root.rglob("*.png")} == before


def test_matching_by_hand():
    grey = np.full((2, 2, 3), 119, np.uint8)  # L = 50.03
    black, white = Statistics((50.03, 0, 0), (10, 0, 0)), Statistics((0, 0, 0), (0, 0, 0))
    np.testing.assert_array_equal(match(grey, black, white), 0)
    # (50.03 - 40) · 20 / 10 + 80 = 100.06, which is cut to white.
    bright = match(grey, Statistics((40, 0, 0), (10, 0, 0)), Statistics((80, 0, 0), (20, 0, 0)))
    np.testing.assert_array_equal(bright, 255)
    # A set without variation is only moved.
    still = match(grey, Statistics((50.03, 0, 0), (0, 0, 0)), Statistics((50.03, 0, 0), (20, 9, 9)))
    np.testing.assert_array_equal(still, grey)


def test_the_report(tmp_path, capsys):
    even(tmp_path / "photos" / "a.png", 119)
    even(tmp_path / "style" / "b.png", 0)
    assert run(tmp_path) == 0
    told = capsys.readouterr().out
    assert "50.0 ± 0.0" in told
    assert "The style is 50 darker than the photos" in told
    even(tmp_path / "style" / "b.png", 110)
    assert run(tmp_path) == 0
    assert "nothing to correct" in capsys.readouterr().out


def test_unreadable_pictures_are_named_and_left_out(tmp_path, capsys):
    even(tmp_path / "photos" / "a.png", 119)
    even(tmp_path / "photos" / "lie.jpg", 119, format="PNG")
    (tmp_path / "photos" / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    even(tmp_path / "style" / "b.png", 119)
    assert run(tmp_path) == 1
    captured = capsys.readouterr()
    assert "bad.jpg is damaged or truncated" in captured.err
    assert "50.0 ± 0.0  50.0 ± 0.0" in captured.out
    for path in (tmp_path / "photos").iterdir():
        path.write_bytes(b"")
    assert run(tmp_path) == 1
    assert "none of the 3 pictures of photos can be read" in capsys.readouterr().err


@pytest.mark.parametrize("more", [["--correct"], ["-o", "out"]])
def test_correct_and_a_folder_belong_together(tmp_path, capsys, monkeypatch, more):
    monkeypatch.chdir(tmp_path)
    even(tmp_path / "photos" / "a.png", 119)
    even(tmp_path / "style" / "b.png", 0)
    assert run(tmp_path, *more) == 2
    assert "--correct and -o DIR belong together" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
