"""Losses of attention, by hand."""

from math import log

import pytest
import torch
from cases import Case
from torch import Tensor
from torch.testing import assert_close

from sakuga.losses.adversarial import bce
from sakuga.losses.attention import cam_discriminator, cam_generator, cam_loss

WEIGHT = torch.tensor([[1.0, -0.5, 2.0], [0.5, 1.5, -1.0]])


def classes(n: int, chance: torch.Generator) -> Tensor:
    return torch.randint(2, (n,), generator=chance)


CASES = [
    Case("cam_generator", cam_generator, {"source_logits": (2,), "target_logits": (2,)}, any_shape=True),
    Case("cam_discriminator.d", cam_discriminator.d, {"real": (2,), "fake": (2,)}, any_shape=True),
    Case("cam_discriminator.g", cam_discriminator.g, {"fake": (2,)}, any_shape=True),
    Case(
        "cam_loss",
        lambda f, c, **k: cam_loss(f, WEIGHT.to(f), c, **k),
        {"features": (3, 4, 3)},
        {"labels": classes},
    ),
]


def test_cam_generator_by_hand():
    # σ(ln 3) = 3/4: -ln 3/4 for the source, -ln 1/4 for the target; at 0 each costs ln 2.
    logit = torch.tensor([[log(3), log(3)]])
    assert_close(cam_generator(logit, torch.zeros(1, 2)), torch.tensor(log(4 / 3) + log(2)))
    assert_close(cam_generator(torch.zeros(1, 2), logit), torch.tensor(log(2) + log(4)))
    a, b = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(0))
    assert_close(cam_generator(a, b), bce.d(a, b))


def test_cam_discriminator_by_hand():
    real, fake = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    # D: (0 + 1) / 2 + (0 + 4) / 2; G: (1 + 1) / 2.
    assert cam_discriminator.d(real, fake).item() == 2.5
    assert cam_discriminator.g(fake).item() == 1


def test_cam_loss_by_hand():
    # Two channels at three places: CAAM (0, 2, 4) + (4, 2, 2) = (4, 4, 6), scaled (0, 0, 1).
    features = torch.tensor([[[[0.0, 2.0, 4.0]], [[4.0, 2.0, 2.0]]]])
    weight = torch.tensor([[1.0, 0.0], [0.0, 3.0], [2.0, 2.0]])
    # Class 0: (0, 2, 4) is (0, 1/2, 1), off by 1/2 at one of three. Class 1: (12, 6, 6) is (1, 0, 0), off by 1 and 1.
    # Class 2: twice CAAM.
    each = cam_loss(features.expand(3, -1, -1, -1), weight, torch.tensor([0, 1, 2]), reduction="none")
    assert_close(each, torch.tensor([1 / 6, 2 / 3, 0.0]))


def test_cam_loss_scales_over_the_whole_map():
    # Rows (0, 1) and (2, 3) over all: (0, 1/3, 2/3, 1); the other channel is (0, 0, 0, 3), CAAM (0, 1, 2, 6) / 6.
    features = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]], [[0.0, 0.0], [0.0, 3.0]]]])
    # |1/6 - 1/3| + |2/6 - 2/3| = 1/2 over four places; row by row the two would be equal.
    assert_close(cam_loss(features, torch.tensor([[1.0, 0.0]]), torch.tensor([0])), torch.tensor(1 / 8))


def test_cam_loss_is_zero_for_a_multiple_and_leaves_the_weight_alone():
    features = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    for factor in (0.01, 7.0):
        loss = cam_loss(features, torch.full((2, 3), factor), torch.tensor([0, 1]))
        assert_close(loss, torch.tensor(0.0), atol=1e-5, rtol=0)
    weight = WEIGHT.clone().requires_grad_()
    cam_loss(features, weight, torch.tensor([0, 1])).backward()
    assert weight.grad is None
    assert features.grad.abs().sum() > 0


def test_cam_loss_refuses_what_does_not_fit():
    features, labels = torch.zeros(2, 3, 4, 4), torch.tensor([0, 1])
    with pytest.raises(ValueError, match="weight has 2 columns"):
        cam_loss(features, torch.zeros(5, 2), labels)
    with pytest.raises(ValueError, match="weight must have shape"):
        cam_loss(features, torch.zeros(3), labels)
    with pytest.raises(TypeError, match="weight must be a floating"):
        cam_loss(features, torch.zeros(5, 3, dtype=torch.long), labels)
    with pytest.raises(ValueError, match="labels must have shape"):
        cam_loss(features, WEIGHT, labels[:1])
    with pytest.raises(TypeError, match="labels must be integers"):
        cam_loss(features, WEIGHT, labels.float())
