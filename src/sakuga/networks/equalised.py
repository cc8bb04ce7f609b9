"""Layers whose weights all learn at one speed, and what else PGGAN and the StyleGANs share."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GAIN = 2**0.5
"""He's factor for layers that a leaky ReLU follows."""
GROUP = 4
"""Samples of a batch whose deviation is measured together."""


class EqualisedLinear(nn.Linear):
    """(N, inputs) to (N, outputs), its weights N(0, 1) / `rate` and scaled by `gain` / √inputs × `rate` when used.

    Adam moves every weight by about its learning rate, whatever its size: so all layers learn at one relative speed,
    or at `rate` times of it. `start`: of the bias, scaled by `rate`.

    Source: Karras, Aila, Laine, Lehtinen, ICLR 2018 (PGGAN), section 4.1.
    """

    def __init__(
        self, inputs: int, outputs: int, *, gain: float = GAIN, rate: float = 1.0, bias: bool = True, start: float = 0.0
    ):
        self.scale, self.rate, self.start = gain * rate / inputs**0.5, rate, start
        super().__init__(inputs, outputs, bias)

    def reset_parameters(self) -> None:
        """Draw the weights."""
        nn.init.normal_(self.weight, 0.0, 1 / self.rate)
        if self.bias is not None:
            nn.init.constant_(self.bias, self.start / self.rate)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply by the scaled weights."""
        return F.linear(x, self.weight * self.scale, None if self.bias is None else self.bias * self.rate)


class EqualisedConv2d(nn.Conv2d):
    """A convolution of stride 1 that keeps the size; weights from N(0, 1), scaled by `gain` / √(inputs kernel²).

    See `EqualisedLinear`.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, gain: float = GAIN, bias: bool = True):
        self.scale = gain / (inputs * kernel**2) ** 0.5
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, bias=bias)

    def reset_parameters(self) -> None:
        """Draw the weights."""
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, inputs, H, W)."""
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU of slope 0.2."""
    return F.leaky_relu(x, 0.2)


def pixel_norm(x: Tensor) -> Tensor:
    """x / √(mean over channels of x² + 10⁻⁸), of every pixel of (N, C, ...): its second moment is then 1.

    Source: Karras et al., ICLR 2018, section 4.2.
    """
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


def minibatch_deviation(x: Tensor) -> Tensor:
    """Append a channel to (N, C, H, W) that says how much the samples of a group differ, by which D sees a collapse.

    √(σ² + 10⁻⁸) over a group of four (of the largest size up to that by which N divides), averaged over channels and
    places. Groups are strided: with N = 8 they are samples 0, 2, 4, 6 and 1, 3, 5, 7.

    Source: Karras et al., ICLR 2018, section 3; groups of four in the official code.
    """
    n, c, h, w = x.shape
    group = next(size for size in range(min(GROUP, n), 0, -1) if n % size == 0)
    groups = x.reshape(group, n // group, c, h, w)
    variance = (groups - groups.mean(0)).square().mean(0)
    deviation = (variance + 1e-8).sqrt().mean((1, 2, 3))
    return torch.cat([x, deviation.view(-1, 1, 1, 1).repeat(group, 1, h, w)], 1)


def widths(side: int, width: int, widest: int) -> list[int]:
    """Channels at 4, 8, ..., `side` pixels: `width` at `side`, twice as many at half of it, but at most `widest`.

    Raises:
        ValueError: `side` is no power of two, or less than 8.
    """
    if side < 8 or side & (side - 1):
        raise ValueError(f"side must be a power of two, 8 or more, not {side}")
    return [min(width * side // 2**i, widest) for i in range(2, side.bit_length())]
