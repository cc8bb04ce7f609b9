"""The classical teachers."""

import numpy as np
import pytest
from scipy import ndimage

from sakuga.teachers import cel


def test_cel_paints_flat_areas_and_draws_their_border():
    photo = np.empty((64, 96, 3), np.uint8)
    photo[:, :48], photo[:, 48:] = (60, 90, 160), (220, 180, 120)
    noisy = (photo + np.random.default_rng(0).normal(0, 6, photo.shape)).clip(0, 255).astype(np.uint8)
    painted = cel(noisy).astype(float)
    assert painted.shape == photo.shape
    inside = painted[8:-8, 8:36]
    assert inside.std((0, 1)).max() < 0.3 * noisy[8:-8, 8:36].std((0, 1)).max()
    # The ink lies on the dark side of the border.
    light = painted.mean(2)[8:-8].mean(0)
    assert 40 <= light.argmin() <= 49
    assert light.min() < 0.6 * light[8:36].mean()


def test_cel_is_deterministic():
    photo = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    photo = ndimage.gaussian_filter(photo, (3, 3, 0))
    assert np.array_equal(cel(photo), cel(photo))


@pytest.mark.parametrize("size", [(2, 2), (3, 40), (64, 80)])
def test_cel_takes_any_size_and_noise(size):
    photo = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    assert cel(photo).shape == (*size, 3)
