"""LSGAN: pictures from noise by least squares (Mao, Li, Xie, Lau, Wang, Smolley, ICCV 2017)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.losses import lsgan, lsgan_pearson
from sakuga.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sakuga.style.inputs import Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Config, Preview, System, Update, frozen
from sakuga.systems.fields import Count

TARGETS = {"0-1": lsgan, "pearson": lsgan_pearson}


@dataclass
class LSGANConfig(Config):
    """What `sakuga train lsgan` can be told; rate and batch are the paper's for characters.

    `photos` are folders of the pictures to be learned, photographs or not.
    """

    crop: int = 64
    """Side of the pictures, a power of two; those to be learned are scaled to it on their shorter side."""
    mirror: bool = False
    batch: Count = 64
    lr: float = 2e-4
    """Learning rate of both players; 1e-3 in the paper's scenes."""
    steps: Count = 20_000
    targets: Literal["0-1", "pearson"] = "0-1"
    """Scores of fakes and reals: D's 0 and 1, G's 1; or D's -1 and 1, G's 0, which minimises Pearson's χ²."""
    noise: Count = 100
    """Numbers that a picture is made of."""
    width: Count = 64
    """Channels of the layers that are next to the picture."""


class LSGAN(System):
    """A discriminator that gives fakes and reals each a score of their own, and a generator that wants the reals'.

    L_D = ½ E (D(x) - b)² + ½ E (D(G(z)) - a)², L_G = ½ E (D(G(z)) - c)², where a, b, c are 0, 1, 1 or -1, 1, 0.

    Source: Mao, Li, Xie, Lau, Wang, Smolley, "Least Squares Generative Adversarial Networks", ICCV 2017, equations 2, 8
    and 9; D moves first, as in the official code. Networks are DCGAN's, where the paper's for scenes has more layers,
    and z is normal, where the official code draws it evenly from [-1, 1].
    """

    name = "lsgan"
    players = {"D": ["discriminator"], "G": ["generator"]}  # noqa: RUF012
    averaged = ()
    Config = LSGANConfig

    def __init__(self, config: LSGANConfig):
        super().__init__(config)
        c = config
        try:
            self.generator = DCGANGenerator(c.noise, width=c.width, side=c.crop)
        except ValueError as error:
            raise UsageError(f"--crop {c.crop} must be a power of two: 32, 64 or 128") from error
        self.discriminator = DCGANDiscriminator(width=c.width, side=c.crop)

    def data(self) -> Dataset:
        """Pictures, each as likely, and noise."""
        pictures = Pictures(self.config.photos, short_side=self.config.crop)
        return Dataset({"real": pictures, "noise": Noise(self.config.noise)}, self.config, draw="picture")

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """D, then G by the D that has moved, on the same fakes."""
        targets, fake = TARGETS[self.config.targets], self.generator(batch["noise"])
        yield "D", {"lsgan": targets.d(self.discriminator(batch["real"]), self.discriminator(fake.detach())) / 2}

        with frozen(self.discriminator):
            fooled = targets.g(self.discriminator(fake))
        yield "G", {"lsgan": fooled / 2}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β₁ = ½ for both players."""
        return {p: torch.optim.Adam(self.weights(p), self.config.lr, betas=(0.5, 0.999)) for p in self.players}

    def artefact(self, network: str | None = None) -> Artefact:
        """The generator, whose pictures have one size."""
        c = self.config
        return Artefact(self.generator, (Input("noise", "noise", size=c.noise),), size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """Sixty-four points of the noise, and as many pictures."""
        noise = torch.randn(64, self.config.noise, generator=torch.Generator().manual_seed(0))
        batches = [self.dataset.batch(t)["real"] for t in range(-(-64 // self.config.batch))]
        return Preview({"noise": noise}, torch.cat(batches)[:64])
