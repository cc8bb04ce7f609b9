"""ACGAN: pictures from noise and a class, by a discriminator that also names it (Odena, Olah, Shlens, ICML 2017)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import nn

from sakuga.errors import UsageError
from sakuga.losses import bce, domain_classification
from sakuga.networks.conditional import ConditionalGenerator, Heads, MultipliedGenerator
from sakuga.networks.dcgan import DCGANGenerator, trunk
from sakuga.networks.layers import init_normal
from sakuga.networks.resize import ResizeGenerator, StridedTrunk
from sakuga.systems.base import Batch, Update, frozen
from sakuga.systems.fields import Weight
from sakuga.systems.parts.classes import ClassConfig, FromClasses
from sakuga.systems.parts.noise import power_of_two


@dataclass
class ACGANConfig(ClassConfig):
    """What `sakuga train acgan` can be told."""

    body: Literal["dcgan", "resize"] = "dcgan"
    """Networks: DCGAN's, whose noise the class is joined to; or the teaching code's for 32 pixels, whose noise is
    multiplied by it."""
    auxiliary: Weight = 1.0
    """Weight of the classes. With many classes they leave little variety within one: less weight helps, or cgan."""


class ACGAN(FromClasses):
    """A discriminator that names a picture's class besides, and a generator that wants the one recognised it was asked.

    L_S = E log P(real|x) + E log P(fake|G(c, z)), L_C = E log P(c|x) + E log P(c|G(c, z)); D maximises L_S + L_C, G
    maximises L_C - L_S, here in its non-saturating form: both learn the classes of fakes.

    Source: Odena, Olah, Shlens, "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017, equations 2
    and 3. The class is joined to the noise as a one-hot vector. Networks are DCGAN's in place of the paper's, of the
    same kind; its discriminator drops half of the units and adds noise to them, which this one does not.
    """

    config: ACGANConfig
    name = "acgan"
    Config = ACGANConfig
    presets = {"mnist": {"body": "resize", "crop": 32, "steps": 187_600}}  # noqa: RUF012

    def __init__(self, config: ACGANConfig):
        super().__init__(config)
        c, classes = config, self.name_classes()
        if c.body == "dcgan":
            power_of_two(c)
            layers, channels = trunk(3, width=c.width, side=c.crop)
            self.generator = ConditionalGenerator(
                DCGANGenerator(c.noise + classes, width=c.width, side=c.crop), classes, 0
            )
            self.discriminator = Heads(nn.Sequential(*layers), channels * 16, 1, classes)
            init_normal(self.discriminator)
        else:
            if c.crop % 16:
                raise UsageError(f"--crop {c.crop} must be a multiple of 16 with --body resize")
            features = StridedTrunk(3, width=c.width, side=c.crop)
            body = ResizeGenerator(c.noise, channels=3, side=c.crop, width=c.width)
            self.generator = MultipliedGenerator(body, classes, c.noise)
            self.discriminator = Heads(features, features.features, 1, classes)

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """D, then G by the D that has moved, on the same fakes."""
        weight, asked = self.config.auxiliary, self.labels_of(batch["asked"])
        fake = self.generator(batch["noise"], self.one_hot(asked, batch["noise"]))
        _, real_score, real_logits = self.discriminator(batch["real"])
        _, fake_score, fake_logits = self.discriminator(fake.detach())
        classes = domain_classification(real_logits, batch["label"]) + domain_classification(fake_logits, asked)
        yield "D", {"gan": bce.d(real_score, fake_score), "class": weight * classes}

        with frozen(self.discriminator):
            _, score, logits = self.discriminator(fake)
        yield "G", {"gan": bce.g(score), "class": weight * domain_classification(logits, asked)}
