"""Losses of warps, distances, correspondences and codes: where things are, rather than what they look like."""

import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, each, full, reduce


def warp_smoothness(flow: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """How much neighbouring displacements differ in direction: Σ_ij 2 - cos(F_ij, F_i,j+1) - cos(F_ij, F_i+1,j).

    A sum over the (H-1)·(W-1) positions with both neighbours, each between 0 (a constant flow) and 4. `flow` is
    (N, 2, H, W) in units of half the picture, H and W at least 2. Of vectors shorter than 1e-4, an eightieth of a pixel
    at 256², the cosine shrinks to 0 with their length, so that the gradient stays finite where nothing moves.

    Source: Gong, Hold-Geoffroy, Lu, WACV 2020 (AutoToon), L_reg, there with the left and upper neighbours; right and
    lower ones are the code's, which also sums over the batch (`reduction="sum"`, weight 1e-6).
    """
    check("(N, 2, H, W)", flow=flow)
    if flow.shape[1] != 2 or min(flow.shape[2:]) < 2:
        raise ValueError(
            f"flow must have shape (N, 2, H, W) with two rows and columns or more, not {tuple(flow.shape)}"
        )
    direction = F.normalize(flow, dim=1, eps=1e-4)
    here = direction[..., :-1, :-1]
    right = (here * direction[..., :-1, 1:]).sum(1)
    down = (here * direction[..., 1:, :-1]).sum(1)
    return reduce((2 - right - down).sum((1, 2)), reduction)


def distance_transform(
    drawing: Tensor,
    target: Tensor,
    drawing_distances: Tensor,
    target_distances: Tensor,
    *,
    sharpness: float = 10.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """How far the lines of two drawings lie from each other: d(y, G) + d(G, y), d(a, b) = Σ m_a D_b + (1 - m_a) D'_b.

    D_b and D'_b are the distances to b's nearest black and white pixel, m_a = σ(-k a) the soft mask of a's black ones:
    a Chamfer distance, summed over the pixels. Its gradient reaches G through the mask of d(G, y), where a hard mask
    would stop it (as in the official code), and through `drawing_distances` where a network approximates them.

    Args:
        drawing: G, (N, 1, H, W) in [-1, 1], black is negative.
        target: y, alike.
        drawing_distances: (N, 2, H, W) of G: `exact_distance_transform(drawing)`, then d(y, G) is a figure without
            gradient, or what a network makes of it (the paper's way).
        target_distances: those of y.
        sharpness: k. Of equal black-and-white drawings there remains 2 σ(-k) Σ (D + D'), 9e-5 of that sum at 10.
        reduction: over the batch.

    To count lines only, as the paper does, multiply the distances of one drawing by the masks of the other's lines.

    Source: Yi, Liu, Lai, Rosin, CVPR 2019 (APDrawingGAN), L_DT.
    """
    check("(N, 1, H, W)", drawing=drawing, target=target)
    check("(N, 2, H, W)", drawing_distances=drawing_distances, target_distances=target_distances)
    if drawing.shape[1] != 1:
        raise ValueError(f"drawing must have shape (N, 1, H, W), not {tuple(drawing.shape)}")
    expected = (len(drawing), 2, *drawing.shape[2:])
    if drawing_distances.shape != expected:
        raise ValueError(
            f"drawing_distances has shape {tuple(drawing_distances.shape)}, but drawing asks for {expected}"
        )
    there = _chamfer(target, drawing_distances, sharpness)
    return reduce(there + _chamfer(drawing, target_distances, sharpness), reduction)


def _chamfer(drawing: Tensor, distances: Tensor, sharpness: float) -> Tensor:
    masks = torch.cat([torch.sigmoid(-sharpness * drawing), torch.sigmoid(sharpness * drawing)], 1)
    return (masks * distances).sum((1, 2, 3))


def exact_distance_transform(drawing: Tensor) -> Tensor:
    """Euclidean distance of each pixel of (N, 1, H, W) to the nearest black and to the nearest white one: (N, 2, H, W).

    Black is below 0, white the rest. Each map is divided by its maximum, so it lies in [0, 1]; where a picture has no
    such pixel, all of the map is 1. No gradient. On the device of `drawing`, computed on the CPU.

    Source: Yi, Liu, Lai, Rosin, CVPR 2019 (APDrawingGAN), for its artist's drawings.
    """
    check("(N, 1, H, W)", drawing=drawing)
    if drawing.shape[1] != 1:
        raise ValueError(f"drawing must have shape (N, 1, H, W), not {tuple(drawing.shape)}")
    maps = torch.ones(len(drawing), 2, *drawing.shape[2:], dtype=torch.float64)
    for i, black in enumerate((drawing[:, 0] < 0).cpu().numpy()):
        for j, sought in enumerate((black, ~black)):
            if sought.any() and not sought.all():
                distance = torch.from_numpy(ndimage.distance_transform_edt(~sought))
                maps[i, j] = distance / distance.max()
            elif sought.all():
                maps[i, j] = 0
    return maps.to(drawing)


def correspondence_regularization(warped_back: Tensor, exemplar: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Cycle of a correspondence: mean |r_y→x→y - y|, of an exemplar y warped to the picture x and back, and y itself.

    Both (N, C, H, W), in [-1, 1], y reduced to the size of the features that were matched. Source: Zhang, Zhang, Chen,
    Yuan, Wen, CVPR 2020 (CoCosNet), L_reg.
    """
    check("(N, C, H, W)", warped_back=warped_back, exemplar=exemplar)
    return reduce(each((warped_back - exemplar).abs()), reduction)


def domain_alignment(features_a: Tensor, features_b: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Distance of two domains' features of the same scene: mean |â - b̂|, of unit length over the channels.

    Both (N, C, H, W), of the condition and of its own photograph. Without the unit length both domains could agree on
    zero. Source: Zhang, Zhang, Chen, Yuan, Wen, CVPR 2020 (CoCosNet), L_domain.
    """
    check("(N, C, H, W)", features_a=features_a, features_b=features_b)
    # A column of zeros has no direction: lengths below 1e-4 count as that, which bounds the gradient.
    a, b = (F.normalize(full(features), dim=1, eps=1e-4) for features in (features_a, features_b))
    return reduce(each((a - b).abs()), reduction)


def kl_standard_normal(mean: Tensor, logvar: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Kullback-Leibler divergence of N(μ, e^logvar) from N(0, 1): -½ mean (1 + logvar - μ² - e^logvar).

    Both (N, ...). The mean over the dimensions, as in GeNeVA's code; the divergence of the whole vector is their number
    times that. Source: Kingma, Welling, ICLR 2014, appendix B; conditioning augmentation of Zhang et al. (StackGAN),
    ICCV 2017, equation 2.
    """
    check("(N, ...)", mean=mean, logvar=logvar)
    return reduce(each(-0.5 * (1 + logvar - mean.square() - logvar.exp())), reduction)
