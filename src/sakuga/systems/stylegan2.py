"""StyleGAN 2: pictures from noise by styles (Karras et al., CVPR 2020); with ADA where pictures are few."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.losses import bce, path_length, r1
from sakuga.networks.stylegan2 import Sampler, StyleGAN2Discriminator, StyleGAN2Generator
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Preview, Update, frozen
from sakuga.systems.fields import AtLeast, AtMost, Count, Weight
from sakuga.systems.parts.ada import AdaptiveAugment
from sakuga.systems.parts.labelled import read_squares
from sakuga.systems.parts.noise import FromNoise, NoiseConfig, power_of_two
from sakuga.systems.parts.styles import MeanLength, half_life, lazy_adam, mixing_cut, style_inputs, whole_variety


@dataclass
class StyleGAN2Config(NoiseConfig):
    """What `sakuga train stylegan2` can be told; weights, rates and intervals are configuration F's."""

    batch: Count = 32
    noise: Count = 512
    """Numbers of z, and of w."""
    width: Count = 64
    """Channels at the full size; twice as many at half of it. Configuration F has 32,768 / side."""
    widest: Count = 512
    """Most channels of a layer."""
    layers: Count = 8
    """Of the mapping; 2 where pictures are few."""
    lr: Weight = 2e-3
    penalty: Weight = 10.0
    """γ of R1; 2e-4 side² / batch is ADA's rule."""
    penalty_every: Count = 16
    """Steps from one R1 to the next."""
    path: Weight = 2.0
    """Weight of the path length regularisation; 0 leaves it out."""
    path_every: Count = 4
    """Steps from one to the next."""
    mixing: Annotated[float, AtLeast(0), AtMost(1)] = 0.9
    """Share of the pictures whose later layers take the styles of another noise."""
    ada: bool = False
    """Adaptive augmentation, for fewer than some ten thousand pictures."""


class StyleGAN2(FromNoise):
    """A mapping from noise to styles, a synthesis that styles steer at every size, and a residual discriminator.

    L_D = E softplus(-D(x)) + E softplus(D(G(z))), L_G = E softplus(-D(G(z))). In every 16th step D takes R1 too,
    16 · γ/2 E ‖∇D(x)‖², in every 4th G the path length, 4 · 2 E (‖Jᵀy‖ - a)²; Adam's rate and betas are adapted to
    these extra steps.

    Source: Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, "Analyzing and Improving the Image Quality of StyleGAN",
    CVPR 2020; order of the updates (G, its regularisation, D, its) and ADA as in the official PyTorch code. Here every
    sample has its own cut between two styles, R1 is taken where D sees the pictures, after augmentation, and the path
    length on the first half of the batch.
    """

    name = "stylegan2"
    Config = StyleGAN2Config
    config: StyleGAN2Config
    generator: StyleGAN2Generator
    averaged = ("generator",)
    stateful = ("ada", "lengths")
    channels_last = False
    presets = {  # noqa: RUF012
        "ffhq": {"crop": 1024, "width": 32, "steps": 781_250, "mirror": True},
        "ffhq256": {"crop": 256, "width": 64, "steps": 781_250, "lr": 2.5e-3, "penalty": 1.0, "mirror": True},
        "few": {"ada": True, "layers": 2, "mirror": True},
    }

    def __init__(self, config: StyleGAN2Config):
        super().__init__(config)
        c = config
        power_of_two(c)
        self.generator = StyleGAN2Generator(c.noise, side=c.crop, width=c.width, widest=c.widest, layers=c.layers)
        self.discriminator = StyleGAN2Discriminator(side=c.crop, width=c.width, widest=c.widest)
        self.ada, self.lengths = AdaptiveAugment(), MeanLength()

    def data(self) -> Dataset:
        """Pictures, each as likely; two noises and where to cut between them, for either player."""
        size = self.config.noise
        own = {f"{name}_{player}": Noise(size) for name in ("noise", "other") for player in "gd"}
        cuts = {f"cut_{player}": Noise(2, uniform=True) for player in "gd"}
        return Dataset({"real": read_squares(self.config), **own, **cuts}, self.config, draw="picture")

    def sample(self, batch: Batch, player: str, count: int | None = None) -> tuple[Tensor, Tensor]:
        """Pictures for a player's update, and their latents."""
        noise, other, chance = (batch[f"{name}_{player}"][:count] for name in ("noise", "other", "cut"))
        layers = self.generator.synthesis.count
        pictures: tuple[Tensor, Tensor] = self.generator(noise, other, mixing_cut(chance, layers, self.config.mixing))
        return pictures

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """G and its regularisation, D and its."""
        c, real = self.config, batch["real"]
        augment = self.ada if c.ada else nn.Identity()
        with frozen(self.discriminator):
            fooled = self.discriminator(augment(self.sample(batch, "g")[0]))
        yield "G", {"gan": bce.g(fooled)}

        if c.path and t % c.path_every == 0:
            pictures, latents = self.sample(batch, "g", -(-len(real) // 2))
            loss, mean = path_length(pictures, latents, self.lengths.mean)
            self.lengths.mean.copy_(mean)
            yield "G", {"path": c.path * c.path_every * loss}

        with torch.no_grad():
            fake = self.sample(batch, "d")[0]
        scores = self.discriminator(augment(real))
        yield "D", {"gan": bce.d(scores, self.discriminator(augment(fake)))}
        if c.ada:
            self.ada.learn(scores)

        if c.penalty and t % c.penalty_every == 0:
            seen = augment(real).detach().requires_grad_()
            yield "D", {"r1": c.penalty * c.penalty_every * r1(self.discriminator(seen), seen)}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β = (0, 0.99), adapted to the steps that a regularisation has of its own."""
        c = self.config
        every = {"G": c.path_every if c.path else 0, "D": c.penalty_every if c.penalty else 0}
        return {player: lazy_adam(self.weights(player), c.lr, count) for player, count in every.items()}

    def decay(self, t: int) -> float:
        """By a half-life in pictures; early steps count for more."""
        return half_life(self.config.batch, t)

    def artefact(self, network: str | None = None) -> Artefact:
        """Noise to pictures of one size; truncation draws them to the mean face, less varied and less odd."""
        c = self.config
        return Artefact(Sampler(self.generator), style_inputs(c.noise), size=(c.crop, c.crop), named=True)

    def preview(self) -> Preview:
        """Sixty-four points of the noise without truncation, and as many pictures."""
        return whole_variety(self.config.noise, self.references())
