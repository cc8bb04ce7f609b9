"""What FSGAN's three generators are given in training, and what users run: a picture, and a second one beside it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sakuga.networks.landmarks import LandmarkRegressor, read_heatmaps, with_heatmaps
from sakuga.networks.poisson import poisson_blend

BLACK = -0.95
"""Up to which value a pixel counts as black: six levels of 256, for what JPEG makes of it."""


class Task(NamedTuple):
    """What a generator is given (N, channels, S, S), what it shall make of it, and what the discriminator is shown."""

    given: Tensor
    wanted: Tensor
    real: Tensor


def to_complete(target: Tensor, mask: Tensor, left: Tensor) -> Task:
    """A face with holes: of `target` (N, 3, S, S) the face is where the mask is 1, and what is left of it."""
    face = on_black(target, mask)
    return Task(torch.cat([on_black(target, left), mask], 1), face, face)


def to_blend(face: Tensor, target: Tensor, mask: Tensor) -> Task:
    """Another's face, where the mask is 1, on a picture: what is wanted is their Poisson blend."""
    blend = poisson_blend(face, target, mask).clamp(-1, 1)
    return Task(torch.cat([on_black(face, mask), target, mask], 1), blend, target)


class Reenacted(nn.Module):
    """The face of a picture with the pose and expression of another's, both (N, 3, S, S) in [-1, 1], step by step."""

    second = "driver"

    def __init__(self, generator: nn.Module, regressor: LandmarkRegressor, *, sigma: float, iterations: int):
        super().__init__()
        self.generator, self.regressor = generator, regressor
        self.sigma, self.iterations = sigma, iterations

    def forward(self, image: Tensor, driver: Tensor) -> Tensor:
        """Move the face."""
        own, wanted = (read_heatmaps(self.regressor(one)) for one in (image, driver))
        return reenact(self.generator, image, own, wanted, sigma=self.sigma, iterations=self.iterations)


class Completed(nn.Module):
    """A face (N, 3, S, S) whose holes are black, filled wherever a mask, a picture too, is white."""

    second = "mask"

    def __init__(self, generator: nn.Module):
        super().__init__()
        self.generator = generator

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Fill the holes."""
        within = (mask.mean(1, keepdim=True) > 0).to(image)
        result: Tensor = self.generator(torch.cat([on_black(image, within), within], 1))
        return result


class Blended(nn.Module):
    """A picture on which lies another's face, a picture (N, 3, S, S) that is black around the face."""

    second = "face"

    def __init__(self, generator: nn.Module):
        super().__init__()
        self.generator = generator

    def forward(self, image: Tensor, face: Tensor) -> Tensor:
        """Fit the face in."""
        within = (face.amax(1, keepdim=True) > BLACK).to(image)
        result: Tensor = self.generator(torch.cat([on_black(face, within), image, within], 1))
        return result


def reenact(
    generator: nn.Module, image: Tensor, own: Tensor, wanted: Tensor, *, sigma: float, iterations: int
) -> Tensor:
    """Move faces (N, 3, H, W) from their landmarks (N, K, 2) to others, along those in between, in equal steps."""
    for number in range(1, iterations + 1):
        points = torch.lerp(own, wanted, number / iterations)
        image = generator(with_heatmaps(image, points, sigma=sigma))
    return image


def on_black(image: Tensor, mask: Tensor) -> Tensor:
    """Return pictures (N, 3, H, W) that are black where a mask (N, 1, H, W) is 0."""
    return (image + 1) * mask - 1
