"""What unpaired systems share that have a discriminator."""

from dataclasses import dataclass

from torch import Tensor

from sakuga.systems.parts.augment import diff_augment
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig


@dataclass
class AdversarialConfig(UnpairedConfig):
    """Folders of both sides, and what a discriminator sees of them."""

    augment: bool = False
    """Let discriminators see everything through differentiable augmentation; for fewer than 1,000 pictures."""


class Adversarial(Unpaired):
    """Batches of `photo` and `style` crops for players of which one judges the other."""

    def seen(self, image: Tensor) -> Tensor:
        """What a discriminator is shown of an image."""
        return diff_augment(image) if self.config.augment else image
