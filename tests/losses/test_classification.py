"""Losses of classes, attributes and groups, by hand."""

from math import log

import pytest
import torch
from cases import Case
from torch import Tensor
from torch.testing import assert_close

from sakuga.losses.adversarial import lsgan
from sakuga.losses.classification import (
    attribute_matching,
    auxiliary_classifier,
    domain_classification,
    group_classification,
)


def classes(n: int, chance: torch.Generator) -> Tensor:
    return torch.randint(4, (n,), generator=chance)


def attributes(n: int, chance: torch.Generator) -> Tensor:
    return torch.randint(2, (n, 4), generator=chance).double()


LOGITS = {"logits": (4,)}
D = {"real": (1, 3, 2), "fake": (1, 2, 2), "real_logits": (4,), "fake_logits": (4,)}
G = {"fake": (1, 3, 2), "fake_logits": (4,)}

CASES = [
    Case("domain_classification", domain_classification, LOGITS, {"labels": classes}),
    Case("domain_classification of attributes", domain_classification, LOGITS, {"labels": attributes}),
    Case("group_classification", group_classification, LOGITS, {"group": classes}),
    Case(
        "group_classification mse",
        lambda z, i, **k: group_classification(z, i, form="mse", **k),
        LOGITS,
        {"i": classes},
    ),
    # The target is a constant, so numbers and gradients differ there; see test_attribute_matching_by_hand.
    Case("attribute_matching", attribute_matching, {"logits": (4,), "target": (4,)}, constant=("target",)),
    Case(
        "auxiliary_classifier.d",
        lambda r, f, zr, zf, cr, cf, **k: auxiliary_classifier.d(r, f, zr, cr, zf, cf, **k),
        D,
        {"real_labels": classes, "fake_labels": classes},
        any_shape=True,
    ),
    Case("auxiliary_classifier.g", auxiliary_classifier.g, G, {"fake_labels": classes}, any_shape=True),
]


def test_domain_classification_by_hand():
    # Softmax of (0, ln 3) is (1/4, 3/4): -ln 3/4 for class 1, -ln 1/4 for class 0.
    logits = torch.tensor([[0.0, log(3)], [0.0, log(3)]])
    each = domain_classification(logits, torch.tensor([1, 0]), reduction="none")
    assert_close(each, torch.tensor([log(4 / 3), log(4)]))
    # Sigmoid of (0, ln 3) is (1/2, 3/4); over attributes -ln 1/2 - ln 3/4 if both hold, -ln 1/2 - ln 1/4 if the first.
    each = domain_classification(logits, torch.tensor([[1.0, 1.0], [1.0, 0.0]]), reduction="none")
    assert_close(each, torch.tensor([log(2) + log(4 / 3), log(2) + log(4)]))


def test_group_classification_by_hand():
    # At the start, with logits 0: ln of the number of groups; against (0, 1, 0, 0) a mean square of 1/4.
    zero, group = torch.zeros(2, 4), torch.tensor([1, 3])
    assert_close(group_classification(zero, group), torch.tensor(log(4)))
    assert group_classification(zero, group, form="mse").item() == 0.25
    # (2, 1, 0, 0) - (0, 1, 0, 0): 4 / 4; the right answer, as raw logits, scores 0.
    logits = torch.tensor([[2.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    assert group_classification(logits, group, form="mse", reduction="none").tolist() == [1, 0]


def test_attribute_matching_by_hand():
    # p = σ(ln 3) = 3/4, σ(0) = 1/2: costs -3/4 ln 3/4 - 1/4 ln 1/4 where z agrees and ln 2 where z = 0; mean of two.
    logits = torch.tensor([[log(3), 0.0]], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([[log(3), log(3)]], dtype=torch.float64, requires_grad=True)
    loss = attribute_matching(logits, target)
    entropy = 0.75 * log(4 / 3) + 0.25 * log(4)
    assert_close(loss, torch.tensor((entropy + log(2)) / 2, dtype=torch.float64))
    # ∂/∂z = (σ(z) - p) / 2: nothing where they agree, (1/2 - 3/4) / 2 at the other; the target is left alone.
    loss.backward()
    assert_close(logits.grad, torch.tensor([[0.0, -0.125]], dtype=torch.float64))
    assert target.grad is None
    assert torch.autograd.gradcheck(lambda z: attribute_matching(z, target), [logits.detach().requires_grad_()])


def test_auxiliary_classifier_by_hand():
    score, logits, labels = torch.zeros(2, 1, 3, 3), torch.zeros(2, 10), torch.tensor([3, 9])
    # All zero: L_S is bce's 2 ln 2 for D, ln 2 for G; L_C is ln 10 on the real and ln 10 on the fake images.
    d = auxiliary_classifier.d(score, score, logits, labels, logits, labels)
    assert_close(d, torch.tensor(2 * log(2) + 2 * log(10)))
    assert_close(auxiliary_classifier.g(score, logits, labels), torch.tensor(log(2) + log(10)))
    # With lsgan's 1 + 0 and 1 instead.
    d = auxiliary_classifier.d(score, score, logits, labels, logits, labels, objective=lsgan)
    assert_close(d, torch.tensor(1 + 2 * log(10)))
    assert_close(auxiliary_classifier.g(score, logits, labels, objective=lsgan), torch.tensor(1 + log(10)))


def test_auxiliary_classifier_matches_scores_and_labels_with_their_images():
    # Softmax (1/4, 3/4) on the real image, (4/5, 1/5) on the fake one; lsgan's pair is 0 for scores 1 and 0.
    right, wrong = torch.ones(1), torch.zeros(1)
    real, fake = torch.tensor([[0.0, log(3)]]), torch.tensor([[log(4), 0.0]])
    for c, c_fake, wanted in (
        (1, 0, log(4 / 3) + log(5 / 4)),
        (0, 0, log(4) + log(5 / 4)),
        (1, 1, log(4 / 3) + log(5)),
    ):
        labels, fake_labels = torch.tensor([c]), torch.tensor([c_fake])
        d = auxiliary_classifier.d(right, wrong, real, labels, fake, fake_labels, objective=lsgan)
        assert_close(d, torch.tensor(wanted))


def test_labels_of_another_kind_are_refused_by_name():
    logits, labels, score = torch.zeros(3, 4), torch.zeros(3, dtype=torch.long), torch.zeros(3)
    with pytest.raises(ValueError, match=r"labels must have shape \(N,\)"):
        domain_classification(logits, labels[:2])
    with pytest.raises(ValueError, match=r"labels must have shape \(N,\)"):
        domain_classification(logits, torch.zeros(3, 4, dtype=torch.long))
    with pytest.raises(ValueError, match="labels has shape"):
        domain_classification(logits, torch.zeros(3, 2))
    with pytest.raises(ValueError, match="labels must have shape"):
        domain_classification(logits, torch.zeros(3))
    with pytest.raises(TypeError, match="group must be integers"):
        group_classification(logits, labels.float())
    with pytest.raises(ValueError, match="form must be"):
        group_classification(logits, labels, form="l2")
    with pytest.raises(TypeError, match="real_labels must be integers"):
        auxiliary_classifier.d(score, score, logits, labels.float(), logits, labels)
    with pytest.raises(ValueError, match="fake_labels must have shape"):
        auxiliary_classifier.g(score, logits, labels[:1])
