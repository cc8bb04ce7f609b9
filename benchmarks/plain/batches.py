"""Batches that any process makes alike, and the shape of a loop."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.systems.base import Batch, System

Step = Callable[[Batch], dict[str, float]]
Plain = tuple[Step, dict[str, torch.optim.Optimizer]]


def rng(step: int) -> torch.Generator:
    """Return the random numbers of a step."""
    return torch.Generator().manual_seed(step)


def pictures(system: System, count: int, chance: torch.Generator) -> list[Tensor]:
    """Return batches of noise at eight times the pixel's size, as pictures are mostly smooth."""
    c = system.config
    coarse = torch.rand(count, c.batch, 3, c.crop // 8, c.crop // 8, generator=chance, dtype=torch.float32) * 2 - 1
    return [F.interpolate(image, scale_factor=8, mode="bilinear") for image in coarse.to(torch.get_default_dtype())]


def normal(chance: torch.Generator, *size: int) -> Tensor:
    """Return normal noise."""
    return torch.randn(*size, generator=chance, dtype=torch.float32).to(torch.get_default_dtype())
