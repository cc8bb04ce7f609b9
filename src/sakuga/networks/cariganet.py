"""CariGAN: a photo of a face, the landmarks of a caricature and noise to a caricature of that pose."""

import torch
from torch import Tensor, nn

from sakuga.networks.unet import UNet

DRAWN = (0, 8, 16, 17, 21, 22, 26, 27, 30, 36, 39, 42, 45, 48, 51, 54, 57)
"""Of iBUG's 68 landmarks those that are drawn, 17: ends of jaw, brows and eyes, chin, nose, mouth."""
DOT = 1 / 64
"""Deviation of a dot in the drawing, as a share of its side."""


class CariGANGenerator(nn.Module):
    """A photo (N, 3, S, S), landmarks (N, 68, 2) in pixels of the caricature and noise (N, Z) to a caricature.

    pix2pix's U-Net, which is shown the landmarks as a picture of dots and every number of the noise as a constant one.

    Args:
        noise: numbers, Z.
        width: of the first level.
        levels: halvings; sides are multiples of 2^levels.
        poses: how many poses are kept for users, who have no landmarks of a caricature.

    Attributes:
        poses: landmarks of some caricatures that were trained on, (poses, 68, 2) in units of the side.

    Source: Li, Xiong et al., "CariGAN: Caricature Generation through Weakly Paired Adversarial Learning", 2018; without
    public code, how the three inputs are joined is our choice.
    """

    poses: Tensor

    def __init__(self, noise: int = 8, *, width: int = 64, levels: int = 8, poses: int = 16):
        super().__init__()
        self.unet = UNet(3 + 1 + noise, width=width, levels=levels, norm="instance")
        self.register_buffer("poses", torch.rand(poses, 68, 2))

    def forward(self, image: Tensor, points: Tensor, noise: Tensor) -> Tensor:
        """Draw."""
        pose = draw_points(points, image.shape[3])
        flat = noise[:, :, None, None].expand(-1, -1, image.shape[2], image.shape[3])
        caricature: Tensor = self.unet(torch.cat([image, pose, flat], 1))
        return caricature


class PosedCaricature(nn.Module):
    """What users run: a photo, one of the poses that the generator keeps, one-hot (N, poses), and noise."""

    def __init__(self, generator: CariGANGenerator, side: int):
        super().__init__()
        self.generator, self.side = generator, side

    def forward(self, image: Tensor, pose: Tensor, noise: Tensor) -> Tensor:
        """Draw (N, 3, S, S) in [-1, 1]."""
        points = (pose @ self.generator.poses.flatten(1)).view(-1, 68, 2) * self.side - 0.5
        caricature: Tensor = self.generator(image, points, noise)
        return caricature


def draw_points(points: Tensor, side: int) -> Tensor:
    """Draw some of 68 landmarks (N, 68, 2), pixels, as a picture (N, 1, side, side): dots of 1 on -1."""
    line = torch.arange(side, device=points.device, dtype=points.dtype)
    x, y = ((points[:, DRAWN, axis, None] - line) / (side * DOT) for axis in (0, 1))
    dots = (-y.square()[:, :, :, None] / 2 - x.square()[:, :, None] / 2).exp()
    return 2 * dots.amax(1, keepdim=True) - 1
