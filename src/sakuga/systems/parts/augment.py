"""Differentiable augmentation of what a discriminator sees: a remedy where data are few."""

import torch
import torch.nn.functional as F
from torch import Tensor


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
