"""A picture's latent in a generator that styles steer: projection (Karras et al., CVPR 2020, appendix D)."""

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.networks.stylegan import StyleGANGenerator
from sakuga.networks.stylegan2 import StyleGAN2Generator

Space = Literal["w", "w+"]
Steered = StyleGANGenerator | StyleGAN2Generator
Distance = Callable[[Tensor, Tensor], Tensor]
"""Of two pictures (1, 3, H, W), a number."""

SAMPLES = 10_000
"""Points of w by which its mean and deviation are measured."""
RATE, RAMP_UP, RAMP_DOWN = 0.1, 0.05, 0.25
"""Highest learning rate, and the shares of the steps in which it rises to it and falls again."""
NOISE, NOISE_UNTIL = 0.05, 0.75
"""Deviation of the noise on w in units of w's own, and the share of the steps after which there is none."""
REGULARISATION = 1e5
SMALLEST = 8
"""Side of the smallest noise map whose pixels are kept from correlating."""


class Projection:
    """Adam on a latent and on the noise of every layer until the picture comes near a target.

    Each step draws the latent with some noise, less and less of it, and takes the distance of its picture and the
    target, plus 10⁵ times `noise_correlation`; the noise maps are then brought to mean 0 and deviation 1 again. What a
    step draws depends on the seed and its number alone, so that a projection goes on exactly from its `state`.

    Args:
        generator: a StyleGAN of either kind; it is copied.
        target: the picture, (1, 3, side, side) in [-1, 1].
        distance: of pictures.
        space: `w`: one latent for all layers, as in the paper; `w+`: one for each (Abdal, Qin, Wonka, ICCV 2019), which
            comes nearer and may leave what the generator learned.
        steps: in all; 1,000 in the paper.
        seed: of all random numbers.

    Attributes:
        taken: steps so far.
        maps: the noise of each layer, (1, 1, side, side).

    Source: Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, "Analyzing and Improving the Image Quality of StyleGAN",
    CVPR 2020, appendix D; deviation of w and ramps as in the official code.
    """

    def __init__(
        self,
        generator: Steered,
        target: Tensor,
        distance: Distance,
        *,
        space: Space = "w",
        steps: int = 1000,
        seed: int = 0,
    ):
        self.generator = copy.deepcopy(generator).eval().requires_grad_(False)
        self.target, self.distance, self.steps, self.seed, self.taken = target, distance, steps, seed, 0
        rng = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            mapping = self.generator.mapping
            points = mapping(torch.randn(SAMPLES, len(mapping.mean), generator=rng))
            self.mean = points.mean(0)
            self.deviation = float((points - self.mean).square().sum(1).mean().sqrt())
        layers = self.generator.layers
        self.latent = self.mean.repeat(1, 1 if space == "w" else layers, 1).requires_grad_()
        self.maps = noise_maps(self.generator)[:layers]
        for one in self.maps:
            one.copy_(torch.randn(one.shape, generator=rng)).requires_grad_()
        self.optimizer = torch.optim.Adam([self.latent, *self.maps], lr=RATE)

    def run(self) -> Iterator[float]:
        """Take the steps that are left; yield the distance after each."""
        while self.taken < self.steps:
            t = self.taken / self.steps
            rng = torch.Generator().manual_seed(self.seed * 1_000_003 + self.taken)
            strength = NOISE * self.deviation * max(0.0, 1 - t / NOISE_UNTIL) ** 2
            latent = self.latent + strength * torch.randn(self.latent.shape, generator=rng)
            found = self.distance(self.generator.render(self._spread(latent)), self.target)
            loss = found + REGULARISATION * noise_correlation(self.maps)
            for group in self.optimizer.param_groups:
                group["lr"] = RATE * ramp(t)
            self.optimizer.zero_grad()
            torch.autograd.backward(loss)
            self.optimizer.step()
            with torch.no_grad():
                for one in self.maps:
                    one.sub_(one.mean()).mul_(torch.rsqrt(one.square().mean().clamp_min(1e-12)))
            self.taken += 1
            yield float(found.detach())

    @property
    def latents(self) -> Tensor:
        """The latents found, (1, layers, size)."""
        return self._spread(self.latent).detach()

    @torch.no_grad()
    def picture(self, latents: Tensor | None = None) -> Tensor:
        """Render what was found, or other latents, with the noise that was found."""
        return self.generator.render(self.latents if latents is None else latents)

    def error(self, latents: Tensor | None = None) -> float:
        """The distance of `picture` and the target."""
        with torch.no_grad():
            return float(self.distance(self.picture(latents), self.target))

    @property
    def mean_latents(self) -> Tensor:
        """The mean of w for every layer, (1, layers, size): what a projection starts from."""
        return self._spread(self.mean[None, None])

    def state(self) -> dict[str, Any]:
        """Return what `resume` needs, for `torch.save`."""
        state = {"taken": self.taken, "latent": self.latent.detach(), "optimizer": self.optimizer.state_dict()}
        return state | {"maps": [one.detach() for one in self.maps]}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.taken = state["taken"]
        with torch.no_grad():
            for one, stored in zip([self.latent, *self.maps], [state["latent"], *state["maps"]], strict=True):
                one.copy_(stored)
        self.optimizer.load_state_dict(state["optimizer"])

    def _spread(self, latent: Tensor) -> Tensor:
        return latent.expand(-1, self.generator.layers, -1)


def noise_maps(generator: nn.Module) -> list[Tensor]:
    """Return the fixed noise of every layer, smallest first."""
    return [buffer for name, buffer in generator.named_buffers() if name.endswith(".fixed")]


def ramp(t: float) -> float:
    """The learning rate's factor at `t` from 0 to 1: it rises linearly and falls with a cosine."""
    down = min(1.0, (1 - t) / RAMP_DOWN)
    return (0.5 - 0.5 * math.cos(down * math.pi)) * min(1.0, t / RAMP_UP)


def noise_correlation(maps: list[Tensor]) -> Tensor:
    """How much pixels of noise maps (1, 1, side, side) follow their neighbours, at every size down to 8 pixels.

    Σ (E n(x, y) n(x - 1, y))² + (E n(x, y) n(x, y - 1))², over the maps and what remains of them when means of 2×2
    pixels, times 2 to keep the deviation, take their place. Noise has no correlation: a signal hidden in it has.

    Source: Karras et al., CVPR 2020, appendix D.
    """
    total = maps[0].new_zeros(())
    for one in maps:
        while True:
            across, down = (one * one.roll(1, axis) for axis in (3, 2))
            total = total + across.mean().square() + down.mean().square()
            if one.shape[2] <= SMALLEST:
                break
            one = F.avg_pool2d(one, 2) * 2
    return total
