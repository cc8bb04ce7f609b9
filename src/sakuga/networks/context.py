"""A fast generator that knows the whole picture: a thumbnail of it scales and shifts every layer."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.networks.fast import FastGenerator
from sakuga.style.context import THUMBNAIL


class ContextEncoder(nn.Module):
    """What a thumbnail, (N, 3, 64, 64) in [-1, 1], says to a generator: (N, 2 · count), zeros at the start.

    Four strided convolutions, the mean over what is left, one linear layer. The first half are scales less one, kept
    within ±0.9 so that no scale loses its sign, the second half shifts.
    """

    def __init__(self, count: int):
        super().__init__()
        self.layers = nn.Sequential()
        channels = 3
        for width in (16, 32, 64, 64):
            self.layers.append(nn.Conv2d(channels, width, 3, stride=2, padding=1))
            self.layers.append(nn.ReLU(inplace=True))
            channels = width
        self.last = nn.Linear(channels, 2 * count)
        for module in self.layers:
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, thumbnail: Tensor) -> Tensor:
        """Look at the thumbnail."""
        scales, shifts = self.last(self.layers(thumbnail).mean((2, 3))).chunk(2, dim=1)
        return torch.cat([0.9 * scales.tanh(), shifts], 1)


class ContextGenerator(nn.Module):
    """A FastGenerator whose layers are scaled and shifted by a ContextEncoder (FiLM: Perez et al., AAAI 2018).

    A teacher that normalises over the whole picture paints the same leaf differently beside another sky. What it knows
    of the whole, exposure, colours, how much of the picture is a face, goes into the thumbnail's few numbers; they are
    computed once for a picture and then fixed, so that a pixel depends on its surroundings alone, tiles are exact and
    speed stays.
    """

    def __init__(self, *, width: int = 64, blocks: int = 3, inner: int | None = None):
        super().__init__()
        self.body = FastGenerator(width=width, blocks=blocks, inner=inner, context=True)
        self.encoder = ContextEncoder(sum(self.body.modulated))
        self.multiple, self.receptive_field = self.body.multiple, self.body.receptive_field

    def forward(self, image: Tensor, thumbnail: Tensor | None = None) -> Tensor:
        """Stylise (N, 3, H, W), crops of the pictures that `thumbnail` shows; by default whole pictures."""
        if thumbnail is None:
            thumbnail = F.interpolate(image, (THUMBNAIL, THUMBNAIL), mode="area")
        stylised: Tensor = self.body(image, self.encoder(thumbnail))
        return stylised
