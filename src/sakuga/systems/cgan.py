"""Conditional GAN: pictures from noise and a class, by concatenation (Mirza, Osindero, 2014)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from torch import nn

from sakuga.errors import UsageError
from sakuga.losses import bce
from sakuga.networks.conditional import (
    Condition,
    ConditionalDCGANDiscriminator,
    ConditionalGenerator,
    JoinedDiscriminator,
)
from sakuga.networks.dcgan import DCGANGenerator
from sakuga.networks.mlp import MLPDiscriminator, MLPGenerator
from sakuga.systems.base import Batch, Update, frozen
from sakuga.systems.fields import AtLeast, Count, LessThan
from sakuga.systems.parts.classes import ClassConfig, FromClasses
from sakuga.systems.parts.noise import power_of_two


@dataclass
class CGANConfig(ClassConfig):
    """What `sakuga train cgan` can be told."""

    body: Literal["dcgan", "mlp"] = "dcgan"
    """Networks: DCGAN's convolutions, or fully connected layers, for pictures of 32 pixels or fewer."""
    condition: Condition = "concat"
    """How D is told the class: joined to its features, as a plane beside the picture's channels, or by projection."""
    embedding: Count = 10
    """Numbers that stand for a class where it is joined."""
    dropout: Annotated[float, AtLeast(0), LessThan(1)] = 0.5
    """Part of D's features that is left out in each step: without it D learns a few hundred pictures by heart."""


class CGAN(FromClasses):
    """A generator that is told what to make, and a discriminator that is told what it should be.

    L_D = -E log D(x|y) - E log(1 - D(G(z|y)|y)); L_G = -E log D(G(z|y)|y), the classes y of fakes drawn evenly.

    Source: Mirza, Osindero, "Conditional Generative Adversarial Nets", 2014, equation 2, in its non-saturating form.
    Class and noise, class and picture are joined by concatenation, as in the paper; the fully connected layers are the
    widely used teaching code's, which trains them by least squares, where the paper's have maxout units. D's dropout is
    the paper's.
    """

    name = "cgan"
    Config = CGANConfig
    presets = {"mnist": {"body": "mlp", "crop": 28, "dropout": 0.4, "steps": 187_600}}  # noqa: RUF012

    def __init__(self, config: CGANConfig):
        super().__init__(config)
        c, w, classes = config, config.width, self.name_classes()
        if c.body == "mlp":
            if c.condition != "concat":
                raise UsageError(f"--condition {c.condition} is for --body dcgan: leave one of them out")
            widths = (2 * w, 4 * w, 8 * w, 16 * w)
            generator: nn.Module = MLPGenerator(c.noise + c.embedding, channels=3, side=c.crop, widths=widths)
            wide = (8 * w,) * 3
            body = MLPDiscriminator(3, side=c.crop, widths=wide, dropout=c.dropout, extra=c.embedding)
            self.discriminator = JoinedDiscriminator(body, classes, c.embedding)
        else:
            power_of_two(c)
            generator = DCGANGenerator(c.noise + c.embedding, width=w, side=c.crop)
            self.discriminator = ConditionalDCGANDiscriminator(
                classes, c.condition, width=w, side=c.crop, size=c.embedding, dropout=c.dropout
            )
        self.generator = ConditionalGenerator(generator, classes, c.embedding)

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """D, then G by the D that has moved, on the same fakes."""
        label = self.one_hot(batch["label"], batch["real"])
        asked = self.one_hot(self.labels_of(batch["asked"]), batch["noise"])
        fake = self.generator(batch["noise"], asked)
        yield "D", {"cgan": bce.d(self.discriminator(batch["real"], label), self.discriminator(fake.detach(), asked))}

        with frozen(self.discriminator):
            fooled = bce.g(self.discriminator(fake, asked))
        yield "G", {"cgan": fooled}
