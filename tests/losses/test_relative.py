"""RelGAN's objectives, by hand."""

import pytest
import torch
from cases import Case
from torch import Tensor
from torch.testing import assert_close

from sakuga.losses.adversarial import bce, wgan
from sakuga.losses.relative import interpolation, matching, wrong_triplets

MAP = (1, 3, 2)
MATCH = {"real": MAP, "fake": MAP, "wrong": MAP}
ENDS = {"score": MAP, "alpha": (), "start": MAP, "end": MAP}


def lies(wrong: Tensor) -> list[Tensor]:
    return [wrong, 2 * wrong, wrong - 1, -wrong]


CASES = [
    Case("matching.d", lambda r, f, w, **k: matching.d(r, f, lies(w), **k), MATCH, any_shape=True),
    Case("matching.d bce", lambda r, f, w, **k: matching.d(r, f, lies(w), objective=bce, **k), MATCH, any_shape=True),
    Case("matching.g", matching.g, {"fake": MAP}, any_shape=True),
    Case("interpolation.d", interpolation.d, ENDS, any_shape=True),
    Case("interpolation.d basic", lambda *t, **k: interpolation.d(*t, form="basic", **k), ENDS, any_shape=True),
    Case("interpolation.g", interpolation.g, {"score": MAP}, any_shape=True),
]


def test_matching_by_hand():
    real, fake, wrong = torch.tensor([3.0]), torch.tensor([0.5]), [torch.tensor([x]) for x in (1.0, 2.0, 0.0, -1.0)]
    # (3 - 1)² + .5² + 1 + 4 + 0 + 1 = 10.25; g (.5 - 1)² = .25.
    assert matching.d(real, fake, wrong).item() == 10.25
    assert matching.g(fake).item() == 0.25
    # As a Wasserstein critic: -3 + .5 + (1 + 2 + 0 - 1) = -.5; g -.5.
    assert matching.d(real, fake, wrong, objective=wgan).item() == -0.5
    assert matching.g(fake, objective=wgan).item() == -0.5


def test_matching_wants_four_wrong_triplets():
    x = torch.zeros(2, 1)
    with pytest.raises(ValueError, match="wrong must hold the scores of four triplets, not 3"):
        matching.d(x, x, [x, x, x])
    with pytest.raises(ValueError, match=r"wrong\[2\] holds 1 samples"):
        matching.d(x, x, [x, x, x[:1], x])


def test_wrong_triplets_by_hand():
    x_a, x_b, x_c = images = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2), torch.full((1, 3, 2, 2), 2.0)
    a, b, c = torch.tensor([[[0.0, 0, 1]], [[0.0, 1, 1]], [[1.0, 1, 0]]])
    expected = [
        (x_c, [0.0, 1, 0], x_b),  # v_ab = b - a
        (x_a, [0.0, 1, 0], x_c),
        (x_a, [1.0, 1, -1], x_b),  # v_ac = c - a
        (x_a, [-1.0, 0, 1], x_b),  # v_cb = b - c
    ]
    assert [(s, v[0].tolist(), t) for s, v, t in wrong_triplets(images, (a, b, c))] == expected


def test_interpolation_by_hand():
    score, start, end = torch.tensor([0.5, 0.5]), torch.tensor([1.0, 1.0]), torch.tensor([2.0, 2.0])
    alpha = torch.tensor([0.3, 0.8])
    # α = .3: α̂ = .3, (.5 - .3)² + 1² = 1.04, the start counts; α = .8: α̂ = .2, (.5 - .2)² + 2² = 4.09, the end counts.
    assert_close(interpolation.d(score, alpha, start, end, reduction="none"), torch.tensor([1.04, 4.09]))
    # Both ends: .04 + 5 and .09 + 5.
    basic = interpolation.d(score, alpha, start, end, form="basic", reduction="none")
    assert_close(basic, torch.tensor([5.04, 5.09]))
    assert interpolation.g(score).item() == 0.25


def test_interpolation_in_the_middle_holds_the_start():
    zero, one, half = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2), torch.tensor([0.5])
    # α = α̂ = ½ belongs to α ≤ ½.
    assert interpolation.d(zero + 0.5, half, zero, one).item() == 0
    assert interpolation.d(zero + 0.5, half, one, zero).item() == 1


def test_interpolation_is_least_where_d_tells_the_truth():
    alpha = torch.rand(5)
    truth, zero = torch.minimum(alpha, 1 - alpha), torch.zeros(5)
    for form in ("modified", "basic"):
        assert interpolation.d(truth, alpha, zero, zero, form=form).item() == 0
    with pytest.raises(ValueError, match="form must be"):
        interpolation.d(truth, alpha, zero, zero, form="full")
    with pytest.raises(ValueError, match=r"alpha must have shape \(N\), not \(5, 1\)"):
        interpolation.d(truth, alpha[:, None], zero, zero)
