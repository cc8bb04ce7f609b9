"""Losses of features, by hand."""

import pytest
import torch
from cases import Case, features, images
from torch.testing import assert_close

from sakuga.losses.features import content, feature_matching, gram, gram_style, lpips, mean_std_style

HEADS = {"a": torch.tensor([1.0, 2.0, 0.5]), "b": torch.ones(3)}
IMAGES = {"features": (3, 6, 4), "target": (3, 6, 4)}
FAKE = {"features": (3, 6, 4)}
REAL = {"target": lambda n, chance: images(n, seed=7)}


def judged(x, y, **k):
    """Of two discriminators, the second with one layer more."""
    y = y.to(x)
    return feature_matching([[x], [*features(x).values()]], [[y], [*features(y).values()]], **k)


CASES = [
    Case("content l1", lambda x, y, **k: content(features(x), features(y), **k), IMAGES, zero=True),
    Case("content l2", lambda x, y, **k: content(features(x), features(y), norm="l2", **k), IMAGES, zero=True),
    Case("gram_style", lambda x, y, **k: gram_style(features(x), features(y), **k), IMAGES, zero=True),
    Case(
        "gram_style centered",
        lambda x, y, **k: gram_style(features(x), features(y), centered=True, weights={"a": 2, "b": 30}, **k),
        IMAGES,
        zero=True,
    ),
    Case("mean_std_style mse", lambda x, y, **k: mean_std_style(features(x), features(y), **k), IMAGES, zero=True),
    Case(
        "mean_std_style l2",
        lambda x, y, **k: mean_std_style(features(x), features(y), norm="l2", **k),
        IMAGES,
        zero=True,
    ),
    # The target gets no gradient, so that of the features alone is checked, and the arguments in a case of their own.
    Case("feature_matching", judged, FAKE, REAL),
    Case(
        "feature_matching arguments",
        lambda x, y, **k: feature_matching(features(x), features(y), **k),
        IMAGES,
        zero=True,
        kinks=True,
    ),
    Case("lpips", lambda x, y, **k: lpips(features(x), features(y), HEADS, **k), IMAGES, zero=True),
]


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="lack the layer 'b'"):
        content({"a": images()}, {"b": images()})
    with pytest.raises(ValueError, match=r"target\['a'\] has shape"):
        content({"a": images()}, {"a": images()[:, :2]})
    with pytest.raises(ValueError, match=r"target\['a'\] has 2 channels"):
        gram_style({"a": images()}, {"a": images()[:, :2]})
    with pytest.raises(ValueError, match="names no layer"):
        content({"a": images()}, {})
    with pytest.raises(ValueError, match="features must have shape"):
        gram(images()[0])
    with pytest.raises(ValueError, match="norm must be"):
        content(features(images()), features(images()), norm="L1")
    with pytest.raises(ValueError, match="norm must be"):
        mean_std_style(features(images()), features(images()), norm="L1")
    with pytest.raises(ValueError, match="weights name b, c, but target a"):
        content({"a": images()}, {"a": images()}, weights={"b": 1, "c": 1})
    with pytest.raises(ValueError, match=r"target\['a'\] holds 2 samples"):
        gram_style({"a": images()}, {"a": gram(images()[:2])})
    with pytest.raises(TypeError, match=r"target\['a'\] must be a floating"):
        gram_style({"a": images()}, {"a": gram(images()).long()})
    with pytest.raises(ValueError, match=r"target\['a'\] must have shape"):
        mean_std_style({"a": images()}, {"a": gram(images())})
    with pytest.raises(ValueError, match="target must have two positions"):
        mean_std_style({"a": images()}, {"a": images()[..., :1, :1]})
    with pytest.raises(ValueError, match="as many discriminators"):
        feature_matching([[images()]], [[images()], [images()]])
    with pytest.raises(ValueError, match="features lack the layer 1"):
        feature_matching([images()], [images(), images()])


def test_content_by_hand():
    # Differences 1 and 3 in two places: mean |.| = 2, mean squared = (1 + 9) / 2 = 5; two equal layers double it.
    x, y = {"a": torch.tensor([[[[1.0, 3.0]]]])}, {"a": torch.zeros(1, 1, 1, 2)}
    assert content(x, y).item() == 2
    assert content(x, y, norm="l2").item() == 5
    assert content(x | {"b": x["a"]}, y | {"b": y["a"]}).item() == 4
    # Weights 3 and 1/2: 3 · 2 + 1/2 · 2 = 7.
    assert content(x | {"b": x["a"]}, y | {"b": y["a"]}, weights={"a": 3, "b": 0.5}).item() == 7


