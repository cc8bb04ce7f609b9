"""Losses of pixels, by hand."""

import pytest
import torch
from cases import Case, images
from torch import Tensor
from torch.testing import assert_close

from sakuga.losses import checkerboard, gradient_l1, l1, l2, line_l1, total_variation
from sakuga.losses.pixel import huber

CASES = [
    Case("l1", l1, zero=True),
    Case("l2", l2, zero=True),
    Case("huber", huber, zero=True),
    Case("huber with a corner", lambda x, y, **k: huber(x, y, delta=0.25, **k), zero=True),
    Case("gradient_l1", gradient_l1, zero=True),
    Case(
        "line_l1",
        lambda x, y, p, **k: line_l1(x, y, p, width=3, **k),
        dict.fromkeys(("image", "target", "photo"), (3, 6, 4)),
        zero=False,
    ),
    Case("total_variation", total_variation, {"image": (3, 6, 4)}),
    Case("total_variation isotropic", lambda x, **k: total_variation(x, norm="isotropic", **k), {"image": (3, 6, 4)}),
    Case("checkerboard", lambda image, **k: checkerboard(image, period=2, window=1, **k), {"image": (3, 6, 4)}),
]


def test_what_cannot_be_measured_is_refused():
    for loss in (total_variation, lambda x: total_variation(x, norm="isotropic"), lambda x: gradient_l1(x, x)):
        with pytest.raises(ValueError, match="at least 2 rows"):
            loss(images()[..., :1])
    with pytest.raises(ValueError, match="multiples of 4, not"):
        checkerboard(images())
    with pytest.raises(ValueError, match="delta must be positive, not 0"):
        huber(images(), images(), delta=0)
    with pytest.raises(ValueError, match="norm must be 'squared' or 'isotropic', not 'l1'"):
        total_variation(images(), norm="l1")  # type: ignore[arg-type]


def picture(*rows: list[float]) -> Tensor:
    return torch.tensor([[rows]])


def test_pixels_by_hand():
    x, y = picture([0.0, 1.0], [0.5, -1.0]), picture([0.0, 0.0], [0.0, 0.0])
    # |0| + |1| + |.5| + |-1| = 2.5 over 4; squares 0 + 1 + .25 + 1 = 2.25 over 4.
    assert l1(x, y).item() == 0.625
    assert l2(x, y).item() == 0.5625
    # At δ = 1: 0, 1 / 2, .25 / 2, 1 / 2 = 1.125 over 4; at δ = .5: 0, .5 (1 - .25) twice, .125 = .875 over 4.
    assert huber(x, y).item() == 0.28125
    assert huber(x, y, delta=0.5).item() == 0.21875
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


def test_isotropic_total_variation_by_hand():
    # One pixel of four has both neighbours: down 3, right 4, √(9 + 16); beside it a pair of 0 and 1: (5 + 1) / 2.
    assert total_variation(picture([0.0, 4.0], [3.0, 9.0]), norm="isotropic").item() == 5
    assert total_variation(picture([0.0, 4.0, 5.0], [3.0, 4.0, 9.0]), norm="isotropic").item() == 3
    # It is the same for an edge of either direction, and twice as high an edge costs twice as much.
    edge = torch.ones(1, 1, 5, 5, dtype=torch.float64)
    edge[..., :2] = 0
    assert_close(total_variation(edge, norm="isotropic"), total_variation(edge.mT, norm="isotropic"))
    assert_close(total_variation(2 * edge, norm="isotropic"), 2 * total_variation(edge, norm="isotropic"))
    assert_close(total_variation(edge, norm="isotropic"), torch.tensor(1 / 4, dtype=torch.float64))


def test_isotropic_total_variation_of_a_flat_image_has_no_gradient():
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        flat = torch.full((1, 3, 4, 4), 0.5, dtype=dtype, requires_grad=True)
        loss = total_variation(flat, norm="isotropic")
        loss.backward()
        assert loss.item() < 1e-15
        assert flat.grad is not None
        assert flat.grad.abs().max() == 0


def test_line_l1_sees_thin_dark_lines_that_the_photo_has_not():
    """A line two wide at half the full depth weighs half; a broad shadow, a light line and a photo's line nothing."""
    photo = torch.zeros(1, 3, 24, 24)
    line, shadow = photo.clone(), photo.clone()
    line[..., 10:12] = -0.2
    shadow[..., 8:20] = -0.2
    assert_close(line_l1(photo, line, photo), torch.tensor(0.5 * 0.2 * 2 / 24))
    assert_close(line_l1(photo, shadow, photo), torch.tensor(0.0))
    assert_close(line_l1(photo, -line, photo), torch.tensor(0.0))
    assert_close(line_l1(photo, line, line), torch.tensor(0.0))
    with pytest.raises(ValueError, match="odd, not 4"):
        line_l1(photo, line, photo, width=4)
