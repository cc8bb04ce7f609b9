"""L0 smoothing, non-local means, Felzenszwalb's segments: what goes, what stays, by how much."""

import numpy as np
import pytest
from PIL import Image
from skimage.color import lab2xyz, xyz2lab
from skimage.color.colorconv import rgb_from_xyz, xyz_from_rgb

from sakuga.data.derived.segments import Segments, regions, superpixels
from sakuga.data.derived.smoothing import l0_smooth, non_local_means
from sakuga.data.pictures import Pictures


def noise(height=24, width=30, seed=0):
    return np.random.default_rng(seed).random((height, width, 3))


def halves(step, height=12, width=16):
    picture = np.full((height, width, 3), 0.5)
    picture[:, width // 2 :] += step
    return picture


class TestL0Smooth:
    def test_a_step_stays_where_its_removal_costs_more(self):
        """Kept it costs λ at both its places (the picture goes on at the other side), flattened (d/2)² everywhere.

        12 rows: 2 · 12 λ = 0.12 against 3 · 12 · 16 · d²/4 = 144 d², equal at d = 0.029.
        """
        np.testing.assert_allclose(l0_smooth(halves(0.2)), halves(0.2), atol=2e-3)
        np.testing.assert_allclose(l0_smooth(halves(0.01)), 0.505, atol=1e-3)
        np.testing.assert_allclose(l0_smooth(halves(0.2), strength=1.0), 0.6, atol=1e-3)

    def test_grain_goes_and_the_edge_stays(self):
        grain = np.random.default_rng(0).normal(0, 0.01, (32, 32, 3))
        smooth = l0_smooth(halves(0.4, 32, 32) + grain)
        for area in (smooth[:, :16], smooth[:, 16:]):
            assert area.std((0, 1)).max() < 1e-3
        assert np.abs(smooth[:, 16] - smooth[:, 15] - 0.4).max() < 0.01

    def test_the_mean_colour_is_kept(self):
        np.testing.assert_allclose(l0_smooth(noise()).mean((0, 1)), noise().mean((0, 1)), atol=1e-5)

    @pytest.mark.parametrize("size", [(5, 6), (6, 5)])
    def test_it_is_the_published_algorithm(self, size):
        """Algorithm 1 with a dense system of equations in place of Fourier transforms."""
        picture, strength = noise(*size) / 4, 0.005
        n = size[0] * size[1]
        places = np.arange(n).reshape(size)
        derivatives = [np.eye(n)[np.roll(places, -1, axis).ravel()] - np.eye(n) for axis in (0, 1)]
        s = start = picture.reshape(n, 3)
        beta = 2 * strength
        while beta < 1e5:
            steps = [d @ s for d in derivatives]
            steps = [np.where(sum((x**2).sum(1, keepdims=True) for x in steps) < strength / beta, 0, x) for x in steps]
            left = np.eye(n) + beta * sum(d.T @ d for d in derivatives)
            s = np.linalg.solve(left, start + beta * sum(d.T @ x for d, x in zip(derivatives, steps, strict=True)))
            beta *= 2
        assert np.abs(s - start).max() > 0.01
        np.testing.assert_allclose(l0_smooth(picture), s.reshape(*size, 3), atol=2e-4)


def stripes(one, other):
    """Columns of two colours, given in the Lab of linear light, by turns; 20×20."""
    lab = np.tile(np.array([[one, other]], float), (20, 10, 1))
    return lab2xyz(lab) @ rgb_from_xyz.T


class TestNonLocalMeans:
    def test_without_strength_nothing_changes(self):
        np.testing.assert_allclose(non_local_means(noise(), luma=1e-3, chroma=1e-3), noise(), atol=1e-6)

    def test_a_plain_area_stays(self):
        plain = np.full((16, 16, 3), (0.2, 0.9, 0.4))
        np.testing.assert_allclose(non_local_means(plain), plain, atol=1e-6)

    @pytest.mark.parametrize("patch", [5, 7])
    def test_luma_in_steps_of_eight_bits(self, patch):
        """Stripes that differ by h = 7 steps: of 7 columns 3 are alike, and 4 count e⁻¹ = 0.368.

        (3 · 0 + 4 · 0.368 · 7) / (3 + 4 · 0.368) = 2.30 steps of 100/255 each.
        """
        step = 100 / 255
        clean = non_local_means(stripes((50, 0, 0), (50 + 7 * step, 0, 0)), patch=patch)
        lab = xyz2lab(clean @ xyz_from_rgb.T)[8:-8, 8:-8]
        np.testing.assert_allclose((lab[:, ::2, 0] - 50) / step, 2.30, atol=0.15)
        np.testing.assert_allclose((lab[:, 1::2, 0] - 50) / step, 7 - 2.30, atol=0.15)

    def test_chroma_is_compared_in_both_its_channels(self):
        """h = 6: a differs by 6, b not at all, so d = 36 / 2 and the 4 other columns count e^-½ = 0.607.

        (4 · 0.607 · 6) / (3 + 4 · 0.607) = 2.68.
        """
        clean = non_local_means(stripes((60, 0, 5), (60, 6, 5)))
        lab = xyz2lab(clean @ xyz_from_rgb.T)[8:-8, 8:-8]
        np.testing.assert_allclose(lab[:, ::2, 1], 2.68, atol=0.15)
        np.testing.assert_allclose(lab[:, 1::2, 1], 6 - 2.68, atol=0.15)
        np.testing.assert_allclose(lab[..., 2], 5, atol=0.05)

    def test_the_search_window(self):
        """In a window of 3 columns one is alike and two count 0.368: 2 · 0.368 · 7 / (1 + 2 · 0.368) = 2.97."""
        step = 100 / 255
        clean = non_local_means(stripes((50, 0, 0), (50 + 7 * step, 0, 0)), search=3)
        lab = xyz2lab(clean @ xyz_from_rgb.T)[8:-8, 8:-8]
        np.testing.assert_allclose((lab[:, ::2, 0] - 50) / step, 2.97, atol=0.15)


class TestRegions:
    def test_two_areas_are_not_mixed(self):
        # The blur of 0.8 before makes narrow areas of the edge between, too small to stand alone.
        labels = regions((255 * halves(0.4, 32, 32)).astype(np.uint8))
        assert not set(labels[:, :14].ravel()) & set(labels[:, 18:].ravel())
        assert len(np.unique(labels[:, :14])) == len(np.unique(labels[:, 18:])) == 1

    @pytest.mark.parametrize("least", [50, 100])
    def test_none_is_smaller_than_asked(self, least):
        labels = regions((255 * noise(64, 64)).astype(np.uint8), min_size=least)
        assert labels.dtype == np.int32
        sizes = np.bincount(labels.ravel())
        assert len(sizes) > 5
        assert sizes.min() >= least

    def test_each_method_keeps_files_of_its_own(self, tmp_path):
        (tmp_path / "photos").mkdir()
        Image.fromarray((255 * noise(40, 60)).astype(np.uint8)).save(tmp_path / "photos" / "0.png")
        pictures = Pictures([tmp_path / "photos"])
        (slic,), (felzenszwalb,) = (Segments(pictures, tmp_path / "cache", m).files for m in (superpixels, regions))
        np.testing.assert_array_equal(np.load(slic), superpixels(pictures[0]))
        np.testing.assert_array_equal(np.load(felzenszwalb), regions(pictures[0]))
