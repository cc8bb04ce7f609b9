"""Differentiable augmentation of what a discriminator sees: a remedy where data are few."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.picture.arrays import BT601


def diff_augment(image: Tensor, *, saturation: bool = True) -> Tensor:
    """Change colour, place and a hole of every image by chance, differentiably; (N, C, H, W) in [-1, 1] to the same.

    Brightness + U(-½, ½), saturation × U(0, 2), contrast × U(½, 3/2); translation by up to an eighth of each side,
    filled with zeros; a square hole of half each side at a random place. The discriminator must see real and generated
    images through it, and the generator learns through it. Values may leave [-1, 1]. No `saturation` where colour is
    to be told from grey.

    Source: Zhao, Liu, Lin, Zhu, Han, "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
    policy "color, translation, cutout".
    """
    n, _, height, width = image.shape

    def chance(low: float, high: float) -> Tensor:
        return torch.rand(n, 1, 1, 1, device=image.device) * (high - low) + low

    image = image + chance(-0.5, 0.5)
    mean = image.mean(1, keepdim=True)
    image = mean + (image - mean) * (chance(0, 2) if saturation else 1)
    mean = image.mean((1, 2, 3), keepdim=True)
    image = mean + (image - mean) * chance(0.5, 1.5)

    rows = torch.arange(height, device=image.device).view(1, -1, 1)
    columns = torch.arange(width, device=image.device).view(1, 1, -1)
    down = torch.randint(-(height // 8), height // 8 + 1, (n, 1, 1), device=image.device)
    right = torch.randint(-(width // 8), width // 8 + 1, (n, 1, 1), device=image.device)
    padded = F.pad(image, (1, 1, 1, 1))
    which = torch.arange(n, device=image.device).view(-1, 1, 1)
    y, x = (rows + down + 1).clamp(0, height + 1), (columns + right + 1).clamp(0, width + 1)
    image = padded.permute(0, 2, 3, 1)[which, y, x].permute(0, 3, 1, 2)

    top = torch.randint(0, height + 1, (n, 1, 1), device=image.device) - height // 4
    left = torch.randint(0, width + 1, (n, 1, 1), device=image.device) - width // 4
    hole = (rows >= top) & (rows < top + height // 2) & (columns >= left) & (columns < left + width // 2)
    return image * ~hole[:, None]


def color_jitter(image: Tensor, amounts: Tensor) -> Tensor:
    """Change the colours of (N, 3, H, W) in [-1, 1] by amounts (N, 4) in [-1, 1]; 0 leaves them as they are.

    Brightness, then contrast about the mean brightness, then saturation, each times 1 + amount; then the hue by a turn
    of half the last amount about the axis of grays. Values are clipped to [-1, 1].
    """
    bright, contrast, saturation, hue = amounts[:, :, None, None, None].unbind(1)
    image = (image + 1) / 2 * (1 + bright)
    luma = torch.tensor(BT601, device=image.device, dtype=image.dtype).view(1, 3, 1, 1)
    mean = (image * luma).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    image = mean + (image - mean) * (1 + contrast)
    gray = (image * luma).sum(1, keepdim=True)
    image = gray + (image - gray) * (1 + saturation)
    # Rodrigues' rotation about (1, 1, 1); a turn is 2 pi
    angle, axis = math.pi * hue, image.mean(1, keepdim=True)
    across = torch.stack([image[:, 2] - image[:, 1], image[:, 0] - image[:, 2], image[:, 1] - image[:, 0]], 1)
    image = axis + (image - axis) * angle.cos() + across * angle.sin() / math.sqrt(3)
    return (image * 2 - 1).clamp(-1, 1)