def test_gram_of_one_hot_features():
    # Two channels, each on at one of two places: F Fᵀ = identity, divided by C·H·W = 4.
    f = torch.eye(2).view(1, 2, 1, 2)
    assert_close(gram(f), torch.eye(2)[None] / 4)
    # Against features that are zero: Frobenius norm squared = 2 · (1/4)² = 1/8, from features or from a kept matrix.
    zero = torch.zeros_like(f)
    assert gram_style({"a": f}, {"a": zero}).item() == 0.125
    assert gram_style({"a": f}, {"a": gram(zero)}).item() == 0.125


def test_centered_gram_knows_no_colour():
    # Channel 1 is (1, 3), less its mean (-1, 1); channel 2 is flat and vanishes: [[2, 0], [0, 0]] over C·H·W = 4.
    f = torch.tensor([[1.0, 3.0], [5.0, 5.0]]).view(1, 2, 1, 2)
    assert_close(gram(f, centered=True), torch.tensor([[[0.5, 0.0], [0.0, 0.0]]]))
    painted = images() + torch.tensor([0.3, -0.2, 0.1]).view(3, 1, 1)
    assert (
        gram_style({"a": images()}, {"a": painted}, centered=True) < 1e-12 < gram_style({"a": images()}, {"a": painted})
    )


@pytest.mark.parametrize("loss", [gram_style, mean_std_style])
def test_one_style_of_any_size_serves_a_batch(loss):
    style = {"a": torch.cat([images(1, seed=5)] * 2, dim=3)}
    each = loss({"a": images()}, style, reduction="none")
    assert each.shape == (3,)
    assert_close(each[1], loss({"a": images()[1:2]}, style))


def test_mean_std_by_hand():
    # Channels (0, 2) and (5, 5) against (0, 0) and (1, 1): means 1, 5 and 0, 1, unbiased variances 2, 0 and 0, 0.
    x = torch.tensor([[0.0, 2.0], [5.0, 5.0]]).view(1, 2, 1, 2)
    y = torch.tensor([[0.0, 0.0], [1.0, 1.0]]).view(1, 2, 1, 2)
    std = 2.00001**0.5 - 0.00001**0.5
    # mse: ((1 + 16) + (std² + 0)) / 2; l2: √(1 + 16) + std.
    assert_close(mean_std_style({"a": x}, {"a": y}), torch.tensor((17 + std**2) / 2))
    assert_close(mean_std_style({"a": x}, {"a": y}, norm="l2"), torch.tensor(17**0.5 + std))


def test_mean_std_forgets_places():
    mixed = images().flatten(2)[..., torch.randperm(24)].view(3, 3, 6, 4)
    assert_close(
        mean_std_style({"a": mixed}, {"a": images()}), torch.zeros((), dtype=torch.float64), atol=1e-12, rtol=0
    )


def test_feature_matching_by_hand():
    # Layers off by 1 and by 3 everywhere: 1 + 3 = 4, weighed 1/2 and 2: 0.5 + 6 = 6.5. A second discriminator that is
    # off by 1 and 0 has 1, so both have (4 + 1) / 2 = 2.5.
    real = [torch.zeros(2, 3, 4, 4), torch.zeros(2, 5, 2, 2)]
    fake = [real[0] + 1, real[1] - 3]
    assert feature_matching(fake, real).item() == 4
    assert feature_matching(fake, real, weights=[0.5, 2]).item() == 6.5
    assert feature_matching(dict(zip("ab", fake, strict=True)), dict(zip("ab", real, strict=True))).item() == 4
    assert feature_matching([fake, [fake[0], real[1]]], [real, real]).item() == 2.5


def test_feature_matching_moves_the_fake_alone():
    fake, real = images().requires_grad_(), images(seed=1).requires_grad_()
    feature_matching([fake], [real]).backward()
    assert fake.grad.abs().sum() > 0
    assert real.grad is None


def test_lpips_by_hand():
    # Unit vectors (1, 0) and (.6, .8): squared differences .16 and .64, weighed 3 and 5, at the one place there is.
    x, y = torch.tensor([4.0, 0.0]).view(1, 2, 1, 1), torch.tensor([0.3, 0.4]).view(1, 2, 1, 1)
    assert_close(lpips({"a": x}, {"a": y}, {"a": torch.tensor([3.0, 5.0])}), torch.tensor(3 * 0.16 + 5 * 0.64))


def test_gram_matrices_are_compared_in_full_precision():
    """Under autocast two nearly equal styles are as near as without it."""
    near = images(2, dtype=torch.float32)
    pair = {"a": near}, {"a": near * 1.001}
    wanted = gram_style(*pair)
    with torch.autocast("cpu", torch.bfloat16):
        assert_close(gram_style(*pair), wanted)
