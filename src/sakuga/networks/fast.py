"""The fast generator: work at a quarter of the resolution, no normalisation: exact tiles, calm video."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EvenConv2d(nn.Conv2d):
    """A 3×3 convolution in front of a pixel-shuffle that leaves no grid: (N, C, h, w) to (N, 3 · factor², h, w).

    What changes evenly from square to square changes evenly from pixel to pixel: for every channel that is read, the
    kernels of the `factor`² pixels of one colour have one sum s, their biases are one, and a pixel that lies d squares
    to the right (or below) of its square's middle has a first moment Σ k W(k) that is d · s above their mean. So a flat
    area comes out flat and a ramp as a ramp. Training moves what else there is in the kernels. They start alike, too.

    Remedy for the checkerboard of sub-pixel convolutions; the start alike is ICNR's (Aitken et al., 2017).
    """

    def __init__(self, width: int, factor: int):
        super().__init__(width, 3 * factor**2, 3, padding=1)
        self.factor, self.squares = factor, factor**2

    def start_alike(self) -> None:
        """Give every pixel of a square nearly the kernel of the first; exact ties would leave L1s without a slope."""
        with torch.no_grad():
            self.weight.lerp_(self.weight[:: self.squares].repeat_interleave(self.squares, 0), 0.99)

    @property
    def even(self) -> tuple[Tensor, Tensor]:
        """Kernel and bias that the layer computes with: the nearest that leave no grid."""
        assert self.bias is not None
        weight = self.weight.view(3, self.squares, -1, 3, 3)
        ones, right, down = moments(weight)
        total = (weight * ones).sum((3, 4)).mean(1, keepdim=True)
        places = torch.arange(self.squares, device=weight.device)
        for shape, distance in ((ones, None), (right, places % self.factor), (down, places // self.factor)):
            found = (weight * shape).sum((3, 4))
            wanted = found.mean(1, keepdim=True)
            if distance is not None:
                wanted = wanted + total * ((distance + 0.5) / self.factor - 0.5)[:, None]
            weight = weight - ((found - wanted) / shape.square().sum())[..., None, None] * shape
        bias = self.bias.view(3, self.squares).mean(1).repeat_interleave(self.squares)
        return weight.flatten(0, 1), bias

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        convolved: Tensor = self._conv_forward(x, *self.even)
        return convolved


def moments(like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What a 3×3 kernel is multiplied with and summed for its sum and its first moments, orthogonal to one another."""
    k = like.new_tensor([-1.0, 0.0, 1.0]).expand(3, 3)
    return torch.ones_like(k), k, k.T


class FastGenerator(nn.Module):
    """Photo to picture in real time, (N, 3, H, W) in [-1, 1] to the same; H and W multiples of `factor`.

    Pixel-unshuffle moves each `factor` × `factor` square into channels, residual blocks of two 3×3 convolutions work
    there, pixel-shuffle moves the result back (Shi et al., CVPR 2016). With `residual` the network paints a change to
    its input, so it starts from the photo itself and keeps its fine edges. With the default size 0.35 M parameters
    and 40 GFLOP at 1280×720.

    Args:
        width: channels inside.
        blocks: residual blocks.
        inner: channels between the two convolutions of a block; `width` by default.
        factor: side of the squares, also the size multiple of the input.
        residual: add the input to the output. A style that leaves nothing of the photo's pixels may do without.
        context: whether every convolution but the last takes a scale and a shift for each channel of its result, from
            whoever knows the whole picture (`networks/context.py`).
        reflect: continue the picture by reflection as far as the network looks, where zeros stand for what is outside
            by default. A Gram loss makes ornaments of the border between picture and zeros; a tenth more work at
            1280×720. Sides must be larger than half the receptive field.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: int = 4,
        inner: int | None = None,
        factor: int = 4,
        residual: bool = True,
        context: bool = False,
        reflect: bool = False,
    ):
        super().__init__()
        self.multiple = factor
        self.residual = residual
        # Pixels a stylised pixel depends on: every 3×3 convolution adds one square on each side of its own.
        self.receptive_field = factor * (2 * (2 + 2 * blocks) + 1)
        self.margin = factor * (2 + 2 * blocks) if reflect else 0
        self.head = nn.Conv2d(3 * factor**2, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, inner or width, 3, padding=1),
                nn.ReLU(inplace=True),
                nn.Conv2d(inner or width, width, 3, padding=1),
            )
            for _ in range(blocks)
        )
        self.tail = EvenConv2d(width, factor)
        # Channels of each convolution that a context scales and shifts.
        self.modulated = [width, *(blocks * [inner or width, width])] if context else []
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            for block in self.blocks:
                block[2].weight.mul_(0.2)  # type: ignore[index]  # residual sums keep their scale at the start
            self.tail.start_alike()
            self.tail.weight.mul_(0.02 if residual else 0.2)

    def forward(self, image: Tensor, context: Tensor | None = None) -> Tensor:
        """Stylise; the result may leave [-1, 1] a little, whoever shows it clips.

        `context`: (N, 2 · Σ modulated), for all convolutions in turn first the scales less one, then the shifts.
        """
        if self.margin:
            image = F.pad(image, 4 * [self.margin], mode="reflect")
        turn = self.turns(context)
        x = F.relu(turn(self.head(F.pixel_unshuffle(image, self.multiple))))
        for block in self.blocks:
            x = x + turn(block[2](block[1](turn(block[0](x)))))  # type: ignore[index]
        painted = F.pixel_shuffle(self.tail(F.relu(x)), self.multiple)
        stylised = image + painted if self.residual else painted
        m = self.margin
        return stylised[..., m:-m, m:-m] if m else stylised

    def turns(self, context: Tensor | None) -> Callable[[Tensor], Tensor]:
        """What scales and shifts the convolutions' results, in their order."""
        if context is None:
            return lambda x: x
        scales, shifts = (
            iter(torch.split(half[..., None, None], self.modulated, dim=1)) for half in context.chunk(2, dim=1)
        )
        return lambda x: x * (1 + next(scales)) + next(shifts)
