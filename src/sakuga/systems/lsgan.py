"""LSGAN: pictures from noise by least squares (Mao, Li, Xie, Lau, Wang, Smolley, ICCV 2017)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sakuga.losses import lsgan, lsgan_pearson
from sakuga.systems.base import Batch, Update, frozen
from sakuga.systems.fields import Weight
from sakuga.systems.parts.noise import BodyConfig, FromNoise, networks

TARGETS = {"0-1": lsgan, "pearson": lsgan_pearson}


@dataclass
class LSGANConfig(BodyConfig):
    """What `sakuga train lsgan` can be told; rate and batch are the paper's for scenes."""

    lr: Weight = 1e-3
    targets: Literal["0-1", "pearson"] = "0-1"
    """Scores of fakes and reals: D's 0 and 1, G's 1; or D's -1 and 1, G's 0, which minimises Pearson's χ²."""


class LSGAN(FromNoise):
    """A discriminator that gives fakes and reals each a score of their own, and a generator that wants the reals'.

    L_D = ½ E (D(x) - b)² + ½ E (D(G(z)) - a)², L_G = ½ E (D(G(z)) - c)², where a, b, c are 0, 1, 1 or -1, 1, 0.

    Source: Mao, Li, Xie, Lau, Wang, Smolley, "Least Squares Generative Adversarial Networks", ICCV 2017, equations 2, 8
    and 9; D moves first, as in the official code. Networks are DCGAN's, where the paper's for scenes has more layers,
    and z is normal, where the official code draws it evenly from [-1, 1].
    """

    name = "lsgan"
    Config = LSGANConfig
    presets = {"characters": {"lr": 2e-4}}  # noqa: RUF012

    def __init__(self, config: LSGANConfig):
        super().__init__(config)
        self.generator, self.discriminator = networks(config)

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """D, then G by the D that has moved, on the same fakes."""
        targets, fake = TARGETS[self.config.targets], self.generator(batch["noise"])
        yield "D", {"lsgan": targets.d(self.discriminator(batch["real"]), self.discriminator(fake.detach())) / 2}

        with frozen(self.discriminator):
            fooled = targets.g(self.discriminator(fake))
        yield "G", {"lsgan": fooled / 2}
