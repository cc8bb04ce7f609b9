"""Fréchet distance: by hand, by SciPy's formula, by its peer."""

import numpy as np
import pytest
import scipy.linalg
import torch
from torchmetrics.image.fid import _compute_fid

from sakuga.metrics.frechet import frechet


def test_two_known_gaussians_by_hand():
    # Means 1 and 5; variances (1 + 0 + 1) / 2 = 1 and (9 + 0 + 9) / 2 = 9: (1 - 5)² + (1 - 3)² = 20.
    a, b = torch.tensor([[0.0], [1], [2]]), torch.tensor([[2.0], [5], [8]])
    assert frechet(a, b).item() == pytest.approx(20)
    # In two dimensions that vary together: C_a = [[1, 1], [1, 1]], C_b = 9 C_a, whose root product is 3 C_a: with
    # traces 2 + 18 - 2 · 6 = 8, and 2 · 16 of the means.
    assert frechet(a.expand(3, 2), b.expand(3, 2)).item() == pytest.approx(40)
    # And at right angles, C_a = diag(1, 0), C_b = diag(0, 9): nothing in common, 1 + 9, and 1 + 25 of the means.
    nil = torch.zeros(3, 1)
    assert frechet(torch.cat([a, nil], 1), torch.cat([nil, b], 1)).item() == pytest.approx(36)


@pytest.mark.parametrize(("rows", "width"), [(40, 6), (9, 6)])
def test_equals_scipy_and_torchmetrics(rows, width):
    generator = torch.Generator().manual_seed(0)
    mix = torch.randn(width, width, generator=generator)
    a = torch.randn(rows, width, generator=generator) @ mix
    b = torch.rand(rows + 5, width, generator=generator) * 3
    (mean_a, cov_a), (mean_b, cov_b) = ((x.double().mean(0), x.double().T.cov()) for x in (a, b))
    root = scipy.linalg.sqrtm(cov_a.numpy() @ cov_b.numpy()).real
    wanted = float((mean_a - mean_b).square().sum()) + np.trace(cov_a.numpy() + cov_b.numpy() - 2 * root)
    assert frechet(a, b).item() == pytest.approx(wanted, rel=1e-9)
    assert frechet(a, b).item() == pytest.approx(_compute_fid(mean_a, cov_a, mean_b, cov_b).item(), rel=1e-9)


def test_a_set_and_itself_even_with_fewer_pictures_than_features():
    features = torch.randn(5, 64, generator=torch.Generator().manual_seed(0))
    assert frechet(features, features.flip(0)).item() == pytest.approx(0, abs=1e-9)
    # Shifted by 2 in each of 64 features.
    assert frechet(features, features + 2).item() == pytest.approx(256)


def test_refuses_what_makes_no_gaussian():
    x = torch.rand(3, 4)
    with pytest.raises(ValueError, match="features must be"):
        frechet(x, x[:, :2])
    with pytest.raises(ValueError, match="two rows"):
        frechet(x, x[:1])
