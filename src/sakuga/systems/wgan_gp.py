"""WGAN-GP: pictures from noise by a critic whose gradient is held at length one (Gulrajani et al., NeurIPS 2017)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.errors import UsageError
from sakuga.losses import domain_classification, gradient_penalty, wgan
from sakuga.networks.wgan_resnet import WGANResNetCritic, WGANResNetGenerator
from sakuga.systems.base import Batch, Terms, Update, frozen
from sakuga.systems.fields import Count, Weight
from sakuga.systems.parts.classes import ClassConfig, FromClasses
from sakuga.systems.parts.noise import untracked

STEP = 1 / 128
"""Of 256 levels in [-1, 1]: real pictures are spread evenly over it."""


@dataclass
class WGANGPConfig(ClassConfig):
    """What `sakuga train wgan_gp` can be told; weights and rate are those of the paper's CIFAR-10."""

    labels: str = ""
    """Nothing: pictures are of one kind. `folders` or a table: each has a class, which the generator is then given."""
    steps: Count = 100_000
    """Steps of the critic; the generator moves in every `critics`-th, and both rates fall to 0 at the end."""
    noise: Count = 128
    width: Count = 128
    """Channels of all layers."""
    critics: Count = 5
    """Steps of the critic for one of the generator."""
    penalty: Weight = 10.0
    """Weight λ of the gradient penalty."""
    auxiliary: Weight = 1.0
    """Weight of the classes of real pictures to the critic, where there are labels."""
    auxiliary_g: Weight = 0.1
    """Weight of the classes that were asked for to the generator."""


class WGANGP(FromClasses):
    """A critic whose gradient has length one between real and fake pictures, and a generator.

    L_D = E D(G(z)) - E D(x) + λ E (‖∇D(x̂)‖₂ - 1)², L_G = -E D(G(z)), where x̂ lies anywhere between a real picture and a
    fake. With `--labels` the generator's norms have a gain and a bias for each class, the critic learns the classes of
    real pictures, and the generator that its own are recognised.

    Source: Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, "Improved Training of Wasserstein GANs", NeurIPS 2017,
    equation 3 and appendix F. As in the official code for CIFAR-10 the generator's batch is twice the critic's, rates
    fall linearly to zero, and real pictures are spread over their levels by noise. Its steps are the generator's: five
    of these are one.
    """

    name = "wgan_gp"
    betas = (0.0, 0.9)
    Config = WGANGPConfig
    config: WGANGPConfig
    presets = {  # noqa: RUF012
        "cifar10": {"crop": 32, "steps": 500_000},
        "cifar10-classes": {"crop": 32, "steps": 500_000, "labels": "folders"},
    }

    def __init__(self, config: WGANGPConfig):
        super().__init__(config)
        c, classes = config, self.name_classes() if config.labels or config.classes else 0
        try:
            self.generator = WGANResNetGenerator(c.noise, width=c.width, side=c.crop, classes=classes)
            self.discriminator = WGANResNetCritic(width=c.width, side=c.crop, classes=classes)
        except ValueError as error:
            raise UsageError(f"--crop {c.crop} must be a power of two: 32, 64 or 128") from error

    def data(self) -> Dataset:
        """Pictures and noise for the critic, and twice as much noise of the generator's own."""
        own = {"own_noise": Noise(self.config.noise), "own_asked": Noise(uniform=True)}
        twice = Dataset(own, self.config, batch=2 * self.config.batch)
        return super().data() | twice

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """D; where it is its turn, G on noise of its own."""
        c = self.config
        with torch.no_grad(), untracked(self.generator):
            fake, _ = self.make(batch, "noise", "asked")
        real = batch["real"] + STEP * torch.rand_like(batch["real"])
        scores, logits = self.discriminator(real)
        terms: Terms = {"wgan": wgan.d(scores, self.discriminator(fake)[0])}
        terms["penalty"] = c.penalty * gradient_penalty(lambda x: self.discriminator(x)[0], real, fake)
        if c.classes:
            terms["class"] = c.auxiliary * domain_classification(logits, batch["label"])
        yield "D", terms

        if t % c.critics == c.critics - 1:
            with frozen(self.discriminator):
                fake, asked = self.make(batch, "own_noise", "own_asked")
                scores, logits = self.discriminator(fake)
            terms = {"wgan": wgan.g(scores)}
            if c.classes:
                terms["class"] = c.auxiliary_g * domain_classification(logits, asked)
            yield "G", terms

    def make(self, batch: Batch, noise: str, asked: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return pictures of a batch's noise, and the classes that were asked for, where there are any."""
        if not self.config.classes:
            return self.generator(batch[noise]), torch.empty(0)
        labels = self.labels_of(batch[asked])
        return self.generator(batch[noise], self.one_hot(labels, batch[noise])), labels

    def rate(self, t: int, player: str) -> float:
        """Linear to zero."""
        return 1 - t / self.config.steps
