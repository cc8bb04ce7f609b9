"""Losses that compare features of a network. Features are dictionaries of layer name to (N, C, H, W)."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.losses._layers import Features, Weights, matched, named, total
from sakuga.losses._reduce import Reduction, check, each, full, reduce, without_autocast

Maps = Features | Sequence[Tensor]


def content(
    features: Features,
    target: Features,
    *,
    norm: Literal["l1", "l2"] = "l1",
    weights: Weights | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Distance of features: Σ_l w_l mean |φ_l(x) - φ_l(y)| (l1) or Σ_l w_l mean (φ_l(x) - φ_l(y))² (l2).

    `weights` gives w_l by layer, 1 by default. l2 is the feature reconstruction loss, ‖φ(x) - φ(y)‖² / (C·H·W)
    (Johnson, Alahi, Fei-Fei, ECCV 2016, equation 2); l1 is CartoonGAN's, AnimeGAN's and White-box's content loss (Chen,
    Lai, Liu, CVPR 2018, equation 4) and, with networks trained on faces, FSGAN's domain-specific perceptual loss.
    """
    if norm not in ("l1", "l2"):
        raise ValueError(f"norm must be 'l1' or 'l2', not {norm!r}")
    terms = {}
    for layer, x, y in matched(features, target):
        error = x - y
        terms[layer] = each(error.abs() if norm == "l1" else error.square())
    return total(terms, weights, reduction)


def gram(features: Tensor, *, centered: bool = False) -> Tensor:
    """Gram matrix F Fᵀ / (C·H·W) of features (N, C, H, W): (N, C, C) (Johnson et al., ECCV 2016, equation 3).

    `centered` first takes from each channel its mean over the positions, which leaves the texture without the colour:
    AnimeGANv3's "decentralised" style.
    """
    check("(N, C, H, W)", features=features)
    flat = full(features).flatten(2)
    if centered:
        flat = flat - flat.mean(2, keepdim=True)
    # Two nearly equal matrices are compared: half precision would leave little of their difference. And bmm, since
    # `flat @ flat.mT` would copy the transposed maps, and again in the backward pass.
    with without_autocast(flat):
        return torch.bmm(flat, flat.mT) / (flat.shape[1] * flat.shape[2])


def gram_style(
    features: Features,
    target: Features,
    *,
    centered: bool = False,
    weights: Weights | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Squared distance of Gram matrices: Σ_l w_l ‖G(φ_l(x)) - G(φ_l(s))‖²_F.

    `target` holds features (N or 1, C, H, W) of the style picture, of any size, or, computed once and kept, their Gram
    matrices (N or 1, C, C), `centered` likewise. Source: Gatys, Ecker, Bethge, CVPR 2016; Johnson et al., ECCV 2016,
    equation 4: the Frobenius norm is summed over the matrix; the codes average it, which is C² times less.
    """
    terms = {}
    for layer, x, y in matched(features, target, anywhere=True, grams=True):
        error = gram(x, centered=centered) - (y if y.ndim == 3 else gram(y, centered=centered))
        terms[layer] = error.square().sum((1, 2))
    return total(terms, weights, reduction)


def mean_std_style(
    features: Features,
    target: Features,
    *,
    norm: Literal["mse", "l2"] = "mse",
    weights: Weights | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Distance of the channels' statistics: Σ_l w_l (‖μ(φ_l(x)) - μ(φ_l(s))‖ + ‖σ(φ_l(x)) - σ(φ_l(s))‖).

    μ and σ = √(var + 1e-5), var unbiased, are taken over the positions, two or more; ‖·‖ is the mean of squares over
    the channels (`mse`, as in the codes) or the Euclidean norm (`l2`, as in the paper). `target` may be one style
    (1, C, H, W) for the whole batch, and of any size.

    Source: Huang, Belongie, ICCV 2017, equation 13.
    """
    if norm not in ("mse", "l2"):
        raise ValueError(f"norm must be 'mse' or 'l2', not {norm!r}")
    terms = {}
    for layer, x, y in matched(features, target, anywhere=True):
        (mean, std), (wanted_mean, wanted_std) = _statistics("features", x), _statistics("target", y)
        errors = mean - wanted_mean, std - wanted_std
        if norm == "mse":
            terms[layer] = each(errors[0].square()) + each(errors[1].square())
        else:
            terms[layer] = torch.linalg.vector_norm(errors[0], dim=1) + torch.linalg.vector_norm(errors[1], dim=1)
    return total(terms, weights, reduction)


def feature_matching(
    features: Maps | Sequence[Maps],
    target: Maps | Sequence[Maps],
    *,
    weights: Weights | Sequence[float] | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Distance of a discriminator's features on fake and real: Σ_l w_l mean |D_l(G) - D_l(y)|, y's held constant.

    Args:
        features: D's inner maps (N, C, H, W) on the fakes, without the final score, by name or in order; of several
            discriminators a list of these, over which the loss is averaged.
        target: the same on the real pictures; no gradient flows into it.
        weights: w_l by layer, by name or in order, 1 by default; the same for every discriminator.
        reduction: over the batch.

    Source: Wang et al. (pix2pixHD), CVPR 2018, equation 4, which sums over the discriminators; its code and CoCosNet's
    average over them.
    """
    if _several(features) or _several(target):
        if not (_several(features) and _several(target) and len(features) == len(target)):
            raise ValueError("target must hold the maps of as many discriminators as features")
        pairs = zip(features, target, strict=True)
        judges = [feature_matching(x, y, weights=weights, reduction="none") for x, y in pairs]
        return reduce(torch.stack(judges).mean(0), reduction)
    wanted = {layer: maps.detach() for layer, maps in named(target).items()}
    terms = {layer: each((x - y).abs()) for layer, x, y in matched(named(features), wanted)}
    return total(terms, None if weights is None else named(weights), reduction)


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
    terms = {}
    for layer, x, y in matched(features, target):
        error = (_unit(full(x)) - _unit(full(y))).square()
        with without_autocast(error):
            terms[layer] = each(torch.einsum("nchw,c->nhw", error, heads[layer].to(error)))
    return total(terms, None, reduction)


def _statistics(name: str, features: Tensor) -> tuple[Tensor, Tensor]:
    if features.shape[2] * features.shape[3] < 2:
        raise ValueError(f"{name} must have two positions or more at every layer, not {tuple(features.shape[2:])}")
    variance, mean = torch.var_mean(full(features), (2, 3))
    return mean, (variance + 1e-5).sqrt()


def _unit(features: Tensor) -> Tensor:
    # The published code adds 1e-10 to the length; normalize() clamps it, which differs only where features vanish,
    # and has a finite gradient there.
    return F.normalize(features, dim=1, eps=1e-8)


def _several(maps: Maps | Sequence[Maps]) -> TypeGuard[Sequence[Maps]]:
    return isinstance(maps, Sequence) and len(maps) > 0 and not isinstance(maps[0], Tensor)
