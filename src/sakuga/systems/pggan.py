"""PGGAN: pictures from noise that begin small and grow (Karras, Aila, Laine, Lehtinen, ICLR 2018)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.losses import drift, gradient_penalty, wgan
from sakuga.networks.growing import FullSize, GrowingDiscriminator, GrowingGenerator
from sakuga.style.inputs import Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Update, frozen
from sakuga.systems.fields import Weight
from sakuga.systems.parts.growing import Growing, GrowingConfig


@dataclass
class PGGANConfig(GrowingConfig):
    """What `sakuga train pggan` can be told; weights and rates are the paper's."""

    penalty: Weight = 10.0
    """λ of the gradient penalty."""
    drift: Weight = 1e-3
    """ε of the squared scores of real pictures, which keeps these near zero."""
    two_discriminators: bool = False
    """Experimental: D2PGGAN's second discriminator, which rewards fakes, after D2GAN (2017)."""


class PGGAN(Growing):
    """A generator and a critic that begin with 4×4 pixels and are given layers for twice the size again and again.

    L_D = E D(G(z)) - E D(x) + λ E (‖∇D(x̂)‖ - 1)² + ε E D(x)², L_G = -E D(G(z)). New layers fade in, at the same pace
    in generator, discriminator and the pictures to be learned.

    Source: Karras, Aila, Laine, Lehtinen, "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
    ICLR 2018, sections 2 to 4 and appendix A.1. As in the official code optimisers start anew where a size begins to
    fade in and where it has, D moves before G, and users get G's average of decay 0.999; G learns on D's fakes where
    that code makes others.

    With two discriminators (Zhang et al., ICASSP 2019, whose objective is taken to be D2GAN's: Nguyen, Le, Vu, Phung,
    NeurIPS 2017, equation 1 with α = β = 1): D₁ maximises E log D₁(x) - E D₁(G), D₂ maximises E log D₂(G) - E D₂(x),
    and G minimises both, where D = softplus(score). There is no penalty then.
    """

    name = "pggan"
    Config = PGGANConfig
    generator: GrowingGenerator
    averaged = ("generator",)
    rates = {1024: 1.5}  # noqa: RUF012
    presets = {  # noqa: RUF012
        "celeba": {"crop": 128, "width": 128, "batch": 16, "stage": 800_000, "steps": 800_000},
        "celeba_hq": {"crop": 1024, "width": 16, "batch": 4, "stage": 600_000, "steps": 3_000_000, "mirror": True},
    }

    def __init__(self, config: PGGANConfig):
        super().__init__(config)
        c = config
        self.generator = GrowingGenerator(c.noise, side=c.crop, width=c.width, widest=c.widest)
        self.discriminator = GrowingDiscriminator(side=c.crop, width=c.width, widest=c.widest)
        if c.two_discriminators:
            self.discriminator_of_fakes = GrowingDiscriminator(side=c.crop, width=c.width, widest=c.widest)
            self.players = self.players | {"D": ["discriminator", "discriminator_of_fakes"]}

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """D, then G by the D that has moved, on the same fakes."""
        c, growth, real = self.config, self.growth(t), self.reals(batch, t)
        self.generator.growth.fill_(growth)
        fake = self.generator(batch["noise"], growth)
        if c.two_discriminators:
            yield from self._two(real, fake, growth)
            return

        def score(image: Tensor) -> Tensor:
            found: Tensor = self.discriminator(image, growth)
            return found

        scores = score(real)
        terms = {"wgan": wgan.d(scores, score(fake.detach())), "drift": c.drift * drift(scores)}
        with torch.autocast(real.device.type, enabled=False):  # of a gradient 16 bits say too little
            penalty = gradient_penalty(score, real, fake.detach().to(real.dtype))
        yield "D", terms | {"penalty": c.penalty * penalty}

        with frozen(self.discriminator):
            fooled = wgan.g(score(fake))
        yield "G", {"wgan": fooled}

    def _two(self, real: Tensor, fake: Tensor, growth: float) -> Iterator[Update]:
        """The same for two discriminators."""
        likes_real, likes_fake = self.discriminator, self.discriminator_of_fakes

        def scores(image: Tensor) -> tuple[Tensor, Tensor]:
            return F.softplus(likes_real(image, growth)), F.softplus(likes_fake(image, growth))

        (one_x, two_x), (one_g, two_g) = scores(real), scores(fake.detach())
        yield (
            "D",
            {
                "real": one_g.mean() - _log(one_x).mean(),
                "fake": two_x.mean() - _log(two_g).mean(),
            },
        )
        with frozen(likes_real, likes_fake):
            one_g, two_g = scores(fake)
        yield "G", {"real": -one_g.mean(), "fake": _log(two_g).mean()}

    def artefact(self, network: str | None = None) -> Artefact:
        """The generator as far as it has grown, its pictures enlarged to their final size."""
        c = self.config
        return Artefact(FullSize(self.generator, c.crop), (Input("noise", "noise", size=c.noise),), size=(c.crop,) * 2)


def _log(value: Tensor) -> Tensor:
    return torch.log(value + 1e-8)
