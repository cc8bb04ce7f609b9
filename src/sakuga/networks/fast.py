"""The fast generator: work at a quarter of the resolution, no normalisation: exact tiles, calm video."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
        self.tail = nn.Conv2d(width, 3 * factor**2, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            for block in self.blocks:
                block[2].weight.mul_(0.2)  # type: ignore[index]  # residual sums keep their scale at the start
            self.tail.weight.mul_(0.02 if residual else 0.2)

    def forward(self, image: Tensor) -> Tensor:
        """Stylise; the result may leave [-1, 1] a little, whoever shows it clips."""
        if self.margin:
            image = F.pad(image, 4 * [self.margin], mode="reflect")
        x = F.relu(self.head(F.pixel_unshuffle(image, self.multiple)))
        for block in self.blocks:
            x = x + block(x)
        painted = F.pixel_shuffle(self.tail(F.relu(x)), self.multiple)
        stylised = image + painted if self.residual else painted
        m = self.margin
        return stylised[..., m:-m, m:-m] if m else stylised
