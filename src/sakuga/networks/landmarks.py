"""Landmarks as heat maps: drawn, found by a network, and read again."""

import torch
from torch import Tensor, nn

from sakuga.networks.unet import UNet

SMALL = 1e-9
"""Weight of the middle of a heat map beside what stands out of it."""


def draw_heatmaps(points: Tensor, side: tuple[int, int], *, sigma: float) -> Tensor:
    """Draw landmarks (N, K, 2), x and y in pixels, as maps (N, K, H, W): exp(-d² / 2σ²) of the distance d, 1 at each.

    (0, 0) is the centre of the first pixel; of points outside of `side` (height, width) only what reaches in is seen.
    """
    height, width = side
    y = torch.arange(height, device=points.device, dtype=points.dtype).view(1, 1, -1, 1)
    x = torch.arange(width, device=points.device, dtype=points.dtype).view(1, 1, 1, -1)
    across, down = points[..., 0, None, None] - x, points[..., 1, None, None] - y
    return torch.exp(-(across.square() + down.square()) / (2 * sigma**2))


def read_heatmaps(heatmaps: Tensor) -> Tensor:
    """Return the landmark of each map (N, K, H, W) as (N, K, 2): the centre of what exceeds half of the map's maximum.

    Of a map without any maximum, the middle of the picture.
    """
    height, width = heatmaps.shape[2:]
    weights = (heatmaps - heatmaps.amax((2, 3), keepdim=True) / 2).clamp_min(0)
    y = torch.arange(height, device=heatmaps.device, dtype=heatmaps.dtype)
    x = torch.arange(width, device=heatmaps.device, dtype=heatmaps.dtype)
    # Once for the sums, not for each pixel: ONNX Runtime's sums lose what is small beside them, torch's do not.
    total = weights.sum((2, 3)) + SMALL
    across = (weights.sum(2) * x).sum(2) + SMALL * (width - 1) / 2
    down = (weights.sum(3) * y).sum(2) + SMALL * (height - 1) / 2
    return torch.stack([across / total, down / total], 2)


class LandmarkRegressor(nn.Module):
    """pix2pix's U-Net, which finds the landmarks of a face: pictures (N, 3, H, W) to heat maps (N, K, H, W) in [0, 1].

    In place of tanh its last activation is the logistic function.

    Norms are of the picture (instance norm), so that it says the same of a face whatever else is in the batch. Sides
    must be multiples of `multiple`, 2^levels.

    Args:
        points: K.
        width: channels of the first level.
        levels: halvings; 8 times the width where there are more than three.

    Source: Wu et al., "Landmark Assisted CycleGAN for Cartoon Face Generation", 2019, which calls its regressors U-Nets
    and has no public code: widths, levels and norm are ours.
    """

    receptive_field = 0

    def __init__(self, points: int = 5, *, width: int = 64, levels: int = 5):
        super().__init__()
        self.body = UNet(3, points, width=width, levels=levels, norm="instance", dropout=())
        self.body.last[2] = nn.Sigmoid()
        # Maps are nearly empty, so they begin there: with tanh, from one half on, they are learned ten times later.
        for bias in (p for name, p in self.body.last.named_parameters() if name.endswith("bias")):
            nn.init.constant_(bias, -4.0)
        self.points, self.multiple = points, self.body.multiple

    def forward(self, image: Tensor) -> Tensor:
        """Find landmarks."""
        heatmaps: Tensor = self.body(image)
        return heatmaps
