"""Perceptual path length: how much pictures change along the way between two points of a latent space."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from sakuga.networks.equalised import pixel_norm
from sakuga.networks.stylegan import StyleGANGenerator
from sakuga.networks.stylegan2 import StyleGAN2Generator

Space = Literal["z", "w"]
STEP = 1e-4
"""Length ε of the piece of the way, as a share of it."""
BATCH = 10


@torch.inference_mode()
def path_length(
    generator: StyleGANGenerator | StyleGAN2Generator,
    distance: Callable[[Tensor, Tensor], Tensor],
    *,
    space: Space,
    end: bool,
    pairs: int,
    seed: int = 0,
) -> float:
    """Mean of d(G(a), G(b)) / ε², of pieces from a to b with the length ε of the way between two random points.

    Args:
        generator: in eval mode, so that both pictures have the same noise.
        distance: of pictures (N, 3, H, W), (N,); LPIPS by VGG-16 in the paper.
        space: `z`: the way is an arc, spherical interpolation; `w`: a straight line between mapped points.
        end: take the piece at the way's beginning, where no interpolation is seen; otherwise anywhere.
        pairs: of points; 50,000 in the paper.
        seed: of the points.

    The lowest and the highest hundredth are left out, as in the official code. That crops faces of FFHQ before it
    compares them, which this does not.

    Source: Karras, Laine, Aila, CVPR 2019, section 4.1 (w full and end, z); Karras et al., CVPR 2020, reports w end.
    """
    rng = torch.Generator().manual_seed(seed)
    size, found = len(generator.mapping.mean), []
    for begin in range(0, pairs, BATCH):
        count = min(BATCH, pairs - begin)
        a, b = torch.randn(2, count, size, generator=rng)
        t = torch.rand(count, 1, generator=rng) * (0 if end else 1)
        if space == "z":
            ends = [generator.mapping(arc(a, b, place)) for place in (t, t + STEP)]
        else:
            a, b = generator.mapping(a), generator.mapping(b)
            ends = [torch.lerp(a, b, place) for place in (t, t + STEP)]
        pictures = [generator.render(w[:, None].repeat(1, generator.layers, 1)) for w in ends]
        found.append(distance(*pictures).double() / STEP**2)
    lengths = torch.cat(found).numpy()
    low, high = np.percentile(lengths, 1, method="lower"), np.percentile(lengths, 99, method="higher")
    return float(lengths[(lengths >= low) & (lengths <= high)].mean())


def arc(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Return points (N, size) at `t` (N, 1) on the arcs from a to b, of which only the directions count."""
    a, b = pixel_norm(a), pixel_norm(b)
    size = a.shape[1]
    cosine = (a * b).sum(1, keepdim=True) / size
    angle = t * torch.arccos(cosine.clamp(-1, 1))
    across = pixel_norm(b - cosine * a)
    return a * torch.cos(angle) + across * torch.sin(angle)
