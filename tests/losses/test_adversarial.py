"""Adversarial pairs, by hand."""

import pytest
import torch
from cases import Case

from sakuga.losses import hinge, lsgan

SCORES, FAKE = {"real": (1, 3, 2), "fake": (1, 3, 2)}, {"fake": (1, 3, 2)}

CASES = [
    Case("lsgan.d", lsgan.d, SCORES, any_shape=True),
    Case("lsgan.g", lsgan.g, FAKE, any_shape=True),
    Case("hinge.d", hinge.d, SCORES, any_shape=True),
    Case("hinge.g", hinge.g, FAKE, any_shape=True),
]


def test_adversarial_by_hand():
    real, fake = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.5, -2.0]])
    # lsgan: real (1 + 1) / 2 = 1; fake (.25 + 4) / 2 = 2.125; g (.25 + 9) / 2 = 4.625.
    assert lsgan.d(real, fake).item() == 3.125
    assert lsgan.g(fake).item() == 4.625
    # hinge: real (0 + 1) / 2 = .5; fake (1.5 + 0) / 2 = .75; g -(.5 - 2) / 2 = .75.
    assert hinge.d(real, fake).item() == 1.25
    assert hinge.g(fake).item() == 0.75
    with pytest.raises(ValueError, match="fake must have shape"):
        lsgan.g(torch.tensor(1.0))
