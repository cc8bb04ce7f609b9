"""What keeps a critic smooth, a generator's latent space even and kernels orthogonal."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from sakuga.losses._reduce import Reduction, check, check_images, reduce, without_autocast
from sakuga.losses.adversarial import Scores, average, heads


def gradient_penalty(
    score: Callable[[Tensor], Scores],
    real: Tensor,
    fake: Tensor,
    *,
    target: float = 1.0,
    mix: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """(‖∂ΣD(x̂)/∂x̂‖₂ - γ)² / γ² at x̂ = ε x + (1 - ε) G, the norm over (C, H, W), all scores of a sample summed.

    D must treat the samples of a batch apart: no batch norm. The weight λ is the system's: 10 (WGAN-GP, StarGAN,
    PGGAN), 150 (RelGAN). Gradients reach D's weights, and `fake` unless it is detached, as it should be.

    Args:
        score: the critic D, from images to scores of any shape, or a list of them.
        real: images x (N, C, H, W).
        fake: images G, of the same shape.
        target: the norm γ > 0 that is asked for.
        mix: ε (N,) in [0, 1]; drawn from U(0, 1), one for each sample, if not given.
        reduction: over the batch.

    Source: Gulrajani et al., NeurIPS 2017, equation 3; γ: Karras et al., ICLR 2018, 750 for CIFAR-10.
    """
    check_images(real=real, fake=fake)
    if target <= 0:
        raise ValueError(f"target must be positive, not {target}; r1 asks for no gradient at all")
    if mix is None:
        mix = torch.rand(len(real), dtype=real.dtype, device=real.device)
    check("(N)", mix=mix)
    check("(N, ...)", False, real=real, mix=mix)
    mix = mix.view(-1, 1, 1, 1)
    mixed = mix * real + (1 - mix) * fake
    if not mixed.requires_grad:
        mixed.requires_grad_()
    (scores,) = heads(score=score(mixed))
    norm = torch.linalg.vector_norm(_gradient(scores, "score", mixed).flatten(1), dim=1)
    return reduce((norm - target).square() / target**2, reduction)


def drift(real: Scores, *, reduction: Reduction = "mean") -> Tensor:
    """D(x)², given scores of real images: keeps a Wasserstein critic's scores from wandering off.

    The weight is the system's: 0.001 (Karras et al., ICLR 2018, appendix A.1).
    """
    (scores,) = heads(real=real)
    return reduce(average(torch.square, scores), reduction)


def r1(scores: Scores, images: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """½ ‖∂ΣD(x)/∂x‖², summed over (C, H, W), on real images; all scores of a sample are summed.

    The system multiplies by γ: 10 (StyleGAN, StyleGAN2's configuration F), 1 (StarGAN v2); and, where it takes the
    penalty only every k-th step (lazy regularisation, k = 16 in StyleGAN2), by k as well. GeNeVA's has no ½: γ = 2 w
    gives its weight w.

    Args:
        scores: what D made of `images`: `x = x.detach().requires_grad_()`, then `r1(D(x), x)`.
        images: (N, C, H, W), requiring grad since before D saw them.
        reduction: over the batch.

    Raises:
        ValueError: `images` do not require grad, or `scores` were not made from them.

    Source: Mescheder, Geiger, Nowozin, ICML 2018, equation 9.
    """
    check_images(images=images)
    (listed,) = heads(scores=scores)
    check("(N, ...)", False, images=images, scores=listed[0])
    return reduce(_gradient(listed, "scores", images, "images").square().flatten(1).sum(1) / 2, reduction)


def path_length(
    images: Tensor,
    latents: Tensor,
    mean: Tensor,
    *,
    decay: float = 0.01,
    noise: Tensor | None = None,
    reduction: Reduction = "mean",
) -> tuple[Tensor, Tensor]:
    """(‖Jᵀy‖ - a)²: a step in w should change the image by the same length everywhere; also returns the new a.

    Jᵀy = ∂Σ(G(w) y)/∂w with y ~ N(0, 1) / √(H W); its length is √(mean over layers of Σ_d (Jᵀy)²). First
    a ← a + decay (mean length - a), then the loss is taken against this new a, held constant.

    The system multiplies by 2, and by the interval k where it takes the penalty only every k-th step (k = 4 in
    StyleGAN2). With these scalings of y and of the layers, L = 2 log₂ H - 2 in number, the 2 is the paper's
    γ = ln 2 / (H² (ln H - ln 2)): 2 / (H² L) = γ.

    Args:
        images: G(w), (N, C, H, W).
        latents: w, (N, D), or (N, L, D) with a copy for each layer, requiring grad since before G saw them.
        mean: the running mean a, a scalar tensor: zero at first, then what the last call returned.
        decay: how fast a follows the lengths.
        noise: y before its scaling, of the images' shape; drawn from N(0, 1) if not given.
        reduction: over the batch.

    Returns:
        The loss, and the new running mean without a graph.

    Raises:
        ValueError: `latents` do not require grad, or `images` were not made from them.

    Source: Karras et al., CVPR 2020, equation 4. In the official code a's last update carries a gradient, in the
    paper a is a constant, as here.
    """
    check("(N, D)" if latents.ndim < 3 else "(N, L, D)", latents=latents)
    noise = torch.randn_like(images) if noise is None else noise
    check_images(images=images, noise=noise)
    check("(N, ...)", False, images=images, latents=latents)
    if mean.ndim:
        raise ValueError(f"mean must be a scalar tensor, not of shape {tuple(mean.shape)}")
    height, width = images.shape[2:]
    layers = latents.shape[1] if latents.ndim == 3 else 1
    jty = _gradient([images * noise / (height * width) ** 0.5], "images", latents, "latents")
    lengths = torch.linalg.vector_norm(jty.flatten(1), dim=1) / layers**0.5
    mean = torch.lerp(mean, lengths.detach().mean().to(mean), decay).detach()
    return reduce((lengths - mean).square(), reduction), mean


def orthogonal(weight: Tensor) -> Tensor:
    """Orthogonal regularisation of filters: Σ over taps ‖W Wᵀ ∘ (1 - I)‖²_F, a scalar; W is (O, I) at a tap.

    Of one kernel (O, I, kh, kw) or matrix (O, I). Zero if at every tap the rows, one for each output filter, are
    orthogonal, which takes O ≤ I. Sum it over a network's kernels; RelGAN takes its generator's with kh > 1, weight
    1e-6. A transposed convolution keeps its kernel as (I, O, kh, kw): pass `weight.transpose(0, 1)`.

    Source: Wu et al., ICCV 2019 (RelGAN), equation 10, after Brock, Donahue, Simonyan, ICLR 2019, equation 3. Both
    write WᵀW for kernels that are stored with the filters last; their codes take the Gram matrix over the filters.
    """
    check("(O, I, ...)", weight=weight)
    taps = weight.flatten(2) if weight.ndim > 2 else weight[..., None]
    others = 1 - torch.eye(weight.shape[0], dtype=weight.dtype, device=weight.device)
    with without_autocast(weight):
        return (torch.einsum("oit,pit->top", taps, taps) * others).square().sum()


@torch.no_grad()
def clip_weights(network: nn.Module, limit: float = 0.01) -> None:
    """Clamp every parameter to [-limit, limit], in place: a WGAN critic's, before or after each of its steps.

    Gains and biases of norms are parameters too, running statistics are not. Source: Arjovsky, Chintala, Bottou, ICML
    2017, algorithm 1.
    """
    for parameter in network.parameters():
        parameter.clamp_(-limit, limit)


def _gradient(outputs: Sequence[Tensor], made: str, inputs: Tensor, source: str = "its input") -> Tensor:
    """∂Σ outputs / ∂ inputs, itself differentiable."""
    if not inputs.requires_grad:
        raise ValueError(f"{source} must require grad before {made} are made from them")
    total = torch.stack([output.sum() for output in outputs]).sum()
    # Autograd itself would refuse inputs that took no part, but not by name.
    found = torch.autograd.grad(total, inputs, create_graph=True, allow_unused=True) if total.requires_grad else [None]
    if found[0] is None:
        raise ValueError(f"{made} must be made from {source}, with gradients enabled")
    return found[0]
