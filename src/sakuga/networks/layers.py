"""Pieces that several architectures share."""

from collections.abc import Iterator
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Upsample = Literal["deconv", "resize"]


def enlarge(channels: int, out: int, how: Upsample) -> list[nn.Module]:
    """Twice the size by a 3×3 convolution, (N, channels, H, W) to (N, out, 2H, 2W); both ways have the same parameters.

    `deconv` is the published transposed convolution of stride 2, whose kernel overlaps itself unevenly: a checkerboard.
    `resize` is nearest-neighbour enlarging before a reflected convolution, which has none.

    Source: Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill, 2016.
    """
    if how == "deconv":
        return [nn.ConvTranspose2d(channels, out, 3, stride=2, padding=1, output_padding=1)]
    if how == "resize":
        return [nn.Upsample(scale_factor=2, mode="nearest"), reflected(channels, out, 3)]
    raise ValueError(f"upsample must be 'deconv' or 'resize', not {how!r}")


def reflected(channels: int, out: int, kernel: int, *, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    """Convolve a picture continued by reflection; with stride 1 the size is kept."""
    padding = kernel // 2
    return nn.Conv2d(channels, out, kernel, stride=stride, padding=padding, padding_mode="reflect", bias=bias)


def kernels(network: nn.Module) -> Iterator[Tensor]:
    """A network's kernels (O, I, h, w) that are larger than a point; those of transposed convolutions are turned."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) and module.weight[0, 0].numel() > 1:
            yield module.weight.transpose(0, 1) if isinstance(module, nn.ConvTranspose2d) else module.weight


def instance_norm(x: Tensor, *, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """(x - μ) / √(σ² + ε), times `weight` plus `bias` (C) if given, of every channel of every picture (N, C, H, W).

    PyTorch's own turns pictures that lie in memory channels last around, and of a single picture it has wrong gradients
    where these come channels last (2.13). Here pictures are kept as they lie.

    Source: Ulyanov, Vedaldi, Lempitsky, "Instance Normalization: The Missing Ingredient for Fast Stylization", 2016.
    """
    _, c, h, w = x.shape
    channels_last = x.stride() == (c * h * w, 1, w * c, c)
    if torch.onnx.is_in_onnx_export() or (len(x) > 1 and not channels_last):
        return F.instance_norm(x, weight=weight, bias=bias, eps=eps)
    if not channels_last:
        x = x.contiguous()
    # Of a single picture it is batch norm.
    singles = (x[i : i + 1] for i in range(len(x)))
    pictures = [F.batch_norm(one, None, None, weight, bias, training=True, eps=eps) for one in singles]
    return torch.cat(pictures) if len(pictures) > 1 else pictures[0]


class InstanceNorm(nn.InstanceNorm2d):
    """`nn.InstanceNorm2d` by `instance_norm`; without running statistics."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        return instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)


def init_normal(network: nn.Module) -> None:
    """Start as DCGAN, pix2pix and CycleGAN do: weights from N(0, 0.02), gains of batch norm from N(1, 0.02), biases 0.

    Source: Radford, Metz, Chintala, ICLR 2016, section 4, and the official codes for the gains.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
