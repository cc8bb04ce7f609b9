"""KID of samples against the pictures to be learned, while a run goes on."""

import math
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga import runs
from sakuga.data.images import to_tensor
from sakuga.errors import SakugaError
from sakuga.metrics.kid import kid
from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork

CROP, MAX_CROPS, MIN_SIDE = 128, 64, 64


class KIDMonitor:
    """KID between crops of sample pictures and crops of the pictures they should look like, on one feature network.

    Few pictures and pooled features make it a figure for comparing moments of one run, not one to publish.

    Args:
        references: the pictures to be learned, (N, 3, H, W) in [-1, 1].

    Attributes:
        name: of the figure, with its network's.
        source: in words, the network and its weights.
    """

    def __init__(self, references: Tensor):
        self.network = _network()
        random = "random" in self.network.source
        self.name = f"quality/kid[{self.network.name}{'-random' if random else ''}]"
        self.source = self.network.source
        self.references = self._features(references)

    def __call__(self, pictures: np.ndarray) -> float:
        """KID of pictures (N, H, W, 3) uint8; smaller is nearer to the references."""
        found = self._features(to_tensor(pictures))
        size = min(len(found), len(self.references))
        mean, _ = kid(found, self.references, subsets=20, subset_size=size, generator=torch.Generator().manual_seed(0))
        return float(mean)

    @torch.inference_mode()
    def _features(self, images: Tensor) -> Tensor:
        layer = self.network.layers[0]
        squares = crops(images.cpu().expand(-1, 3, -1, -1))
        if squares.shape[-1] < MIN_SIDE:  # of which the network would see nothing
            squares = F.interpolate(squares, size=(MIN_SIDE, MIN_SIDE), mode="bilinear")
        return torch.cat([self.network(part)[layer].mean((2, 3)) for part in torch.split(squares, 8)])


def crops(images: Tensor) -> Tensor:
    """Up to 64 squares of 128 pixels, spread evenly over (N, 3, H, W): crops, because strokes have a size."""
    side = min(CROP, *images.shape[2:])
    step = max(1, side // 2)
    squares = images.unfold(2, side, step).unfold(3, side, step)  # (N, 3, rows, columns, side, side)
    squares = squares.permute(0, 2, 3, 1, 4, 5).reshape(-1, images.shape[1], side, side)
    return squares[torch.linspace(0, len(squares) - 1, min(MAX_CROPS, len(squares))).round().long()]


def _network() -> FeatureNetwork:
    # AlexNet orders mixtures of photo and style as VGG-16 does, in a thirtieth of its time.
    for name in ("alexnet", "vgg16"):
        try:
            return FeatureNetwork(name, LPIPS_LAYERS[name][-1:])
        except SakugaError:  # not downloaded
            continue
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # announced by the log
        return FeatureNetwork("alexnet", LPIPS_LAYERS["alexnet"][-1:], weights="random:0")


def best_before(run: Path, step: int, source: str) -> float:
    """Return the figure of the run's best.pt if it is of an earlier step by the same monitor, else infinity."""
    try:
        state = runs.load(run, runs.BEST)
    except SakugaError:
        return math.inf
    mine = state["steps"] < step and state.get("monitor", state.get("judge")) == source
    return float(state["quality"]) if mine else math.inf
