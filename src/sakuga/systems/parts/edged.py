"""Batches with the style's pictures a second time, their edges smoothed."""

import numpy as np

from sakuga.data.derived.edges import smooth_edges
from sakuga.data.images import to_tensor, to_uint8
from sakuga.systems.base import Batch
from sakuga.systems.parts.adversarial import Adversarial


class Edged(Adversarial):
    """Batches of `photo`, `style` and `edges`, the same style crops after `smooth_edges`."""

    def batch(self, step: int, rank: int, world: int) -> Batch:
        """Crops of either side, and the smoothed ones; smoothing a crop takes milliseconds, so nothing is stored."""
        batch = super().batch(step, rank, world)
        smoothed = [smooth_edges(picture) for picture in to_uint8(batch["style"])]
        return batch | {"edges": to_tensor(np.stack(smoothed))}
