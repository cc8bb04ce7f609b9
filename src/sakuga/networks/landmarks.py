"""Landmarks as heat maps: drawn, found by a network, and read again."""

import torch
from torch import Tensor, nn

from sakuga.networks.unet import UNet

SMALL = 1e-9
"""Weight of the middle of a heat map beside what stands out of it."""
PATCHES = {"eyes": (32, 32), "nose": (28, 24), "mouth": (23, 40)}
"""Height and width of the parts of a face of 128 pixels that local discriminators see; uncertain, from second hand."""


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


def with_heatmaps(image: Tensor, points: Tensor, *, sigma: float) -> Tensor:
    """Return a picture (N, 3, H, W) and the heat maps of landmarks (N, K, 2), together (N, 3 + K, H, W)."""
    return torch.cat([image, draw_heatmaps(points, (image.shape[2], image.shape[3]), sigma=sigma)], 1)


def cut_patches(image: Tensor, points: Tensor) -> dict[str, Tensor]:
    """Cut eyes (2N, 3, h, w), nose and mouth (N, 3, h, w) out of faces (N, 3, S, S) with five landmarks (N, 5, 2).

    Whole pixels, as in the paper; at the border patches are moved inside. The mouth is midway between its corners.
    """
    side = image.shape[2]
    centres = {"eyes": points[:, :2], "nose": points[:, 2:3], "mouth": points[:, 3:].mean(1, keepdim=True)}
    found = {}
    for part, size in PATCHES.items():
        height, width = (round(length * side / 128) for length in size)
        corner = centres[part] - torch.tensor([(width - 1) / 2, (height - 1) / 2]).to(points)
        limits = torch.tensor([side - width, side - height]).to(points)
        corners = torch.minimum(corner.round().clamp_min(0), limits).long().tolist()
        found[part] = torch.stack(
            [
                picture[:, top : top + height, left : left + width]
                for place in range(len(corners[0]))
                for picture, (left, top) in ((one, each[place]) for one, each in zip(image, corners, strict=True))
            ]
        )
    return found


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


class Assisted(nn.Module):
    """A generator that is told the landmarks which a regressor finds in the picture."""

    def __init__(self, generator: nn.Module, regressor: nn.Module, sigma: float):
        super().__init__()
        self.generator, self.regressor, self.sigma = generator, regressor, sigma

    def forward(self, image: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        points = read_heatmaps(self.regressor(image))
        result: Tensor = self.generator(with_heatmaps(image, points, sigma=self.sigma))
        return result
