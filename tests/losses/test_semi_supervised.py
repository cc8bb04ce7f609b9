"""Semi-supervised discriminators, by hand."""

from math import log

import pytest
import torch
from cases import Case
from torch import Tensor
from torch.testing import assert_close

from sakuga.losses.adversarial import bce
from sakuga.losses.semi_supervised import semi_supervised, semi_supervised_odena

LOGITS, FEATURES = {"logits": (5,)}, {"real": (6,), "fake": (6,)}


def classes(n: int, chance: torch.Generator) -> Tensor:
    return torch.randint(4, (n,), generator=chance)


CASES = [
    Case("semi_supervised.labelled", semi_supervised.labelled, LOGITS, {"labels": classes}),
    Case("semi_supervised.unlabelled", semi_supervised.unlabelled, LOGITS),
    Case("semi_supervised.generated", semi_supervised.generated, LOGITS),
    Case("semi_supervised.g", semi_supervised.g, FEATURES, zero=True, mixes=True, any_shape=True),
    Case(
        "semi_supervised.g l2",
        lambda real, fake, **k: semi_supervised.g(real, fake, norm="l2", **k),
        FEATURES,
        zero=True,
        mixes=True,
        any_shape=True,
    ),
    Case("semi_supervised_odena.labelled", semi_supervised_odena.labelled, LOGITS, {"labels": classes}),
    Case("semi_supervised_odena.unlabelled", semi_supervised_odena.unlabelled, LOGITS),
    Case("semi_supervised_odena.generated", semi_supervised_odena.generated, LOGITS),
    Case("semi_supervised_odena.g", semi_supervised_odena.g, LOGITS),
]


def test_k_logits_of_zero():
    # p = 1 / (K + 1) for each of K = 4 classes and for "generated": the score is ln 4.
    zero = torch.zeros(2, 4)
    assert_close(semi_supervised.score(zero), torch.full((2,), log(4)))
    # -ln 1/4 among the real classes, -ln(1 - 1/5), -ln 1/5.
    assert_close(semi_supervised.labelled(zero, torch.tensor([0, 3])), torch.tensor(log(4)))
    assert_close(semi_supervised.unlabelled(zero), torch.tensor(log(5 / 4)))
    assert_close(semi_supervised.generated(zero), torch.tensor(log(5)))
    # Odena's softmax has "generated" among the choices of a label, too: -ln 1/5.
    zero = torch.zeros(2, 5)
    assert_close(semi_supervised_odena.score(zero), torch.full((2,), log(4)))
    assert_close(semi_supervised_odena.labelled(zero, torch.tensor([0, 3])), torch.tensor(log(5)))
    assert_close(semi_supervised_odena.generated(zero), torch.tensor(log(5)))
    assert_close(semi_supervised_odena.g(zero), torch.tensor(log(5 / 4)))


def test_both_forms_agree_with_the_softmax_over_all():
    logits = torch.randn(3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    generated = logits.softmax(1)[:, -1]
    implicit = logits[:, :-1] - logits[:, -1:]
    for form, given in ((semi_supervised_odena, logits), (semi_supervised, implicit)):
        assert_close(form.generated(given), -generated.log().mean())
        assert_close(form.unlabelled(given), -(1 - generated).log().mean())
        # which is the ordinary adversarial objective of the score
        assert_close(form.unlabelled(given) + form.generated(given), bce.d(form.score(given), form.score(given)))


def test_feature_matching_by_hand():
    # Means (1, 1) and (0, 3): differences 1 and -2. Mean absolute 1.5, sum of squares 5; the pictures may be reordered.
    real, fake = torch.tensor([[0.0, 2.0], [2.0, 0.0]]), torch.tensor([[1.0, 3.0], [-1.0, 3.0]])
    assert semi_supervised.g(real, fake).item() == 1.5
    assert semi_supervised.g(real, fake, norm="l2").item() == 5
    assert semi_supervised.g(real, fake, reduction="none").tolist() == [1.5, 1.5]
    assert semi_supervised.g(real, real.flip(0)).item() == 0


def test_what_has_no_classes_is_refused():
    with pytest.raises(ValueError, match="logits must hold at least one class"):
        semi_supervised_odena.generated(torch.zeros(3, 1))
    with pytest.raises(TypeError, match="labels must be integers"):
        semi_supervised.labelled(torch.zeros(3, 4), torch.zeros(3))
    with pytest.raises(ValueError, match="norm must be"):
        semi_supervised.g(torch.zeros(3, 4), torch.zeros(3, 4), norm="L1")
