"""Losses between domains and styles that are met in an embedding rather than in the picture."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.losses._reduce import Reduction, check, check_images, each, reduce


def domain_adversarial(logits_a: Tensor, logits_b: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Tell from embeddings which domain they come from: -log σ(c(e_A(x))) - log(1 - σ(c(e_B(y)))), logits (N, ...).

    The classifier c minimises it while the encoders maximise it, in one backward pass when c reads the embeddings
    through `gradient_reversal`. At chance it is 2 ln 2.
    Source: Ganin and Lempitsky, ICML 2015; as L_dann in Royer et al. (XGAN), 2017.
    """
    check("(N, ...)", False, logits_a=logits_a, logits_b=logits_b)
    return reduce(each(F.softplus(-logits_a)) + each(F.softplus(logits_b)), reduction)


def gradient_reversal(x: Tensor, *, scale: float = 1.0) -> Tensor:
    """Pass x (N, ...) on unchanged and its gradient with the sign turned, times `scale`: ∂y/∂x = -scale · I.

    Source: Ganin and Lempitsky, ICML 2015.
    """
    check("(N, ...)", x=x)
    same: Tensor = _Reverse.apply(x, scale)  # type: ignore[no-untyped-call]
    return same


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * gradient, None


def semantic_consistency(
    embedding: Tensor, translated: Tensor, *, norm: Literal["l1", "l2"] = "l1", reduction: Reduction = "mean"
) -> Tensor:
    """Keep the meaning through a translation: mean |e_A(x) - e_B(g(x))| (l1) or mean (e_A(x) - e_B(g(x)))² (l2).

    The embeddings (N, ...) are of the picture and of its translation g(x) = d_B(e_A(x)); both get a gradient.
    Source: Royer et al. (XGAN), 2017, which leaves the distance open.
    """
    if norm not in ("l1", "l2"):
        raise ValueError(f"norm must be 'l1' or 'l2', not {norm!r}")
    check("(N, ...)", embedding=embedding, translated=translated)
    error = embedding - translated
    return reduce(each(error.abs() if norm == "l1" else error.square()), reduction)


def style_reconstruction(style: Tensor, recovered: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Find the style code in the picture made with it: mean |s - E_y(G(x, s))|, codes (N, ...).

    Source: Choi et al. (StarGAN v2), CVPR 2020, equation 2.
    """
    check("(N, ...)", style=style, recovered=recovered)
    return reduce(each((style - recovered).abs()), reduction)


def diversity_sensitive(first: Tensor, second: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Distance of two pictures of one source in two styles: mean |G(x, s₁) - sg(G(x, s₂))|, sg stops the gradient.

    It is MAXIMISED: subtract it, with a weight that falls to 0 over the training (StarGAN v2: from 1 or 2, linearly,
    in 100,000 steps). Images (N, C, H, W). Only the first gets a gradient, as in the official code.
    Source: Choi et al. (StarGAN v2), CVPR 2020, equation 3.
    """
    check_images(first=first, second=second)
    return reduce(each((first - second.detach()).abs()), reduction)
