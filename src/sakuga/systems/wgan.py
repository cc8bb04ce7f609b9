"""WGAN: pictures from noise by the Wasserstein distance, with clipped weights (Arjovsky et al., ICML 2017)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.losses import clip_weights, wgan
from sakuga.networks.mlp import MLPDiscriminator, MLPGenerator
from sakuga.systems.base import Batch, Update, frozen
from sakuga.systems.fields import Count, MoreThan, Weight
from sakuga.systems.parts.noise import BodyConfig, FromNoise, networks, untracked

LONG = 100
"""Steps of the critic before each of the generator's first `FIRST` steps and before every `EVERY`-th."""
FIRST, EVERY = 25, 500


@dataclass
class WGANConfig(BodyConfig):
    """What `sakuga train wgan` can be told; all values are the official code's."""

    lr: Weight = 5e-5
    steps: Count = 60_000
    """Steps of the critic; the generator moves in every `critics`-th."""
    critics: Count = 5
    """Steps of the critic for one of the generator; 100 before its first 25 steps and before every 500th."""
    limit: Annotated[float, MoreThan(0)] = 0.01
    """Largest weight of the critic, in either direction."""


class WGAN(FromNoise):
    """A critic with small weights, whose scores of reals and fakes lie as far apart as can be, and a generator.

    L_D = E D(G(z)) - E D(x), L_G = -E D(G(z)): -L_D estimates the Wasserstein distance up to a factor, and falls while
    the generator learns.

    Source: Arjovsky, Chintala, Bottou, "Wasserstein Generative Adversarial Networks", ICML 2017, algorithm 1. As in the
    official code weights are clipped before every step of the critic, batch norm's among them, and the critic has a
    long start of 100 steps before each of the generator's first 25 steps and before every 500th. That code's critic
    scores reals low: its D is -D here. `--body mlp` is its four layers of 512 units with ReLU, whose pictures are not
    bounded.
    """

    name = "wgan"
    Config = WGANConfig
    presets = {"lsun": {"steps": 1_184_782}}  # noqa: RUF012

    def __init__(self, config: WGANConfig):
        super().__init__(config)
        c = config
        if c.body == "mlp":
            widths = (8 * c.width,) * 3
            self.generator = MLPGenerator(
                c.noise, channels=3, side=c.crop, widths=widths, norm=False, slope=0, tanh=False
            )
            self.discriminator = MLPDiscriminator(3, side=c.crop, widths=widths, slope=0)
        else:
            self.generator, self.discriminator = networks(c)

    def data(self) -> Dataset:
        """Pictures and noise for the critic, and noise of the generator's own."""
        return super().data() | Dataset({"own_noise": Noise(self.config.noise)}, self.config)

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """D; where it is its turn, G on noise of its own."""
        clip_weights(self.discriminator, self.config.limit)
        with torch.no_grad(), untracked(self.generator):
            fake = self.generator(batch["noise"])
        yield "D", {"wgan": wgan.d(self.discriminator(batch["real"]), self.discriminator(fake))}

        if generator_moves(t, self.config.critics):
            with frozen(self.discriminator):
                score = self.discriminator(self.generator(batch["own_noise"]))
            yield "G", {"wgan": wgan.g(score)}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """RMSprop for both players: momentum harms where the objective changes so often (the paper, section 4)."""
        return {p: torch.optim.RMSprop(self.weights(p), self.config.lr) for p in self.players}


def generator_moves(t: int, critics: int) -> bool:
    """Whether the generator moves in step `t` of the critic, whose starts are long at first and now and then."""
    beginning = FIRST * LONG
    first = beginning + (EVERY - FIRST) * critics
    if t < beginning:
        return t % LONG == LONG - 1
    if t < first:
        return (t - beginning) % critics == critics - 1
    since = (t - first) % (LONG + (EVERY - 1) * critics)
    return since == LONG - 1 if since < LONG else (since - LONG) % critics == critics - 1
