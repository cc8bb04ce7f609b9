"""pix2pix's generator: an encoder and a decoder whose levels of equal size are joined."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from sakuga.networks.layers import InstanceNorm, init_normal


class UNet(nn.Module):
    """Input to output picture, (N, 3, H, W) in [-1, 1] to the same; 54,413,955 parameters with eight levels.

    Encoder, 4×4 convolutions of stride 2: C64-C128-C256-C512-C512-..., each after a leaky ReLU (0.2) but the first,
    each before a norm but the first and the innermost. Decoder, transposed likewise after ReLU: each stage but the
    last has a norm and then, before it goes on, gets the encoder's picture of its size put before its own channels.
    Convolutions before batch norm have no bias. Sides must be multiples of 2^levels.

    The paper's noise is dropout (1/2) and nothing else, kept on when the network is used, with norms that measure the
    picture at hand. In this class that is a choice of whoever uses it: `eval()` turns both off (running statistics),
    `noise()` turns dropout on again, `per_picture(network)` measures the picture. A style file is a function and holds
    no dropout: exporting writes the network without it, with either of the two statistics.

    Args:
        channels: of the input.
        out: channels of the output.
        width: channels of the first level; they double until `most * width`.
        most: see `width`.
        levels: halvings; 8 is U-Net-256, 7 is U-Net-128 (41,828,995 parameters).
        norm: `batch` as published; `instance`, without affine parameters, keeps the biases.
        dropout: decoder stages, counted from 1 at the innermost, that drop. By default 2 to levels - 4, as in the
            official PyTorch code; (1, 2, 3) is the paper's and the Lua code's choice, () is none.

    Raises:
        ValueError: an unknown `norm`, or fewer than two levels.

    Source: Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
    appendix 6.1.1; weights start from N(0, 0.02).
    """

    receptive_field = 0  # statistics of the picture; and the innermost level sees more than any tile

    def __init__(
        self,
        channels: int = 3,
        out: int = 3,
        *,
        width: int = 64,
        most: int = 8,
        levels: int = 8,
        norm: Literal["batch", "instance"] = "batch",
        dropout: Sequence[int] | None = None,
    ):
        super().__init__()
        if norm not in ("batch", "instance"):
            raise ValueError(f"norm must be 'batch' or 'instance', not {norm!r}")
        if levels < 2:
            raise ValueError(f"levels must be 2 or more, not {levels}")
        self.multiple = 2**levels
        normalise = nn.BatchNorm2d if norm == "batch" else InstanceNorm
        bias = norm != "batch"
        dropping = range(2, levels - 3) if dropout is None else dropout
        widths = [width * min(2**i, most) for i in range(levels)]

        self.down = nn.ModuleList([nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=bias)])
        for i, (wide, wider) in enumerate(pairwise(widths), start=2):
            conv = nn.Conv2d(wide, wider, 4, stride=2, padding=1, bias=bias)
            innermost = i == levels  # may be one pixel, which has no statistics
            self.down.append(nn.Sequential(nn.LeakyReLU(0.2), conv, *([] if innermost else [normalise(wider)])))

        self.up = nn.ModuleList()
        for stage in range(1, levels):
            wide = widths[levels - stage] * (1 if stage == 1 else 2)
            narrow = widths[levels - stage - 1]
            deconv = nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1, bias=bias)
            drop = [nn.Dropout(0.5)] if stage in dropping else []
            self.up.append(nn.Sequential(nn.ReLU(inplace=True), deconv, normalise(narrow), *drop))
        self.last = nn.Sequential(
            nn.ReLU(inplace=True), nn.ConvTranspose2d(2 * width, out, 4, stride=2, padding=1), nn.Tanh()
        )
        init_normal(self)

    def forward(self, image: Tensor) -> Tensor:
        """Translate."""
        x, skips = image, []
        for down in self.down:
            x = down(x)
            skips.append(x)
        for up, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            x = torch.cat([skip, up(x)], 1)
        translated: Tensor = self.last(x)
        return translated

    def noise(self, on: bool = True) -> "UNet":
        """Turn dropout on or off whatever the mode of the rest; the next `train()` or `eval()` forgets it."""
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.train(on)
        return self


def per_picture(network: nn.Module) -> nn.Module:
    """Replace, in place, every batch norm by an instance norm with its gain and bias, and return the network.

    pix2pix normalises by the test batch, which is one picture: instance norm (section 3.4 of the paper). Written so,
    it holds for any number of pictures, and in a style file.
    """
    for name, norm in list(network.named_modules()):
        if isinstance(norm, nn.BatchNorm2d):
            own = InstanceNorm(norm.num_features, eps=norm.eps, affine=True)
            own.weight, own.bias = norm.weight, norm.bias
            owner, _, attribute = name.rpartition(".")
            setattr(network.get_submodule(owner), attribute, own.train(norm.training))
    return network
