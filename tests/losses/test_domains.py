"""Losses between domains and styles, by hand."""

from math import log

import pytest
import torch
from cases import IMAGE, Case
from torch.testing import assert_close

from sakuga.losses.adversarial import bce
from sakuga.losses.domains import (
    diversity_sensitive,
    domain_adversarial,
    gradient_reversal,
    semantic_consistency,
    style_reconstruction,
)

EMBEDDINGS = {"embedding": (8,), "translated": (8,)}

CASES = [
    Case("domain_adversarial", domain_adversarial, {"logits_a": (1,), "logits_b": (1,)}, any_shape=True),
    Case("semantic_consistency", semantic_consistency, EMBEDDINGS, zero=True, any_shape=True),
    Case(
        "semantic_consistency l2",
        lambda e, t, **k: semantic_consistency(e, t, norm="l2", **k),
        EMBEDDINGS,
        zero=True,
        any_shape=True,
    ),
    Case("style_reconstruction", style_reconstruction, {"style": (8,), "recovered": (8,)}, zero=True, any_shape=True),
    # The second is a constant, so numbers and gradients differ there; see test_diversity_moves_the_first_only.
    Case(
        "diversity_sensitive", diversity_sensitive, {"first": IMAGE, "second": IMAGE}, zero=True, constant=("second",)
    ),
]


def test_domain_adversarial_by_hand():
    # A should score high: σ(ln 3) = 3/4 costs -ln 3/4. B should score low: 1 - 3/4 costs -ln 1/4.
    a, b = torch.tensor([[log(3)]]), torch.tensor([[log(3)]])
    assert_close(domain_adversarial(a, b), torch.tensor(log(4 / 3) + log(4)))
    assert_close(domain_adversarial(a, -b), torch.tensor(2 * log(4 / 3)))
    assert_close(domain_adversarial(torch.zeros(2, 1), torch.zeros(2, 1)), torch.tensor(2 * log(2)))
    a, b = torch.randn(2, 3, 1, generator=torch.Generator().manual_seed(0))
    assert_close(domain_adversarial(a, b), bce.d(a, b))


def test_gradient_reversal_turns_the_sign():
    x = torch.tensor([[1.0, -2.0]], dtype=torch.float64, requires_grad=True)
    y = gradient_reversal(x, scale=0.5)
    assert torch.equal(y, x)
    # ∂/∂x Σ x² = 2x; reversed and halved: -x. That is -y of the reversed y, so its own gradient is -1 · -1/2.
    (gradient,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
    assert gradient.tolist() == [[-1, 2]]
    (second,) = torch.autograd.grad(gradient.sum(), x)
    assert second.tolist() == [[0.5, 0.5]]
    x.grad = None
    gradient_reversal(x).sum().backward()
    assert x.grad.tolist() == [[-1, -1]]
    with pytest.raises(TypeError, match="x must be a floating tensor"):
        gradient_reversal(x.long())


def test_one_backward_teaches_the_classifier_and_unteaches_the_encoder():
    embedding = torch.tensor([[0.5]], requires_grad=True)
    weight = torch.tensor([[2.0]], requires_grad=True)
    a = gradient_reversal(embedding) @ weight
    domain_adversarial(a, torch.zeros(1, 1)).backward()
    # c = 0.5 · 2 = 1; ∂ softplus(-c)/∂c = -σ(-1): times 0.5 for the weight, times -2 for the embedding.
    slope = torch.sigmoid(torch.tensor(-1.0))
    assert_close(weight.grad, -0.5 * slope.view(1, 1))
    assert_close(embedding.grad, 2 * slope.view(1, 1))


def test_embeddings_by_hand():
    # Differences 1 and -3: mean absolute 2, mean squared (1 + 9) / 2.
    x, y = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    assert semantic_consistency(x, y).item() == 2
    assert semantic_consistency(x, y, norm="l2").item() == 5
    assert style_reconstruction(x, y).item() == 2
    with pytest.raises(ValueError, match="norm must be"):
        semantic_consistency(x, y, norm="L1")


def test_diversity_moves_the_first_only():
    first = torch.tensor([[[[1.0, -1.0]]]], dtype=torch.float64, requires_grad=True)
    second = torch.tensor([[[[0.0, 2.0]]]], dtype=torch.float64, requires_grad=True)
    loss = diversity_sensitive(first, second)
    # |1| and |-3|, mean 2; the gradient is the sign over two pixels.
    assert loss.item() == 2
    loss.backward()
    assert first.grad.tolist() == [[[[0.5, -0.5]]]]
    assert second.grad is None
    assert torch.autograd.gradcheck(lambda x: diversity_sensitive(x, second), [first])
