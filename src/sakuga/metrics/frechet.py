"""Fréchet inception distance: how far two sets of pictures are apart, as two Gaussians of their features."""

import torch
from torch import Tensor


def frechet(features_a: Tensor, features_b: Tensor) -> Tensor:
    """‖μ_a - μ_b‖² + tr(C_a + C_b - 2 (C_a C_b)^½) of features (M, d) and (N, d), C without bias; a scalar, float64.

    With the centred rows X = QR, C = RᵀR / (M - 1), so tr C = ‖R‖²_F / (M - 1), and tr (C_a C_b)^½ is the sum of the
    singular values of R_a R_bᵀ, divided by √((M - 1)(N - 1)): no root of a product of nearly singular matrices, which
    is what `sqrtm` loses digits on when there are fewer pictures than features.

    The estimate is biased, upwards and the more the fewer the pictures: compare figures of one and the same count.

    Raises:
        ValueError: the features have two widths, or there are fewer than two rows.

    Source: Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter, "GANs Trained by a Two Time-Scale Update Rule", NeurIPS
    2017, equation 6.
    """
    if features_a.ndim != 2 or features_b.ndim != 2 or features_a.shape[1] != features_b.shape[1]:
        raise ValueError(f"features must be (M, d) and (N, d), not {[*features_a.shape]} and {[*features_b.shape]}.")
    if min(len(features_a), len(features_b)) < 2:
        raise ValueError(f"features must have two rows or more, not {len(features_a)} and {len(features_b)}.")
    (mean_a, root_a), (mean_b, root_b) = _gaussian(features_a), _gaussian(features_b)
    within = root_a.square().sum() + root_b.square().sum()
    between = torch.linalg.svdvals(root_a @ root_b.T).sum()
    distance: Tensor = (mean_a - mean_b).square().sum() + within - 2 * between
    return distance


def _gaussian(features: Tensor) -> tuple[Tensor, Tensor]:
    """The mean (d) and R with RᵀR the covariance."""
    x = features.double()
    mean = x.mean(0)
    return mean, torch.linalg.qr(x - mean, mode="r").R / (len(x) - 1) ** 0.5
