"""SGAN: a classifier from a few labels, pictures without and generated ones (Salimans et al., 2016; Odena, 2016)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.data.images import find_images
from sakuga.data.labels import Labels
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.losses import semi_supervised, semi_supervised_odena
from sakuga.networks.weight_normed import WeightNormedClassifier, WeightNormedGenerator, scale_to_data
from sakuga.systems.base import Batch, Update, frozen
from sakuga.systems.fields import AtLeast, Count, Weight, check_places
from sakuga.systems.parts.classes import ClassConfig
from sakuga.systems.parts.labelled import read_squares
from sakuga.systems.parts.noise import FromNoise, untracked


@dataclass
class SGANConfig(ClassConfig):
    """What `sakuga train sgan` can be told; rate and batch are those of Salimans et al.

    Pictures without a class lie in a folder `unlabelled`, or have no line or an empty cell in the table.
    """

    crop: int = 32
    batch: Count = 100
    lr: Weight = 3e-4
    form: Literal["salimans", "odena"] = "salimans"
    """K classes, of which a generated picture has none, and features that G matches; or one more class for it."""
    per_class: Annotated[int, AtLeast(0)] = 0
    """Labels of each class to use, to see what few can do; 0: all."""
    unlabelled: Weight = 1.0
    """Weight of real pictures without label and of generated ones, together."""


class SGAN(FromNoise):
    """A discriminator that is a classifier: it learns what is real from everything, and the classes from a few labels.

    L_D = E -log p(y|x, real) + w (½ E -log p(real|x) + ½ E -log p(fake|G(z))). In the form of Salimans et al. there are
    K logits, that of a fake is 0, and G matches the means of D's features, L_G = |E h(x) - E h(G(z))|. In Odena's a
    fake is class K + 1, and L_G = -log p(real|G(z)).

    What is wanted is the classifier, `discriminator`, averaged over the steps; the generator is what users can run.

    Source: Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen, "Improved Techniques for Training GANs", NeurIPS 2016,
    sections 3.1 and 5, and the official code for networks, rates and the mean of absolute differences; Odena,
    "Semi-Supervised Learning with Generative Adversarial Networks", 2016. z is normal, where the code draws it evenly.
    """

    name = "sgan"
    players = {"D": ["discriminator"], "G": ["generator"]}  # noqa: RUF012
    averaged = ("discriminator",)
    Config = SGANConfig
    config: SGANConfig
    presets = {  # noqa: RUF012
        "cifar10": {"per_class": 400, "steps": 600_000, "ema": 0.9999},
        "odena": {"form": "odena"},
    }

    def __init__(self, config: SGANConfig):
        super().__init__(config)
        c = config
        if not c.classes:
            c.classes = self.some_labels().names
        try:
            self.generator = WeightNormedGenerator(c.noise, width=c.width, side=c.crop)
        except ValueError as error:
            raise UsageError(f"--crop {c.crop} must be a power of two: 32, 64 or 128") from error
        self.discriminator = WeightNormedClassifier(len(c.classes) + (c.form == "odena"), width=c.width)

    def some_labels(self) -> Labels:
        """Read the classes of those pictures that have one. Raises UsageError."""
        c = self.config
        check_places(c)
        return Labels.read_some(c.labels, c.photos, find_images(c.photos))

    def data(self) -> Dataset:
        """Pictures with a class, each class as likely; all pictures, with noise."""
        c, labels, pictures = self.config, self.some_labels(), read_squares(self.config)
        if labels.names != tuple(c.classes):
            raise UsageError(f"--labels {c.labels} has classes other than {', '.join(c.classes)}: name another --run")
        rng, values = np.random.default_rng(c.seed), np.asarray(labels.values)
        of_class = [rng.permutation(np.flatnonzero(values == k)) for k in range(len(labels.names))]
        chosen = np.concatenate([places[: c.per_class or None] for places in of_class])
        known = Pictures([pictures.paths[place] for place in chosen], short_side=c.crop)
        columns = {"labelled": known, "label": Labels(values[chosen], labels.names)}
        everything = {"real": pictures, "noise": Noise(c.noise)}
        return Dataset(columns, c, draw="class") | Dataset(everything, c, draw="picture")

    def load(self) -> None:
        """Read the data, and scale the networks' first weights to a batch of it."""
        super().load()
        batch = self.dataset.batch(0)
        self.discriminator.eval()
        scale_to_data(self.discriminator, batch["real"])
        self.discriminator.train()
        with untracked(self.generator):
            scale_to_data(self.generator, batch["noise"])

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """D, then G by the D that has moved, on the same fakes."""
        c, fake = self.config, self.generator(batch["noise"])
        form = semi_supervised if c.form == "salimans" else semi_supervised_odena
        logits = [self.discriminator(image)[1] for image in (batch["labelled"], batch["real"], fake.detach())]
        yield (
            "D",
            {
                "class": form.labelled(logits[0], batch["label"]),
                "real": c.unlabelled / 2 * form.unlabelled(logits[1]),
                "fake": c.unlabelled / 2 * form.generated(logits[2]),
            },
        )

        with frozen(self.discriminator):
            made, scores = self.discriminator(fake)
        if c.form == "salimans":
            with torch.no_grad():
                real, _ = self.discriminator(batch["real"])
            yield "G", {"features": semi_supervised.g(real, made)}
        else:
            yield "G", {"real": semi_supervised_odena.g(scores)}

    def rate(self, t: int, player: str) -> float:
        """Constant for two thirds of the steps, then linear to zero."""
        return min(1.0, 3 * (1 - t / self.config.steps))
