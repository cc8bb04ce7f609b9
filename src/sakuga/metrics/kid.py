"""Kernel inception distance: how far two sets of pictures are apart, from features of few pictures."""

import torch
from torch import Tensor


def kernel(x: Tensor, y: Tensor) -> Tensor:
    """k(x, y) = (x·y / d + 1)³ for all pairs of rows: (M, d), (N, d) to (M, N)."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def mmd2(x: Tensor, y: Tensor) -> Tensor:
    """Squared maximum mean discrepancy of two samples (M, d), without bias, so it may be negative.

    Σ_{i≠j} k(x_i, x_j) / M(M-1) + Σ_{i≠j} k(y_i, y_j) / M(M-1) - 2 Σ_{i,j} k(x_i, y_j) / M².
    """
    within = [(k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(y, y))]
    return within[0] + within[1] - 2 * kernel(x, y).mean()


def kid(
    features_a: Tensor,
    features_b: Tensor,
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Kernel inception distance: mean and standard deviation of MMD² over random subsets.

    Args:
        features_a: (M, d), one row per picture, of any feature network; `inception` in the name is the authors' choice.
        features_b: (N, d).
        subsets: how many pairs of subsets to draw.
        subset_size: rows in each.
        generator: the only source of chance; torch's own by default.

    Raises:
        ValueError: the features have two widths, or there are too few rows for a subset.

    Source: Bińkowski, Sutherland, Arbel, Gretton, "Demystifying MMD GANs", ICLR 2018, section 4.
    """
    if features_a.ndim != 2 or features_b.ndim != 2 or features_a.shape[1] != features_b.shape[1]:
        raise ValueError(f"features must be (M, d) and (N, d), not {[*features_a.shape]} and {[*features_b.shape]}.")
    fewer = min(len(features_a), len(features_b))
    if not 2 <= subset_size <= fewer:
        raise ValueError(f"subset_size must be from 2 to the {fewer} pictures there are, not {subset_size}.")
    a, b = features_a.double(), features_b.double()

    def subset(features: Tensor) -> Tensor:
        return features[torch.randperm(len(features), generator=generator)[:subset_size].to(features.device)]

    distances = torch.stack([mmd2(subset(a), subset(b)) for _ in range(subsets)])
    return distances.mean(), distances.std(correction=0)
