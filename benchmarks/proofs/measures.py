"""Figures of pictures from noise."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.data.images import find_images, load_image, to_tensor
from sakuga.metrics.kid import kid
from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork

SIDE = 64
"""Pixels to which pictures are enlarged for the feature network."""
EVERY = 10
"""One picture of so many is kept from the training."""
COUNT = 300
"""Pictures that are made, and most that they are compared with."""


def divide(folder: Path, *, every: int = EVERY, most: int | None = None) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return the files below a folder, or the first of them, to train on, and every tenth or so, which is kept."""
    files = find_images([folder])[:most]
    kept = files[::every]
    return tuple(file for file in files if file not in {*kept}), tuple(kept)


def read(paths: tuple[Path, ...], side: int) -> Tensor:
    """Return pictures as (N, 3, side, side) in [-1, 1], as a training sees them."""
    return torch.cat([to_tensor(load_image(path, short_side=side)[:side, :side]) for path in paths])


@torch.inference_mode()
def make(generator: nn.Module, noise: int, *, seed: int = 1, count: int = COUNT) -> Tensor:
    """Return pictures of a generator in eval mode, (count, 3, H, W), of a noise that no training has seen."""
    points = torch.randn(count, noise, generator=torch.Generator().manual_seed(seed))
    return torch.cat([generator.eval()(part) for part in points.split(50)])


@cache
def _network() -> FeatureNetwork:
    return FeatureNetwork("alexnet", LPIPS_LAYERS["alexnet"][-1:])


@torch.inference_mode()
def features(pictures: Tensor) -> Tensor:
    """Return AlexNet's last activation, averaged over its places, (N, 256)."""
    network = _network()
    large = F.interpolate(pictures, size=(SIDE, SIDE), mode="bilinear")
    return torch.cat([network(part)[network.layers[0]].mean((2, 3)) for part in large.split(50)])


def distance(pictures: Tensor, references: Tensor) -> float:
    """KID by AlexNet."""
    found, real = features(pictures), features(references)
    size = min(len(found), len(real), 100)
    mean, _ = kid(found, real, subsets=50, subset_size=size, generator=torch.Generator().manual_seed(0))
    return float(mean)


def spread(pictures: Tensor) -> float:
    """Mean distance of two pictures in levels of [-1, 1]: 0 where all are one."""
    flat = pictures[:100].flatten(1)
    return float(torch.pdist(flat, p=1).mean() / flat.shape[1])


def noisy_mean(pictures: Tensor, count: int = COUNT) -> Tensor:
    """Return the mean of pictures plus normal noise of their own deviation at every pixel: what needs no learning."""
    rng = torch.Generator().manual_seed(2)
    drawn = torch.randn(count, *pictures.shape[1:], generator=rng)
    return (pictures.mean(0) + pictures.std(0) * drawn).clamp(-1, 1)


def quality(made: Tensor, untrained: Tensor, real: Tensor, kept: Tensor) -> Mapping[str, float]:
    """Return KID to kept pictures, its ratios to an untrained generator's and to the noisy mean's, and the spread."""
    figure = distance(made, kept)
    return {
        "kid": figure,
        "kid of other real pictures": distance(real[:COUNT], kept),
        "kid / untrained": figure / distance(untrained, kept),
        "kid / mean plus noise": figure / distance(noisy_mean(real), kept),
        "spread / real": spread(made) / spread(kept),
    }
