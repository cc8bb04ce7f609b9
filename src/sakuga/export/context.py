"""A generator that knows the whole picture, as two files: it takes its context as an input, an encoder makes that."""

from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from sakuga.export.int8 import Fold, calibration_photos, context_of
from sakuga.export.trace import to_onnx
from sakuga.networks.context import ContextGenerator
from sakuga.style.context import THUMBNAIL


class GivenContext(nn.Module):
    """The body of a ContextGenerator. Where no context is given it takes the mean over some photos."""

    def __init__(self, network: ContextGenerator, paths: Sequence[Path]):
        super().__init__()
        self.body, self.multiple, self.receptive_field = network.body, network.multiple, network.receptive_field
        self.default = torch.zeros(1, 2 * sum(network.body.modulated))
        if paths:
            photos = calibration_photos(network, paths)
            self.default = torch.cat([context_of(network, photo) for photo in photos]).mean(0, keepdim=True).clone()

    def forward(self, image: Tensor, context: Tensor | None = None) -> Tensor:
        """Stylise (N, 3, H, W) in [-1, 1]."""
        stylised: Tensor = self.body(image, self.default.to(image.dtype) if context is None else context)
        return stylised


class ThumbnailEncoder(nn.Module):
    """A thumbnail (1, 64, 64, 3) uint8 to the `context` (1, K) and to the initializers that it gives the int8 model."""

    def __init__(self, network: ContextGenerator, folds: Sequence[Fold]):
        super().__init__()
        self.encoder, self.channels = network.encoder, network.body.modulated
        self.names = ["context"]
        self.folds = []
        for fold in folds:
            self.names += [f"{fold.name}.scale", f"{fold.name}.bias"]
            self.folds.append([torch.from_numpy(part) for part in (fold.scale, fold.sums, fold.bias)])

    def forward(self, thumbnail: Tensor) -> tuple[Tensor, ...]:
        """Return them in the order of `names`."""
        context = self.encoder(thumbnail.permute(0, 3, 1, 2).float() / 127.5 - 1)
        scales, shifts = (half[0].split(self.channels) for half in context.chunk(2, dim=1))
        values: list[Tensor] = []
        for (scale, sums, bias), by, shift in zip(self.folds, scales, shifts, strict=False):  # no folds without int8
            values += [scale * (1 + by), ((bias + shift / (1 + by)) / sums).round().to(torch.int32)]
        return (context, *values)


def trace_encoder(network: ContextGenerator, folds: Sequence[Fold]) -> onnx.ModelProto:
    """Return a ThumbnailEncoder as an ONNX model."""
    encoder = ThumbnailEncoder(network, folds).eval()
    return to_onnx(
        encoder, {"thumbnail": torch.zeros(1, THUMBNAIL, THUMBNAIL, 3, dtype=torch.uint8)}, encoder.names, {}
    )
