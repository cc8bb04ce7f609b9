"""A small classifier of attributes or domains, trained on labelled pictures, by which edited ones are judged."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from sakuga.data.images import to_tensor
from sakuga.errors import SakugaError

SIDE = 32
"""Of the squares that it sees, in pixels."""
STEPS, BATCH = 500, 64
EVERY = 5
"""One picture of so many is kept apart to measure it."""

Pictures = Sequence[NDArray[np.uint8]]
Classify = Callable[[Pictures], NDArray[np.float32]]
"""Logits (N, K) of pictures: a label holds above 0, or is the domain where it is the largest."""


def train_attributes(
    pictures: Pictures, labels: NDArray[np.float32], *, exclusive: bool = False
) -> tuple[Classify, NDArray[np.float64]]:
    """Train on pictures (SIDE, SIDE, 3) and their labels (N, K) of 0 and 1, half of them mirrored.

    `exclusive`: one label of each picture is 1, its domain. Returns what gives the logits of some pictures, and the
    share of right ones of each label among the pictures kept apart. The same pictures give the same classifier.
    Raises SakugaError for fewer than two EVERY pictures.
    """
    if len(pictures) < 2 * EVERY:
        raise SakugaError(f"a classifier needs {2 * EVERY} labelled pictures or more, and there are {len(pictures)}")
    images, target = to_tensor(np.stack(pictures)), torch.as_tensor(labels)
    held = torch.arange(len(images)) % EVERY == 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        widths = ((3, 24, 1), (24, 32, 2), (32, 64, 2), (64, 64, 2))
        network = nn.Sequential(
            *(
                part
                for inside, out, stride in widths
                for part in (nn.Conv2d(inside, out, 3, stride, 1), nn.BatchNorm2d(out), nn.ReLU())
            ),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(64 * (SIDE // 8) ** 2, target.shape[1]),
        )
        optimizer = torch.optim.Adam(network.parameters(), 2e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        x, y = images[~held], target[~held]
        for _ in range(STEPS):
            drawn = torch.randint(len(x), (BATCH,))
            batch = x[drawn]
            batch = torch.where(torch.rand(BATCH, 1, 1, 1) < 0.5, batch, batch.flip(3))
            logits = network(batch)
            found = F.cross_entropy(logits, y[drawn].argmax(1)) if exclusive else _binary(logits, y[drawn])
            optimizer.zero_grad()
            torch.autograd.backward(found)
            optimizer.step()
            schedule.step()
    network.eval()

    @torch.inference_mode()
    def classify(pictures: Pictures) -> NDArray[np.float32]:
        found = [network(part) for part in torch.split(to_tensor(np.stack(pictures)), 256)]
        logits: NDArray[np.float32] = torch.cat(found).numpy()
        return logits

    own = decide(classify([picture for picture, kept in zip(pictures, held.tolist(), strict=True) if kept]), exclusive)
    return classify, (own == target[held].numpy().astype(bool)).mean(0)


def decide(logits: NDArray[np.float32], exclusive: bool = False) -> NDArray[np.bool_]:
    """Return which labels hold, (N, K)."""
    if not exclusive:
        return np.asarray(logits > 0)
    return np.asarray(np.arange(logits.shape[1]) == logits.argmax(1)[:, None])


def _binary(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, labels.float())
