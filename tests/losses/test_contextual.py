"""The contextual loss by hand, against its plain formula, and in bounded memory."""

import math

import pytest
import torch
from cases import Case, features, images
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from sakuga.losses.contextual import contextual

OPTIONS = {"": {}, " features": {"over": "features", "chunk": 10}, " channels": {"center": "channels", "chunk": 10}}
ONE_OPTION = pytest.mark.parametrize("options", OPTIONS.values(), ids=str)


# The target gets no gradient, so that of the features alone is checked, and the arguments in a case of their own.
CASES = [
    Case(
        f"contextual{name}",
        lambda x, y, options=options, **k: contextual(features(x), features(y.to(x)), **options, **k),
        {"features": (3, 6, 4)},
        {"target": lambda n, chance: images(n, seed=7)},
    )
    for name, options in OPTIONS.items()
] + [
    Case(
        "contextual arguments",
        lambda x, y, **k: contextual(features(x), features(y), **k),
        {"features": (3, 6, 4), "target": (3, 6, 4)},
        zero=True,
        kinks=True,
    )
]


def plain(x, y, *, over="target", center="positions", chunk=None, bandwidth=0.1):
    """The definition, sample by sample, with the whole map."""
    found = []
    for a, b in zip(x.flatten(2), y.flatten(2), strict=True):
        mean = b.mean(1, keepdim=True) if center == "positions" else b.mean(0, keepdim=True)
        a, b = a - mean, b - mean
        d = 1 - (a / a.norm(dim=0)).T @ (b / b.norm(dim=0))
        w = torch.exp((1 - d / (d.min(1, keepdim=True).values + (1e-3 if over == "target" else 1e-5))) / bandwidth)
        affinity = w / w.sum(1, keepdim=True)
        found.append(-affinity.max(1 if over == "target" else 0).values.mean().log())
    return torch.stack(found)


@ONE_OPTION
def test_equals_the_plain_formula_with_its_gradient(options):
    x, y = images().requires_grad_(), images(seed=1)
    for bandwidth in (0.1, 1.0):
        blocks = contextual({"a": x}, {"a": y}, bandwidth=bandwidth, reduction="none", **options)
        whole = plain(x, y, bandwidth=bandwidth, **options)
        assert_close(blocks, whole)
        assert_close(*(torch.autograd.grad(loss.sum(), x)[0] for loss in (blocks, whole)))


def test_by_hand():
    # y is (1, 0) and (0, 1); less their mean (½, ½) and of unit length they are opposite each other. x is, after the
    # same, the first of them, at right angles to both, and the first again: d = (0, 2), (1, 1), (0, 2). The nearer of
    # 0 and 2 / ε has all the affinity, at right angles both have half: A = (1, 0), (½, ½), (1, 0).
    y = torch.eye(2).view(1, 2, 1, 2)
    x = torch.tensor([[1.0, 1.0, 1.0], [0.0, 1.0, 0.0]]).view(1, 2, 3, 1)
    assert_close(contextual({"a": x}, {"a": y}), torch.tensor(-math.log((1 + 0.5 + 1) / 3)))
    assert_close(contextual({"a": x}, {"a": y}, over="features"), torch.tensor(-math.log((1 + 0.5) / 2)))
    # 0.6 along the first and 0.8 at right angles: d = 0.4 and 1.6, d̄ = d / 0.401, A_1 = 1 / (1 + e^(-1.2 / 0.401)).
    x = torch.tensor([0.6 + 0.8 + 0.5, -0.6 + 0.8 + 0.5]).view(1, 2, 1, 1)
    loss = contextual({"a": x, "b": x}, {"a": y, "b": y}, bandwidth=1.0, weights={"a": 2, "b": 4})
    assert_close(loss, torch.tensor(6 * math.log(1 + math.exp(-1.2 / 0.401))))


@pytest.mark.parametrize("over", ["target", "features"])
def test_equal_sets_score_nothing_wherever_they_lie(over):
    x = images(2)
    mixed = x.flatten(2)[..., torch.randperm(24, generator=torch.Generator().manual_seed(0))].view_as(x)
    nothing = torch.zeros((), dtype=torch.float64)
    assert_close(contextual({"a": x}, {"a": mixed}, over=over), nothing, atol=1e-6, rtol=0)
    other = images(2, seed=3)
    assert_close(contextual({"a": other}, {"a": mixed}, over=over), contextual({"a": other}, {"a": x}, over=over))
    assert contextual({"a": other}, {"a": x}, over=over) > 0.05


def test_one_exemplar_of_any_size_serves_a_batch():
    exemplar = {"a": torch.cat([images(1, seed=5), images(1, seed=6)], dim=3)}
    each = contextual({"a": images()}, exemplar, reduction="none")
    assert_close(each[1], contextual({"a": images()[1:2]}, exemplar))


def test_moves_the_output_alone():
    x, y = images().requires_grad_(), images(seed=1).requires_grad_()
    contextual({"a": x}, {"a": y}).backward()
    assert x.grad.abs().sum() > 0
    assert y.grad is None


def test_keeps_its_digits_under_autocast():
    # bfloat16 would give cosines in steps of 2⁻⁸, so that of near neighbours none is nearest.
    y = images(1).float()
    x = y + 0.01 * images(1, seed=1).float()
    wanted = contextual({"a": x}, {"a": y})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_close(contextual({"a": x}, {"a": y}), wanted)


class Largest(TorchDispatchMode):
    """Notes the most numbers any tensor held that an operation made."""

    numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(tensor, torch.Tensor):
                self.numbers = max(self.numbers, tensor.numel())
        return made


@pytest.mark.parametrize(("chunk", "rows"), [(None, 16), (64, 64)])
@pytest.mark.parametrize("over", ["target", "features"])
def test_no_map_is_ever_whole(over, chunk, rows):
    # 16 × 16 = 256 positions: 256² numbers a map. A sixteenth of the positions at a time: 16 · 256.
    x, y = torch.randn(1, 3, 16, 16, requires_grad=True), torch.randn(1, 3, 16, 16)
    with Largest() as forward:
        loss = contextual({"a": x}, {"a": y}, over=over, chunk=chunk)
    with Largest() as backward:
        loss.backward()
    assert forward.numbers == backward.numbers == rows * 256


def test_wrong_options_are_refused():
    same = {"a": images()}
    for option, value in (("over", "both"), ("center", "mean"), ("chunk", 0), ("bandwidth", 0.0)):
        with pytest.raises(ValueError, match=f"{option} must be"):
            contextual(same, same, **{option: value})
    with pytest.raises(ValueError, match=r"target\['a'\] must be of size \(6, 4\)"):
        contextual(same, {"a": images()[..., :2]}, center="channels")
