"""Adversarial pairs, by hand."""

import pytest
import torch
from cases import Case
from torch.testing import assert_close

from sakuga.losses.adversarial import (
    bce,
    bce_saturating,
    hinge,
    least_squares,
    lsgan,
    lsgan_pearson,
    relativistic,
    wgan,
)

SCORES, FAKE, ANY = {"real": (1, 3, 2), "fake": (1, 3, 2)}, {"fake": (1, 3, 2)}, {"scores": (1, 3, 2)}
PAIRS = {
    "bce": bce,
    "bce_saturating": bce_saturating,
    "least_squares": least_squares(a=0.1, b=0.9, c=0.8),
    "lsgan": lsgan,
    "lsgan_pearson": lsgan_pearson,
    "wgan": wgan,
    "hinge": hinge,
}

CASES = [
    Case(f"{name}.{half}", getattr(pair, half), shapes, any_shape=True)
    for name, pair in PAIRS.items()
    for half, shapes in {"d": SCORES, "g": FAKE, "real": ANY, "fake": ANY}.items()
] + [
    Case("relativistic.d", relativistic.d, SCORES, any_shape=True),
    Case("relativistic.g", relativistic.g, SCORES, any_shape=True),
    Case("bce.d of heads", lambda r, f, **k: bce.d([r, r * 2], (f, f - 1), **k), SCORES, any_shape=True),
    Case("bce.g of heads", lambda f, **k: bce.g([f, f * 2], **k), FAKE, any_shape=True),
    Case("relativistic.d of heads", lambda r, f, **k: relativistic.d([r, r * 2], [f, f], **k), SCORES, any_shape=True),
]

LN2 = 0.693147


@pytest.mark.parametrize(
    ("pair", "d", "g"),
    [
        (bce, 2 * LN2, LN2),  # log 2 for each half
        (bce_saturating, 2 * LN2, -LN2),
        (lsgan, 1, 1),  # 1² + 0²; 1²
        (lsgan_pearson, 2, 0),  # 1² + 1²; 0²
        (least_squares(a=0.1, b=0.9, c=0.8), 0.82, 0.64),  # .9² + .1²; .8²
        (wgan, 0, 0),
        (hinge, 2, 0),  # 1 + 1
    ],
)
def test_where_d_says_nothing(pair, d, g):
    zero = torch.zeros(2, 1, 3, 3)
    assert_close(pair.d(zero, zero), torch.tensor(float(d)))
    assert_close(pair.g(zero), torch.tensor(float(g)))


def test_adversarial_by_hand():
    real, fake = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.5, -2.0]])
    # lsgan: real (1 + 1) / 2 = 1; fake (.25 + 4) / 2 = 2.125; g (.25 + 9) / 2 = 4.625.
    assert lsgan.d(real, fake).item() == 3.125
    assert lsgan.g(fake).item() == 4.625
    # lsgan_pearson: real 1; fake (2.25 + 1) / 2 = 1.625; g (.25 + 4) / 2 = 2.125.
    assert lsgan_pearson.d(real, fake).item() == 2.625
    assert lsgan_pearson.g(fake).item() == 2.125
    # hinge: real (0 + 1) / 2 = .5; fake (1.5 + 0) / 2 = .75; g -(.5 - 2) / 2 = .75.
    assert hinge.d(real, fake).item() == 1.25
    assert hinge.g(fake).item() == 0.75
    # wgan: real -1; fake -1.5 / 2 = -.75; g .75.
    assert wgan.d(real, fake).item() == -1.75
    assert wgan.g(fake).item() == 0.75


def test_logarithms_by_hand():
    # σ(log 3) = 3/4: D is three quarters sure of either. d = -2 log 3/4; g = -log 1/4 or log 3/4 for a fake of -log 3.
    real, fake = torch.tensor([3.0]).log(), -torch.tensor([3.0]).log()
    for pair in (bce, bce_saturating):
        assert_close(pair.d(real, fake), -2 * torch.tensor(0.75).log())
    assert_close(bce.g(fake), torch.tensor(4.0).log())
    assert_close(bce_saturating.g(fake), torch.tensor(0.75).log())
    # The gap is 2 log 3 = log 9: d = -log 9/10, g = -log 1/10.
    assert_close(relativistic.d(real, fake), -torch.tensor(0.9).log())
    assert_close(relativistic.g(real, fake), torch.tensor(10.0).log())


def test_logarithms_of_extreme_scores_are_finite():
    far = torch.tensor([1e4])
    assert bce.d(-far, far).item() == 2e4
    assert bce.g(-far).item() == 1e4
    assert bce_saturating.g(far).item() == -1e4


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_d_is_the_sum_of_its_halves(pair):
    real, fake = torch.randn(3, 1, 2, 2), torch.randn(3, 1, 4, 4)
    halves = pair.real(real, reduction="none") + pair.fake(fake, reduction="none")
    assert_close(pair.d(real, fake, reduction="none"), halves)


def test_heads_count_alike_whatever_their_size():
    small, large = torch.tensor([[2.0]]), torch.tensor([[0.0, 0.0, 3.0]])
    # (2 - 1)² = 1 and (1 + 1 + 4) / 3 = 2: mean 1.5, where the mean over all four scores would be 7 / 4.
    assert lsgan.g([small, large]).item() == 1.5
    assert lsgan.d((small, large), (small * 0, large * 0)).item() == 1.5
    # Gaps 0 and log 3: (log 2 + log 4/3) / 2.
    three = torch.tensor([3.0]).log()
    assert_close(relativistic.d([three, three], [three, three * 0]), torch.tensor(8 / 3).log() / 2)


def test_scores_that_do_not_fit_are_refused():
    one, two = torch.zeros(1, 1), torch.zeros(2, 1)
    with pytest.raises(ValueError, match="fake must have shape"):
        lsgan.g(torch.tensor(1.0))
    with pytest.raises(ValueError, match=r"fake\[1\] must have shape"):
        lsgan.g([one, torch.tensor(1.0)])
    with pytest.raises(ValueError, match=r"fake\[1\] holds 2 samples"):
        lsgan.g([one, two])
    with pytest.raises(ValueError, match="real has 1 and fake has 2 heads"):
        lsgan.d(one, [one, one])
    with pytest.raises(ValueError, match="scores has 0 heads"):
        lsgan.real([])
    with pytest.raises(ValueError, match="fake has shape"):
        relativistic.d(two, torch.zeros(2, 3))
