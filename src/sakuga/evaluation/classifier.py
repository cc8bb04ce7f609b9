"""A small classifier trained on labelled pictures, by which those that were made to be of a class are judged."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sakuga.data.images import to_tensor
from sakuga.errors import SakugaError

SIDE = 32
"""Of the squares that it sees, in pixels."""
LEAST = 2
"""Pictures of a class: one to learn from and one to measure by."""
STEPS, BATCH = 200, 32
CONTRAST, BRIGHTNESS, GRAIN = 0.5, 0.3, 0.1
"""Least contrast, most brightness and deviation of the grain with which it is shown pictures: one that knew nothing but
perfect blacks would take every picture whose black is gray for the same class."""

Pictures = Sequence[NDArray[np.uint8]]


def train_classifier(classes: Sequence[Pictures]) -> tuple[Callable[[Pictures], NDArray[np.int64]], float]:
    """Train on pictures (SIDE, SIDE, 3) of each class; every fifth of a class is kept apart to measure it.

    Returns what tells the class of each of some pictures, and the accuracy on those kept apart. The same pictures give
    the same classifier. Raises SakugaError for a class of fewer than two pictures.
    """
    if min(map(len, classes)) < LEAST:
        raise SakugaError("a class of --style-images has fewer than two pictures: add some, or name another folder")
    parts = [[(picture, label, i % 5 == 1) for i, picture in enumerate(one)] for label, one in enumerate(classes)]
    pictures, labels, apart = (list(column) for column in zip(*(row for part in parts for row in part), strict=True))
    images, target, held = to_tensor(np.stack(pictures)), torch.tensor(labels), torch.tensor(apart)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        widths = ((3, 16), (16, 32), (32, 64))
        network = nn.Sequential(
            *(part for c in widths for part in (nn.Conv2d(*c, 3, 2, 1), nn.BatchNorm2d(c[1]), nn.ReLU())),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, len(classes)),
        )
        optimizer = torch.optim.Adam(network.parameters(), 3e-3)
        x, y = images[~held], target[~held]
        # Classes of any size are drawn alike.
        weights = 1 / torch.bincount(y).float()[y]
        for _ in range(STEPS):
            drawn = torch.multinomial(weights, BATCH, replacement=True)
            loss = F.cross_entropy(network(_varied(x[drawn])), y[drawn])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
    network.eval()

    @torch.inference_mode()
    def classify(pictures: Pictures) -> NDArray[np.int64]:
        found: NDArray[np.int64] = network(to_tensor(np.stack(pictures))).argmax(1).numpy()
        return found

    own = classify([picture for picture, kept in zip(pictures, apart, strict=True) if kept])
    return classify, float((own == target[held].numpy()).mean())


def _varied(images: Tensor) -> Tensor:
    """Give every picture (N, 3, H, W) a contrast, a brightness and a grain of its own."""
    contrast, brightness = torch.rand(2, len(images), 1, 1, 1)
    varied = images * (CONTRAST + (1 - CONTRAST) * contrast) + BRIGHTNESS * (2 * brightness - 1)
    grained: Tensor = varied + GRAIN * torch.rand(len(images), 1, 1, 1) * torch.randn_like(images)
    return grained
