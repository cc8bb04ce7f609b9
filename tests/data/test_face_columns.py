"""Landmarks, masks and warps: they move with the crop and the mirror of their picture."""

import json

import numpy as np
import pytest
from PIL import Image

from sakuga.data.columns import Crop
from sakuga.data.landmarks import MIRRORED, Landmarks
from sakuga.data.masks import Masks
from sakuga.data.pictures import Pictures
from sakuga.data.warps import Warps
from sakuga.errors import SakugaError, UsageError

POINTS = [[10, 20], [30, 20], [20, 30], [12, 40], [28, 40]]


@pytest.fixture
def pictures(tmp_path):
    """One picture, 48 wide and 64 tall, black but for a white pixel at every point."""
    pixels = np.zeros((64, 48, 3), np.uint8)
    for x, y in POINTS:
        pixels[y, x] = 255
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "photos" / "sub" / "a.png")
    return Pictures([tmp_path / "photos"])


def side(tmp_path, name, text):
    file = tmp_path / "points" / "sub" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return tmp_path / "points"


class TestLandmarks:
    @pytest.mark.parametrize("mirrored", [False, True])
    @pytest.mark.parametrize("name", ["a.landmarks.json", "a.json", "a.txt"])
    def test_they_lie_where_the_picture_shows_them(self, pictures, tmp_path, mirrored, name):
        text = "\n".join(f"{x}, {y}" for x, y in POINTS)
        if name.endswith("json"):
            text = json.dumps({"width": 48, "height": 64, "points": POINTS})
        landmarks = Landmarks(pictures, side(tmp_path, name, text))
        crop = Crop(0, 10, 5, 40, mirrored)
        shown, points = pictures.take(crop), landmarks.take(crop)
        assert points.dtype == np.float32
        for x, y in points.astype(int):
            assert shown[y, x, 0] == 255
        assert points[0, 0] < points[1, 0]  # the left eye stays on the left
        assert points[3, 0] < points[4, 0]

    def test_they_are_scaled_with_the_picture(self, pictures, tmp_path):
        """The middle of a pixel is at a half: (10 + 0.5) · 2 - 0.5 = 20.5."""
        folder = side(tmp_path, "a.txt", "\n".join(f"{x} {y}" for x, y in POINTS))
        larger = Pictures(pictures.folders, short_side=96)
        assert Landmarks(larger, folder).take(Crop(0, 0, 0, 96, False))[0].tolist() == [20.5, 40.5]

    @pytest.mark.parametrize("order", MIRRORED.values())
    def test_a_mirror_twice_is_none(self, order):
        assert [order[i] for i in order] == list(range(len(order)))

    @pytest.mark.parametrize(
        ("name", "text", "error", "said"),
        [
            ("b.txt", "1 2", UsageError, r"a\.png has no landmarks in .*points: `sakuga prepare landmarks` makes a\.l"),
            ("a.txt", "1 2\n3 4", UsageError, "holds 2 landmarks a face: left and right are known of 5 or 68 only"),
            ("a.txt", "one two", SakugaError, r"a\.txt holds no landmarks \(ValueError"),
            ("a.txt", "", SakugaError, r"holds an array \(0,\), not finite coordinates"),
            ("a.txt", "1 2\nnan 3", SakugaError, "not finite coordinates"),
            ("a.json", "[]", SakugaError, "holds no landmarks"),
            ("a.json", "[" * 100_000, SakugaError, "holds no landmarks"),
            ("a.json", '{"width": 9, "height": 9, "points": [[1, 2]]}', SakugaError, r"of \(9, 9\), and .* 48x64"),
        ],
    )
    def test_what_cannot_be(self, pictures, tmp_path, name, text, error, said):
        with pytest.raises(error, match=said):
            Landmarks(pictures, side(tmp_path, name, text))


class TestMasks:
    def test_they_are_cut_with_the_picture(self, pictures, tmp_path):
        (tmp_path / "masks" / "sub").mkdir(parents=True)
        Image.fromarray(pictures[0]).convert("L").save(tmp_path / "masks" / "sub" / "a.bmp")
        masks = Masks(pictures, tmp_path / "masks")
        for crop in (Crop(0, 3, 4, 16, False), Crop(0, 3, 4, 16, True), Crop(0, 0, 0, 80, True)):
            np.testing.assert_array_equal(masks.take(crop)[0], pictures.take(crop)[..., 0] / np.float32(255))

    def test_a_partner_that_is_missing_or_of_another_shape(self, pictures, tmp_path):
        (tmp_path / "masks").mkdir()
        Image.new("L", (48, 64)).save(tmp_path / "masks" / "a.png")
        with pytest.raises(UsageError, match=r"a\.png has no partner in .*masks"):
            Masks(pictures, tmp_path / "masks")
        (tmp_path / "masks" / "sub").mkdir()
        Image.new("L", (64, 48)).save(tmp_path / "masks" / "sub" / "a.png")
        with pytest.raises(UsageError, match=r"is 48x64 but its partner 64x48"):
            Masks(pictures, tmp_path / "masks")


class TestWarps:
    @pytest.mark.parametrize("size", [(64, 64), (8, 8)])
    def test_a_mirror_warps_to_the_mirror_image(self, tmp_path, size):
        """What lies at p + d(p) is shown at p: in the mirror too."""
        rng = np.random.default_rng(0)
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(tmp_path / "a.png")
        field = rng.normal(size=(2, *size)).astype(np.float32)
        np.savez(tmp_path / "warps.npz", a=field)
        warps = Warps(Pictures([tmp_path / "a.png"]), tmp_path / "warps.npz")
        plain, mirrored = (warps.take(Crop(0, 0, 0, 64, m)) for m in (False, True))
        np.testing.assert_array_equal(plain, field)
        for x in range(size[1]):
            np.testing.assert_array_equal(mirrored[0, :, x], -field[0, :, size[1] - 1 - x])
            np.testing.assert_array_equal(mirrored[1, :, x], field[1, :, size[1] - 1 - x])

    def test_a_field_as_large_as_its_picture_is_cropped(self, pictures, tmp_path):
        field = np.random.default_rng(0).normal(size=(2, 64, 48)).astype(np.float32)
        np.savez(tmp_path / "warps.npz", a=field)
        taken = Warps(pictures, tmp_path / "warps.npz").take(Crop(0, 7, 3, 20, False))
        np.testing.assert_array_equal(taken, field[:, 7:27, 3:23])

    def test_what_cannot_be(self, pictures, tmp_path):
        file = tmp_path / "warps.npz"
        with pytest.raises(UsageError, match=r"warps\.npz cannot be read"):
            Warps(pictures, file)
        np.savez(file, b=np.zeros((2, 8, 8)))
        with pytest.raises(UsageError, match=r"has no warp for .*a\.png: add a"):
            Warps(pictures, file)
        for wrong in (np.zeros((8, 8)), np.full((2, 8, 8), np.nan)):
            np.savez(file, a=wrong)
            with pytest.raises(SakugaError, match=r"a is an array .*, not finite numbers"):
                Warps(pictures, file)
        np.savez(file, a=np.array([{}], dtype=object))
        with pytest.raises(SakugaError, match=r"is no whole \.npz of numbers"):
            Warps(pictures, file)
        np.savez(file, a=np.zeros((2, 8, 8)))
        with pytest.raises(SakugaError, match="holds warps of 8x8 for whole pictures, and a crop of 20 is a part"):
            Warps(pictures, file).take(Crop(0, 0, 0, 20, False))
        file.write_bytes(file.read_bytes()[:100])
        with pytest.raises(SakugaError, match=r"is no whole \.npz"):
            Warps(pictures, file)
