"""Enlarging, reducing and blurring by small binomial filters, without aliasing; plain PyTorch, differentiable twice."""

import torch
import torch.nn.functional as F
from torch import Tensor

Taps = tuple[int, ...]
NARROW: Taps = (1, 2, 1)
"""StyleGAN's filter."""
WIDE: Taps = (1, 3, 3, 1)
"""StyleGAN 2's filter."""


def upfirdn(x: Tensor, taps: Taps, *, up: int = 1, down: int = 1, pad: tuple[int, int], gain: float = 1.0) -> Tensor:
    """Insert zeros, pad, filter, and keep every `down`-th pixel of (N, C, H, W), rows and columns alike.

    Args:
        x: pictures or maps.
        taps: of the filter, which is symmetric; they are divided by their sum.
        up: each pixel becomes a square of so many, all but its first zero.
        down: of so many pixels in either direction one is kept.
        pad: zeros put before and after each row and column; negative numbers cut off.
        gain: factor of the result.

    The filter is applied to rows, then to columns, which is the same as its outer product. Pixels are left out after
    the convolution rather than by its stride, whose gradient in bfloat16 takes oneDNN six times as long.
    """
    n, c, h, w = x.shape[0], int(x.shape[1]), *x.shape[2:]  # the kernel's shape must be known where it is exported
    if up > 1:
        x = F.pad(x.reshape(n, c, h, 1, w, 1), (0, up - 1, 0, 0, 0, up - 1)).reshape(n, c, up * h, up * w)
    x = F.pad(x, (*pad, *pad))
    line = torch.tensor(taps, dtype=x.dtype, device=x.device) * (gain**0.5 / sum(taps))
    x = F.conv2d(x, line.view(1, 1, 1, -1).expand(c, 1, 1, -1), groups=c)[..., ::down]
    return F.conv2d(x, line.view(1, 1, -1, 1).expand(c, 1, -1, 1), groups=c)[..., ::down, :]


def blur(x: Tensor, taps: Taps = NARROW) -> Tensor:
    """Filter and keep the size, for an odd number of taps."""
    return upfirdn(x, taps, pad=(len(taps) // 2, len(taps) // 2))


def enlarge(x: Tensor, taps: Taps = WIDE) -> Tensor:
    """Twice the size, (N, C, H, W) to (N, C, 2H, 2W); a flat picture keeps its values but near its edges."""
    return upfirdn(x, taps, up=2, pad=(len(taps) // 2, len(taps) // 2 - 1), gain=4)
