"""Losses of features, by hand."""

import pytest
import torch
from cases import Case, features, images
from torch.testing import assert_close

from sakuga.losses import content, gram, gram_style, lpips

HEADS = {"a": torch.tensor([1.0, 2.0, 0.5]), "b": torch.ones(3)}
IMAGES = {"features": (3, 6, 4), "target": (3, 6, 4)}

CASES = [
    Case("content l1", lambda x, y, **k: content(features(x), features(y), **k), IMAGES, zero=True),
    Case("content l2", lambda x, y, **k: content(features(x), features(y), norm="l2", **k), IMAGES, zero=True),
    Case("gram_style", lambda x, y, **k: gram_style(features(x), features(y), **k), IMAGES, zero=True),
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


def test_content_by_hand():
    # Differences 1 and 3 in two places: mean |.| = 2, mean squared = (1 + 9) / 2 = 5; two equal layers double it.
    x, y = {"a": torch.tensor([[[[1.0, 3.0]]]])}, {"a": torch.zeros(1, 1, 1, 2)}
    assert content(x, y).item() == 2
    assert content(x, y, norm="l2").item() == 5
    assert content(x | {"b": x["a"]}, y | {"b": y["a"]}).item() == 4


def test_gram_of_one_hot_features():
    # Two channels, each on at one of two places: F Fᵀ = identity, divided by C·H·W = 4.
    f = torch.eye(2).view(1, 2, 1, 2)
    assert_close(gram(f), torch.eye(2)[None] / 4)
    # Against features that are zero: Frobenius norm squared = 2 · (1/4)² = 1/8, from features or from a kept matrix.
    zero = torch.zeros_like(f)
    assert gram_style({"a": f}, {"a": zero}).item() == 0.125
    assert gram_style({"a": f}, {"a": gram(zero)}).item() == 0.125


def test_gram_is_one_target_for_a_batch():
    style = {"a": images(1, seed=5)}
    each = gram_style({"a": images()}, style, reduction="none")
    assert each.shape == (3,)
    assert_close(each[1], gram_style({"a": images()[1:2]}, style))


def test_lpips_by_hand():
    # Unit vectors (1, 0) and (0, 1): squared differences 1 and 1, weighed 3 and 5, at the one place there is.
    x, y = torch.tensor([4.0, 0.0]).view(1, 2, 1, 1), torch.tensor([0.0, 0.5]).view(1, 2, 1, 1)
    assert_close(lpips({"a": x}, {"a": y}, {"a": torch.tensor([3.0, 5.0])}), torch.tensor(8.0))
