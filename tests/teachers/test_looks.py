"""The looks that small networks learn: local, without a place of their own, true to the hue of skin."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import color, data

from sakuga import teachers
from sakuga.teachers import filters

LOOKS = ["anime", "cel", "comic", "ink", "oil"]


@pytest.fixture(scope="module")
def astronaut():
    """A face and what is around it, (150, 150, 3)."""
    return data.astronaut()[20:170, 150:300]


@pytest.mark.parametrize("look", LOOKS)
class TestEach:
    def test_it_paints_a_face(self, look, astronaut):
        picture = getattr(teachers, look)(astronaut)
        assert picture.shape == astronaut.shape
        assert picture.dtype == np.uint8
        assert np.abs(picture.astype(float) - astronaut).mean() > 5
        assert np.array_equal(picture, getattr(teachers, look)(astronaut))

    def test_a_shifted_photo_gives_the_shifted_picture(self, look, astronaut):
        picture, shifted = (getattr(teachers, look)(p).astype(int) for p in (astronaut, astronaut[3:, 5:]))
        inside = np.abs(picture[3:, 5:] - shifted)[60:-60, 60:-60]
        assert inside.max() <= 1

    def test_it_is_local(self, look, astronaut):
        """What lies beyond 55 pixels counts for nothing that can be seen."""
        other = astronaut.copy()
        other[:12], other[138:] = 255, 0
        other[:, :12], other[:, 138:] = 0, 255
        change = np.abs(getattr(teachers, look)(astronaut).astype(int) - getattr(teachers, look)(other))
        assert change[67:83, 67:83].mean() <= 0.5

    def test_any_size(self, look):
        for size in ((1, 1), (2, 3), (40, 7)):
            photo = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
            assert getattr(teachers, look)(photo).shape == (*size, 3)


@pytest.mark.parametrize("look", ["anime", "cel", "comic", "oil"])
@pytest.mark.parametrize("skin", [(62, 40, 30), (141, 85, 58), (224, 172, 138)])
def test_skin_keeps_its_hue(look, skin):
    shade = ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 1, (96, 96)), 12)
    photo = (np.array(skin) * (1 + 0.15 * shade / shade.std())[..., None]).clip(0, 255).astype(np.uint8)
    before, after = (color.rgb2lab(p)[16:-16, 16:-16].reshape(-1, 3) for p in (photo, getattr(teachers, look)(photo)))
    hues = [np.degrees(np.arctan2(*np.median(lab, 0)[:0:-1])) for lab in (before, after)]
    assert abs(hues[1] - hues[0]) <= 8
    if look != "comic":  # whose light comes in steps of 22
        assert abs(np.median(after[:, 0]) - np.median(before[:, 0])) <= 8


def test_cel_paints_flat_areas_and_draws_their_border():
    photo = np.empty((64, 96, 3), np.uint8)
    photo[:, :48], photo[:, 48:] = (60, 90, 160), (220, 180, 120)
    noisy = (photo + np.random.default_rng(0).normal(0, 6, photo.shape)).clip(0, 255).astype(np.uint8)
    painted = teachers.cel(noisy).astype(float)
    assert painted[8:-8, 8:36].std((0, 1)).max() < 0.3 * noisy[8:-8, 8:36].std((0, 1)).max()
    light = painted.mean(2)[8:-8].mean(0)  # the ink lies on the dark side of the border
    assert 40 <= light.argmin() <= 49
    assert light.min() < 0.6 * light[8:36].mean()


class TestGrade:
    COLORS = np.array([[(196, 140, 110), (90, 60, 45), (60, 120, 50), (50, 90, 160), (130, 130, 130)]], np.uint8)
    """Light skin, dark skin, leaves, sky, gray."""

    def lab(self, **grading):
        picture = self.COLORS.repeat(24, 0).repeat(24, 1)
        return color.rgb2lab(teachers.grade(picture, **grading))[12, 12::24]

    def test_without_a_wish_nothing_changes(self):
        assert np.abs(self.lab() - color.rgb2lab(self.COLORS)[0]).max() < 0.7

    def test_leaves_and_sky_become_vivid_and_skin_and_gray_do_not(self):
        before, after = (np.hypot(*self.lab(vivid=wish)[:, 1:].T) for wish in (0.0, 0.5))
        assert (after[2:4] > 1.25 * before[2:4]).all()
        assert np.abs(after - before)[[0, 1, 4]].max() < 1.5

    def test_contrast_bends_lightness_but_not_that_of_skin(self):
        before, after = (self.lab(contrast=wish)[:, 0] for wish in (0.0, 0.5))
        assert np.abs(after - before)[:2].max() < 1.5
        assert after[2] < before[2] - 1

    def test_shadows_turn_to_violet_away_from_skin(self):
        before, after = self.lab(), self.lab(cool=20)
        assert after[3, 2] < before[3, 2] - 3
        assert np.abs(after - before)[:2].max() < 2

    def test_outlines_darken_where_they_are(self):
        lines = np.full((24, 120, 3), 255, np.uint8)
        lines[:, 60:] = 0
        before, after = self.lab(), self.lab(lines=lines, outlines=1.0)
        assert np.abs(after - before)[:2].max() < 1
        assert (after[3:, 0] < 0.3 * before[3:, 0]).all()

    def test_outlines_are_softer_on_skin_where_they_would_be_wrinkles(self):
        lines = np.zeros((24, 120, 3), np.uint8)
        light = self.lab()[:, 0], self.lab(lines=lines, outlines=1.0)[:, 0]
        kept = light[1] / light[0]
        assert kept[:2].min() > 0.55  # 0.2 elsewhere, 0.6 on skin
        assert kept[2:].max() < 0.3

    @pytest.mark.parametrize("skin", [(30, 19, 15), (24, 16, 14), (58, 36, 28)])
    def test_skin_in_deep_shadow_is_skin(self, skin):
        picture = np.full((24, 24, 3), skin, np.uint8)
        before, after = (color.rgb2lab(teachers.grade(picture, **g)).mean((0, 1)) for g in ({}, {"cool": 20}))
        assert np.abs(after - before).max() < 2


def test_outlines_are_dark_along_edges_alone():
    photo = np.full((64, 96, 3), 200, np.uint8)
    photo[:, 48:] = (90, 60, 160)
    drawn = teachers.outlines(photo)
    assert drawn[16:-16, 46:50].min() < 120
    assert drawn[16:-16, :36].min() == 255
    assert np.ptp(drawn, axis=2).max() == 0


def test_ink_is_black_and_white_and_draws_a_dark_face():
    y, x = np.mgrid[:120, :120]
    photo = np.full((120, 120, 3), (70, 45, 35), np.uint8)
    photo[np.hypot(y - 60, x - 60) < 30] = (105, 75, 60)
    picture = teachers.ink(photo)
    assert np.ptp(picture, axis=2).max() == 0
    ring = picture[..., 0][np.abs(np.hypot(y - 60, x - 60) - 31) < 2]
    assert picture[55:65, 55:65].mean() > 200  # paper, however dark the skin
    assert ring.mean() < 0.7 * picture[55:65, 55:65].mean()


class TestFilters:
    def test_lab_there_and_back(self):
        photo = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
        photo = np.asarray(Image.fromarray(photo[:3, :3]).resize((24, 24)))
        back = filters.to_photo(filters.to_rgb(filters.to_lab(photo)))
        assert np.abs(back.astype(int) - photo).max() <= 2

    def test_out_of_the_gamut_the_hue_stays(self):
        lab = filters.to_lab(np.full((16, 16, 3), (200, 60, 40), np.uint8))
        lab[:, 1:] *= 2
        rgb = filters.to_photo(filters.to_rgb(lab))
        hue = np.degrees(np.arctan2(*color.rgb2lab(rgb)[8, 8][:0:-1]))
        assert abs(hue - np.degrees(np.arctan2(float(lab[0, 2, 8, 8]), float(lab[0, 1, 8, 8])))) <= 2

    def test_smoothing_keeps_an_edge_and_takes_the_noise(self):
        photo = np.full((64, 64, 3), 60, np.uint8)
        photo[:, 32:] = 190
        noisy = (photo + np.random.default_rng(0).normal(0, 5, photo.shape)).clip(0, 255).astype(np.uint8)
        light = filters.smooth(filters.to_lab(noisy), passes=3, tone=8.0)[0, 0].numpy()
        before = filters.to_lab(noisy)[0, 0].numpy()
        assert light[8:-8, 8:24].std() < 0.3 * before[8:-8, 8:24].std()
        assert np.diff(light.mean(0)).max() > 0.7 * np.diff(before.mean(0)).max()

    def test_kuwahara_keeps_a_corner(self):
        from sakuga.teachers.oil import kuwahara

        photo = np.full((64, 64, 3), 40, np.uint8)
        photo[32:, 32:] = 220
        lab = filters.to_lab(photo)
        paint = kuwahara(lab, radius=7)
        assert np.abs((paint - lab).numpy())[0, 0].mean() < 1.0
