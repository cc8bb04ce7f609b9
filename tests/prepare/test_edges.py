"""`sakuga prepare edges`, and Canny's edges against a description of them pixel by pixel."""

import numpy as np
import pytest
from PIL import Image

from sakuga.cli import main
from sakuga.data.derived.edges import canny, smooth_edges
from sakuga.data.images import load_image

PLACE = "Ünïcødé 写真 (1)"


def areas(seed=0, height=40, width=60):
    """Areas of even colours, 8 pixels wide, with a little grain."""
    rng = np.random.default_rng(seed)
    even = np.kron(rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3)), np.ones((8, 8, 1)))[:height, :width]
    return (even + rng.integers(-5, 6, even.shape)).clip(0, 255).astype(np.uint8)


def canny_by_pixels(grey, low, high):
    """The definition, pixel after pixel."""
    height, width = grey.shape
    g = np.pad(grey.astype(int), 1, mode="edge")
    x, y = np.zeros(grey.shape, int), np.zeros(grey.shape, int)
    for i, j in np.ndindex(height, width):
        w = g[i : i + 3, j : j + 3]
        x[i, j] = w[:, 2] @ [1, 2, 1] - w[:, 0] @ [1, 2, 1]
        y[i, j] = w[2] @ [1, 2, 1] - w[0] @ [1, 2, 1]
    m = np.pad(abs(x) + abs(y), 1)
    candidates = np.zeros(grey.shape, bool)
    for i, j in np.ndindex(height, width):
        angle = np.degrees(np.arctan2(abs(y[i, j]), abs(x[i, j])))
        if angle < 22.5:
            before, after = m[i + 1, j], m[i + 1, j + 2] - 1
        elif angle > 67.5:
            before, after = m[i, j + 1], m[i + 2, j + 1] - 1
        else:
            side = 1 if (x[i, j] < 0) == (y[i, j] < 0) else -1
            before, after = m[i, j + 1 - side], m[i + 2, j + 1 + side]
        candidates[i, j] = m[i + 1, j + 1] > max(low, before, after)
    edges = candidates & (m[1:-1, 1:-1] > high)
    while True:
        p = np.pad(edges, 1)
        touched = sum(p[i : i + height, j : j + width].astype(int) for i in range(3) for j in range(3)) > 0
        grown = candidates & touched
        if (grown == edges).all():
            return edges
        edges = grown


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 7), (31, 23)])
def test_canny_is_its_definition(shape):
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, shape, dtype=np.uint8)
    soft = (areas(2)[..., 0][: shape[0], : shape[1]] // 2).astype(np.uint8)
    for grey in (noise, soft, noise // 4):
        np.testing.assert_array_equal(canny(grey), canny_by_pixels(grey, 100, 200))


def test_a_weak_edge_is_kept_where_it_touches_a_strong_one():
    grey = np.zeros((40, 20), np.uint8)
    grey[:20, 10:] = 60  # Sobel: 4 · 60 = 240 > 200
    grey[20:, 10:] = 40  # 160, between 100 and 200
    assert canny(grey)[5:35, 9:11].any(1).all()
    weak = np.zeros((40, 20), np.uint8)
    weak[:, 10:] = 40
    assert not canny(weak).any()


def test_pixels_near_an_edge_are_blurred_and_no_others():
    picture = areas()
    near = np.pad(canny(np.asarray(Image.fromarray(picture).convert("L"))), 2)
    kernel = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
    mirrored = np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    expected = picture.copy()
    count = 0
    for i, j in np.ndindex(picture.shape[:2]):
        if near[i : i + 5, j : j + 5].any():
            count += 1
            blurred = (kernel[..., None] * mirrored[i : i + 5, j : j + 5]).sum((0, 1))
            expected[i, j] = np.floor(blurred + 0.5)
    assert 0 < count < picture[..., 0].size
    np.testing.assert_array_equal(smooth_edges(picture), expected)


def test_a_tree_is_mirrored_and_inputs_are_left(tmp_path):
    source = tmp_path / PLACE
    for name in ("same.png", "sub folder/same.png", "sub folder/same.jpg"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(areas(len(name), 32, 64)).save(source / name)
    before = {path: path.read_bytes() for path in source.rglob("*.*")}
    out = tmp_path / "out 写"
    assert main(["prepare", "edges", str(source), "-o", str(out), "--size", "16", "--workers", "1"]) == 0
    assert {path: path.read_bytes() for path in source.rglob("*.*")} == before
    made = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png"))
    assert made == ["same.png", "sub folder/same.jpg.png", "sub folder/same.png.png"]
    # 64×32 scaled to a shorter side of 16.
    expected = smooth_edges(load_image(source / "same.png", short_side=16))
    assert expected.shape == (16, 32, 3)
    np.testing.assert_array_equal(load_image(out / "same.png"), expected)


def test_size_0_leaves_the_size(tmp_path):
    Image.fromarray(areas(0, 33, 47)).save(tmp_path / "a.png")
    assert main(["prepare", "edges", str(tmp_path), "-o", str(tmp_path / "o"), "--size", "0", "--workers", "1"]) == 0
    np.testing.assert_array_equal(load_image(tmp_path / "o" / "a.png"), smooth_edges(areas(0, 33, 47)))


def test_a_bad_file_does_not_stop_the_others(tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(areas()).save(folder / "lie.jpg", format="PNG")
    (folder / "bad.png").write_bytes(b"nothing")
    assert main(["prepare", "edges", str(folder), "-o", str(tmp_path / "o"), "--size", "16", "--workers", "1"]) == 1
    assert "bad.png is not a picture" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "o").glob("*.png")] == ["lie.png"]


@pytest.mark.parametrize(("size", "status"), [("3", 2), ("-1", 2)])
def test_a_size_that_cannot_be_is_refused(tmp_path, capsys, size, status):
    Image.fromarray(areas()).save(tmp_path / "a.png")
    assert main(["prepare", "edges", str(tmp_path), "-o", str(tmp_path / "o"), f"--size={size}"]) == status
    assert f"--size {size}" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
