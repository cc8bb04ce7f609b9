"""What a style does to the signal, on signals whose values are known."""

import pytest
import torch

from sakuga.metrics import signal


def grey(level):
    return torch.full((1, 3, 32, 32), level / 127.5 - 1)


def noise(seed=0, size=32):
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_a_photo_and_itself():
    photo = noise()
    assert signal.colour_shift(photo, photo).tolist() == [0, 0]
    assert signal.pattern(photo, photo).tolist() == [0, 0]
    assert (signal.energy(photo) / signal.energy(photo)).tolist() == [1, 1]


def test_colour_shift_is_the_distance_in_lab():
    # From black, L = 0, to white, L = 100; both without colour.
    assert signal.colour_shift(grey(255), grey(0)).item() == pytest.approx(100, abs=1e-3)
    # A half of the areas: the mean is 50.
    half = grey(0)
    half[:, :, :16] = 1
    assert signal.colour_shift(half, grey(0)).item() == pytest.approx(50, abs=1e-3)


def test_moving_strokes_within_an_area_is_no_shift_of_colour():
    photo = noise()
    mirrored = photo.unflatten(3, (2, 16)).flip(4).flatten(3)  # within squares of 16
    assert signal.colour_shift(mirrored, photo).max() < 1e-4


def test_high_frequencies_by_hand():
    # A ramp has none. Columns of ±10 in turn become, blurred, 10 (1 - 4 + 6 - 4 + 1) / 16 = 0: all is left, energy 100.
    ramp = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    assert signal.high_frequencies(ramp)[..., 2:-2].abs().max() < 1e-4
    columns = grey(0) + 1 + torch.tensor([10, -10] * 16) / 127.5
    assert signal.energy(columns).item() == pytest.approx(100, rel=1e-4)


def test_grain_counts_where_the_photo_is_quiet_only():
    photo = grey(128)
    photo[:, :, 16:] = noise()[:1, :, 16:]  # the lower half is busy
    loud, quiet = photo.clone(), photo.clone()
    loud[:, :, 20:] *= -1
    quiet[:, :, 2:14] += torch.tensor([10, -10] * 16) / 127.5
    assert signal.grain(loud, photo).item() == pytest.approx(signal.grain(photo, photo).item())
    # Columns of ±10 on 12 of the 16 quiet rows; at either end the vertical blur sees the edge: near 10 √(12/16) = 8.7.
    assert signal.grain(quiet, photo).item() == pytest.approx(8.7, abs=0.5)


def test_a_pattern_by_hand():
    # ±10 levels in turn, with a period of 2, which is one of 4 as well: root mean square 10.
    columns = torch.tensor([10, -10] * 16) / 127.5
    photo = noise()[:1] / 2
    assert signal.pattern(photo + columns, photo).item() == pytest.approx(10, rel=1e-4)
    stripes = torch.tensor([10, 10, 10, -10, -10, -10] * 6)[:32] / 127.5
    # With a period of 6, the four pixels 4 apart hold each sign at least once: half of it at most is left.
    assert signal.pattern(photo + stripes, photo).item() < 5
