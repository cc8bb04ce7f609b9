"""Losses on class activation maps and on the classifiers they come from."""

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, check_images, each, full, reduce, without_autocast
from sakuga.losses.adversarial import least_squares
from sakuga.losses.classification import check_classes


def cam_generator(source_logits: Tensor, target_logits: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Teach the generator A→B where the domains differ: -log σ(η(x)) - log(1 - σ(η(y))), x of A, y of B.

    η are the CAM logits (N, ...) of one and the same generator's auxiliary classifier, given a picture to translate
    (source) and one that is of the target domain already (as made for the identity loss). U-GAT-IT's weight is 1000.
    Source: Kim et al. (U-GAT-IT), ICLR 2020.
    """
    check("(N, ...)", False, source_logits=source_logits, target_logits=target_logits)
    return reduce(each(F.softplus(-source_logits)) + each(F.softplus(target_logits)), reduction)


cam_discriminator = least_squares(
    about="""`lsgan` on a discriminator's CAM logits (N, ...): D: E (1 - η(y))² + E η(G(x))²; G: E (1 - η(G(x)))².

Kim et al. (U-GAT-IT), ICLR 2020, in the form of the official code; the paper states what D would maximise.
"""
)


def cam_loss(features: Tensor, weight: Tensor, labels: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Make a classifier look where its class is: mean_hw |CAAM' - CAM'|, ' = scaled to [0, 1] in each image.

    CAM = Σ_k w_k^c f_k is the class activation map (Zhou et al., CVPR 2016), CAAM = Σ_k f_k the class-agnostic one.
    0 when CAM is a positive multiple of CAAM. Add it to the cross-entropy after some epochs.

    Args:
        features: f (N, C, H, W), the last ones before global average pooling.
        weight: w (K, C) of the fully connected layer on them; a constant, it learns from the cross-entropy only.
        labels: classes c, integers (N,).
        reduction: over the batch.

    Source: Wang et al. (CAM-loss), ICCV 2021.
    """
    check_images(features=features)
    check("(K, C)", weight=weight)
    check_classes(features, labels=labels)
    if weight.shape[1] != features.shape[1]:
        raise ValueError(f"weight has {weight.shape[1]} columns, but features have {features.shape[1]} channels")
    features, weight = full(features), full(weight.detach())
    with without_autocast(features):
        cam = torch.einsum("nchw,nc->nhw", features, weight[labels.long()])
    return reduce(each((_to_unit_range(features.sum(1)) - _to_unit_range(cam)).abs()), reduction)


def _to_unit_range(maps: Tensor) -> Tensor:
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    # Clamped, not added: then multiples of one map stay equal, and a constant map still has a finite gradient.
    return (maps - low) / (high - low).clamp_min(1e-5)
