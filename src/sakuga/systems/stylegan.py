"""StyleGAN: pictures from noise by styles, at every size (Karras, Laine, Aila, CVPR 2019)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor, nn

from sakuga.data.columns import Noise
from sakuga.losses import bce, drift, gradient_penalty, r1, wgan
from sakuga.networks.growing import GrowingDiscriminator, enlarge
from sakuga.networks.stylegan import StyleGANGenerator
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Preview, Update, frozen
from sakuga.systems.fields import AtLeast, AtMost, Count, Weight
from sakuga.systems.parts.growing import Growing, GrowingConfig
from sakuga.systems.parts.styles import half_life, mixing_cut, style_inputs, whole_variety

DRIFT = 1e-3
"""Weight of squared scores beside the Wasserstein distance."""


@dataclass
class StyleGANConfig(GrowingConfig):
    """What `sakuga train stylegan` can be told; values are those for FFHQ."""

    objective: Literal["logistic", "wgan"] = "logistic"
    """For FFHQ the logistic loss with R1; for CelebA-HQ PGGAN's, with its gradient penalty."""
    penalty: Weight = 10.0
    """γ of R1, or λ of the gradient penalty."""
    mixing: Annotated[float, AtLeast(0), AtMost(1)] = 0.9
    """Share of the pictures whose later layers take the styles of another noise."""
    layers: Count = 8
    """Of the mapping."""


class StyleGAN(Growing):
    """A mapping from noise to w, and a generator that grows from 8×8 pixels, whose every layer w gives a style.

    L_D = E softplus(-D(x)) + E softplus(D(G(z))) + γ/2 E ‖∇D(x)‖², L_G = E softplus(-D(G(z))); or PGGAN's.

    Source: Karras, Laine, Aila, "A Style-Based Generator Architecture for Generative Adversarial Networks", CVPR 2019;
    losses, rates and sizes as in the official code. Here every sample has its own cut between two styles.
    """

    name = "stylegan"
    Config = StyleGANConfig
    config: StyleGANConfig
    generator: StyleGANGenerator
    averaged = ("generator",)
    first = 1
    rates = {128: 1.5, 256: 2.0, 512: 3.0}  # noqa: RUF012
    presets = {  # noqa: RUF012
        "ffhq": {"crop": 1024, "width": 16, "batch": 4, "stage": 600_000, "steps": 5_000_000, "mirror": True},
        "celeba_hq": {"crop": 1024, "width": 16, "batch": 4, "stage": 600_000, "steps": 5_000_000, "objective": "wgan"},
    }

    def __init__(self, config: StyleGANConfig):
        super().__init__(config)
        c = config
        self.generator = StyleGANGenerator(c.noise, side=c.crop, width=c.width, widest=c.widest, layers=c.layers)
        self.discriminator = GrowingDiscriminator(side=c.crop, width=c.width, widest=c.widest, smooth=True)

    def noises(self) -> dict[str, Noise]:
        """Two noises, and where to cut between them."""
        size = self.config.noise
        return {"noise": Noise(size), "other": Noise(size), "cut": Noise(2, uniform=True)}

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """D, then G by the D that has moved, on the same fakes."""
        c, growth, real = self.config, self.growth(t), self.reals(batch, t)
        self.generator.growth.fill_(growth)
        count = self.generator.synthesis.count(growth)
        fake = self.generator(batch["noise"], growth, batch["other"], mixing_cut(batch["cut"], count, c.mixing))

        def score(image: Tensor) -> Tensor:
            found: Tensor = self.discriminator(image, growth)
            return found

        if c.objective == "logistic":
            seen = real.detach().requires_grad_()
            scores = score(seen)
            terms = {"gan": bce.d(scores, score(fake.detach()))}
            terms["r1"] = c.penalty * r1(scores, seen)
        else:
            scores = score(real)
            terms = {"gan": wgan.d(scores, score(fake.detach())), "drift": DRIFT * drift(scores)}
            terms["penalty"] = c.penalty * gradient_penalty(score, real, fake.detach().to(real.dtype))
        yield "D", terms

        with frozen(self.discriminator):
            fooled = score(fake)
        yield "G", {"gan": (bce if c.objective == "logistic" else wgan).g(fooled)}

    def decay(self, t: int) -> float:
        """By a half-life in pictures; early steps count for more."""
        return half_life(self.growth.batch_of(t), t)

    def artefact(self, network: str | None = None) -> Artefact:
        """The generator as far as it has grown; truncation draws its pictures to the mean face."""
        c = self.config
        return Artefact(Sampler(self.generator, c.crop), style_inputs(c.noise), size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """Sixty-four points of the noise without truncation, and as many pictures."""
        return whole_variety(self.config.noise, self.references())


class Sampler(nn.Module):
    """What users run: noise (N, size) and truncation (N,) to pictures of their final size."""

    def __init__(self, generator: StyleGANGenerator, side: int):
        super().__init__()
        self.generator, self.side = generator, side

    def forward(self, noise: Tensor, truncation: Tensor) -> Tensor:
        """Make pictures (N, 3, side, side)."""
        growth = float(self.generator.growth)
        picture = self.generator.truncated(noise, truncation, growth)
        times = self.side // 2 ** (math.ceil(growth) + 2)  # not of the picture's shape, which a trace cannot divide by
        return enlarge(picture, times) if times > 1 else picture
