"""Losses of pixels, by hand."""

import pytest
import torch
from cases import Case, images
from torch import Tensor
from torch.testing import assert_close

from sakuga.losses import checkerboard, gradient_l1, l1, l2, total_variation

CASES = [
    Case("l1", l1, zero=True),
    Case("l2", l2, zero=True),
    Case("gradient_l1", gradient_l1, zero=True),
    Case("total_variation", total_variation, {"image": (3, 6, 4)}),
    Case("checkerboard", lambda image, **k: checkerboard(image, period=2, window=1, **k), {"image": (3, 6, 4)}),
]


def test_what_cannot_be_measured_is_refused():
    for loss in (lambda x: total_variation(x), lambda x: gradient_l1(x, x)):
        with pytest.raises(ValueError, match="at least 2 rows"):
            loss(images()[..., :1])
    with pytest.raises(ValueError, match="multiples of 4, not"):
        checkerboard(images())


def picture(*rows: list[float]) -> Tensor:
    return torch.tensor([[rows]])


def test_pixels_by_hand():
    x, y = picture([0.0, 1.0], [0.5, -1.0]), picture([0.0, 0.0], [0.0, 0.0])
    # |0| + |1| + |.5| + |-1| = 2.5 over 4; squares 0 + 1 + .25 + 1 = 2.25 over 4.
    assert l1(x, y).item() == 0.625
    assert l2(x, y).item() == 0.5625
    # Down: |.5 - 0| + |-1 - 1| = 2.5 over 2; right: |1 - 0| + |-1 - .5| = 2.5 over 2.
    assert gradient_l1(x, y).item() == 2.5
    # Down: .25 + 4 = 4.25 over 2; right: 1 + 2.25 = 3.25 over 2.
    assert total_variation(x).item() == 3.75


def test_checkerboard_by_hand():
    # Squares of two pixels: at the places of a square 1, 0, 0, 1 everywhere, mean 1/2: (4 · 1/4) / 4.
    board = picture([1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0])
    assert checkerboard(board, period=2, window=1).item() == 0.25
    # The same pixels with the second square's colours exchanged average out in a window of two squares.
    stroke = torch.cat([board, board], dim=2).clone()
    stroke[:, :, 2:] = 1 - stroke[:, :, 2:]
    assert checkerboard(stroke, period=2, window=2).item() == 0
    assert checkerboard(torch.cat([board, board], dim=2), period=2, window=2).item() == 0.25


def test_gradient_l1_ignores_a_constant_and_sees_a_sign():
    x = images()
    assert_close(gradient_l1(x, x + 0.25), torch.zeros((), dtype=torch.float64))
    assert gradient_l1(x, -x) > 0.1
