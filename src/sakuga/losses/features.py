"""Losses that compare features of a frozen network. Features are dictionaries of layer name to (N, C, H, W)."""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, each, reduce

Features = Mapping[str, Tensor]


def content(
    features: Features, target: Features, *, norm: Literal["l1", "l2"] = "l1", reduction: Reduction = "mean"
) -> Tensor:
    """Distance of features, summed over layers: mean |φ(x) - φ(y)| (l1) or mean (φ(x) - φ(y))² (l2).

    l2 is the feature reconstruction loss, ‖φ(x) - φ(y)‖² / (C·H·W) (Johnson, Alahi, Fei-Fei, ECCV 2016, equation 2);
    l1 is CartoonGAN's, AnimeGAN's and White-box's content loss (Chen, Lai, Liu, CVPR 2018, equation 4).
    """
    if norm not in ("l1", "l2"):
        raise ValueError(f"norm must be 'l1' or 'l2', not {norm!r}")
    total = None
    for name, wanted in _layers(features, target):
        error = features[name] - wanted
        term = each(error.abs() if norm == "l1" else error.square())
        total = term if total is None else total + term
    assert total is not None
    return reduce(total, reduction)


def gram(features: Tensor) -> Tensor:
    """Gram matrix F Fᵀ / (C·H·W) of features (N, C, H, W): (N, C, C) (Johnson et al., ECCV 2016, equation 3)."""
    check("(N, C, H, W)", features=features)
    flat = features.flatten(2)
    return flat @ flat.mT / (flat.shape[1] * flat.shape[2])


def gram_style(features: Features, target: Mapping[str, Tensor], *, reduction: Reduction = "mean") -> Tensor:
    """Squared distance of Gram matrices, summed over layers: Σ ‖G(φ(x)) - G(φ(s))‖²_F.

    `target` holds features (N or 1, C, H, W) of the style picture or, computed once and kept, their Gram matrices
    (N or 1, C, C). Source: Gatys, Ecker, Bethge, CVPR 2016; Johnson et al., ECCV 2016, equation 4: the Frobenius
    norm is summed, not averaged, over the matrix.
    """
    total = None
    for name, wanted in _layers(features, target, same_shape=False):
        matrix = gram(features[name])
        wanted = wanted if wanted.ndim == 3 else gram(wanted)
        if wanted.shape[1:] != matrix.shape[1:]:
            raise ValueError(f"target[{name!r}] has {wanted.shape[1]} channels, features have {matrix.shape[1]}")
        term = (matrix - wanted).square().sum((1, 2))
        total = term if total is None else total + term
    assert total is not None
    return reduce(total, reduction)


def lpips(
    features: Features, target: Features, heads: Mapping[str, Tensor], *, reduction: Reduction = "mean"
) -> Tensor:
    """Learned perceptual distance: Σ_l mean_hw Σ_c w_c (φ̂(x) - φ̂(y))², φ̂ of unit length over the channels.

    Args:
        features: post-ReLU features of VGG-16 or AlexNet, see `FeatureNetwork`.
        target: those of the other image.
        heads: the published non-negative weights (C,) of each layer, `FeatureNetwork.heads`.
        reduction: over the batch.

    Source: Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018, equation 1, version 0.1 of the weights.
    """
    total = None
    for name, wanted in _layers(features, target):
        error = (_unit(features[name]) - _unit(wanted)).square()
        term = each(torch.einsum("nchw,c->nhw", error, heads[name].to(error)))
        total = term if total is None else total + term
    assert total is not None
    return reduce(total, reduction)


def _unit(features: Tensor) -> Tensor:
    # The published code adds 1e-10 to the length; normalize() clamps it, which differs only where features vanish,
    # and has a finite gradient there.
    return F.normalize(features, dim=1, eps=1e-8)


def _layers(features: Features, target: Mapping[str, Tensor], *, same_shape: bool = True) -> list[tuple[str, Tensor]]:
    if not target:
        raise ValueError("target names no layer")
    for name, wanted in target.items():
        if name not in features:
            raise ValueError(f"features lack the layer {name!r}; they have {', '.join(features)}")
        check("(N, C, H, W)", **{f"features[{name!r}]": features[name]})
        if same_shape:
            check("(N, C, H, W)", **{f"target[{name!r}]": wanted})
        if same_shape and wanted.shape != features[name].shape:
            raise ValueError(
                f"target[{name!r}] has shape {tuple(wanted.shape)}, features have {tuple(features[name].shape)}"
            )
    return list(target.items())
