"""StyleGAN 2: styles that scale the weights of convolutions (Karras et al., CVPR 2020), in plain PyTorch."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.networks.equalised import EqualisedConv2d, EqualisedLinear, leaky, minibatch_deviation, pixel_norm, widths
from sakuga.networks.fir import WIDE, enlarge, upfirdn

ACTIVE = 2**0.5
"""By what the leaky ReLU's result is multiplied."""
MAPPING_RATE = 0.01
"""How fast the mapping learns beside the rest."""
W_DECAY = 0.995
"""Of the mean of w."""


class Mapping(nn.Module):
    """Noise z (N, size) to the intermediate latent w (N, size); 2,101,248 parameters with 8 layers of 512.

    z is brought to a second moment of 1; every layer ends in a leaky ReLU. `mean` is w's running mean, which only
    training moves; truncation draws w to it.

    Args:
        size: of z and of w.
        layers: their number.
        gain: √2 of a layer, of its weights as in StyleGAN; otherwise of its result.

    Source: Karras, Laine, Aila, CVPR 2019 (StyleGAN), section 2 and appendix B; learning rate multiplier 0.01.
    """

    mean: Tensor

    def __init__(self, size: int = 512, layers: int = 8, *, gain: float = 1.0):
        super().__init__()
        self.layers = nn.ModuleList(EqualisedLinear(size, size, gain=gain, rate=MAPPING_RATE) for _ in range(layers))
        self.active = ACTIVE / gain
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise; in training the running mean follows."""
        w = pixel_norm(noise)
        for layer in self.layers:
            w = leaky(layer(w)) * self.active
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(w.mean(0).to(self.mean), 1 - W_DECAY)
        return w

    def truncate(self, w: Tensor, truncation: Tensor | float) -> Tensor:
        """Draw w (N, size) to the mean: 1 leaves it, 0 is the mean."""
        return self.mean + truncation * (w - self.mean)


class ModulatedConv2d(nn.Module):
    """A convolution whose weights are scaled by a style for each input channel, and brought to length 1 again.

    w'_oik = s_i w_oik, w''= w' / √(Σ_ik w'² + 10⁻⁸), s a linear function of w that begins at 1. Computed by scaling
    what goes in and what comes out, which is the same.

    Args:
        inputs: channels.
        outputs: channels.
        kernel: side.
        latent: size of w.
        demodulate: bring the weights to length 1; otherwise (the layers to RGB) styles are divided by √inputs.
        up: enlarge twice, by a transposed convolution and a filter.

    Source: Karras et al., CVPR 2020, equations 1 and 3.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, latent: int, *, demodulate: bool = True, up: bool = False
    ):
        super().__init__()
        self.style = EqualisedLinear(latent, inputs, gain=1, start=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.scale = 1 if demodulate else inputs**-0.5
        self.demodulate, self.up = demodulate, up

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Convolve (N, inputs, H, W) by the style of w (N, latent)."""
        style = self.style(w) * self.scale
        x = x * style[:, :, None, None]
        weight = self.weight.to(x.dtype)
        if self.up:
            x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            x = upfirdn(x, WIDE, pad=(1, 1), gain=4)
        else:
            x = F.conv2d(x, weight, padding=weight.shape[2] // 2)
        if self.demodulate:
            lengths = style.square() @ self.weight.square().sum((2, 3)).T
            x = x * torch.rsqrt(lengths + 1e-8)[:, :, None, None].to(x.dtype)
        return x


class StyledLayer(nn.Module):
    """Modulated 3×3 convolution, noise of a learned strength, bias, leaky ReLU times √2."""

    fixed: Tensor

    def __init__(self, inputs: int, outputs: int, latent: int, side: int, *, up: bool = False):
        super().__init__()
        self.convolution = ModulatedConv2d(inputs, outputs, 3, latent, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("fixed", torch.randn(1, 1, side, side))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, inputs, H, W); the noise is drawn anew in training and a fixed one afterwards."""
        x = self.convolution(x, w)
        noise = torch.randn_like(x[:, :1]) if self.training else self.fixed.to(x.dtype)
        return leaky(x + noise * self.strength + self.bias.view(-1, 1, 1)) * ACTIVE


class ToRGB(nn.Module):
    """Modulated 1×1 convolution to three channels, without demodulation, and bias."""

    def __init__(self, inputs: int, latent: int):
        super().__init__()
        self.convolution = ModulatedConv2d(inputs, 3, 1, latent, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, 3, H, W)."""
        picture: Tensor = self.convolution(x, w) + self.bias.view(-1, 1, 1)
        return picture


class Synthesis(nn.Module):
    """Latents to a picture by way of ever larger sizes, whose pictures are added up.

    28,268,812 parameters at 1024 pixels, 27,933,090 at 256 and 22,666,210 with half the width there.

    Args:
        side: of the pictures, a power of two.
        width: channels at that side; twice as many at half of it.
        widest: but no more than these.
        latent: size of w.

    Source: Karras et al., CVPR 2020, figure 7 (skips), configuration F: width is 32,768 / side.
    """

    def __init__(self, *, side: int = 256, width: int = 128, widest: int = 512, latent: int = 512):
        super().__init__()
        channels = widths(side, width, widest)
        self.const = nn.Parameter(torch.randn(channels[0], 4, 4))
        self.first = StyledLayer(channels[0], channels[0], latent, 4)
        self.first_rgb = ToRGB(channels[0], latent)
        self.blocks = nn.ModuleList()
        for level, (a, b) in enumerate(pairwise(channels), start=3):
            up = StyledLayer(a, b, latent, 2**level, up=True)
            self.blocks.append(_Size(up, StyledLayer(b, b, latent, 2**level), ToRGB(b, latent)))

    @property
    def count(self) -> int:
        """How many latents it takes, one for each layer; a layer to RGB shares the next size's first."""
        return 2 * len(self.blocks) + 2

    def size(self, number: int) -> "_Size":
        """What it does at 8 · 2^number pixels."""
        found = self.blocks[number]
        assert isinstance(found, _Size)
        return found

    def forward(self, w: Tensor) -> Tensor:
        """Latents (N, count, latent) to pictures (N, 3, side, side); values may leave [-1, 1]."""
        x = self.first(self.const.expand(len(w), -1, -1, -1), w[:, 0])
        picture: Tensor = self.first_rgb(x, w[:, 1])
        for number, block in enumerate(self.blocks):
            x, picture = block(x, picture, w[:, 2 * number + 1 : 2 * number + 4])
        return picture


class _Size(nn.Module):
    """What a synthesis does at a size: enlarge, one more layer, and a picture added to the one of before."""

    def __init__(self, up: StyledLayer, layer: StyledLayer, to_rgb: ToRGB):
        super().__init__()
        self.up, self.layer, self.to_rgb = up, layer, to_rgb

    def forward(self, x: Tensor, picture: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, C, H, W), picture (N, 3, H, W) and three latents (N, 3, latent) to both of twice the size."""
        x = self.features(x, w)
        return x, self.add(picture, x, w[:, 2])

    def features(self, x: Tensor, w: Tensor) -> Tensor:
        """Features (N, C, H, W) and two latents or more to those of twice the size."""
        features: Tensor = self.layer(self.up(x, w[:, 0]), w[:, 1])
        return features

    def add(self, picture: Tensor, x: Tensor, w: Tensor) -> Tensor:
        """Enlarge the picture, and add what a latent (N, latent) shows of the features."""
        shown: Tensor = enlarge(picture) + self.to_rgb(x, w)
        return shown


class StyleGAN2Discriminator(nn.Module):
    """A picture (N, 3, side, side) to a raw score (N, 1), by residual blocks; arguments as `Synthesis` has them.

    29,012,513 parameters at 1024 pixels, 28,864,129 at 256 and 24,001,089 with half the width there.

    Source: Karras et al., CVPR 2020, figure 7 (residual).
    """

    def __init__(self, *, side: int = 256, width: int = 128, widest: int = 512):
        super().__init__()
        channels = widths(side, width, widest)[::-1]
        self.from_rgb = EqualisedConv2d(3, channels[0], 1, gain=1)
        self.blocks = nn.ModuleList(_Residual(a, b) for a, b in pairwise(channels))
        last = channels[-1]
        self.convolution = EqualisedConv2d(last + 1, last, 3, gain=1)
        self.dense = EqualisedLinear(16 * last, last, gain=1)
        self.score = EqualisedLinear(last, 1, gain=1)

    def forward(self, image: Tensor) -> Tensor:
        """Score pictures; no sigmoid."""
        return self.score_features(leaky(self.from_rgb(image)) * ACTIVE)

    def score_features(self, x: Tensor) -> Tensor:
        """Score what lies behind the layer from RGB, (N, width, side, side)."""
        for block in self.blocks:
            x = block(x)
        x = leaky(self.convolution(minibatch_deviation(x))) * ACTIVE
        score: Tensor = self.score(leaky(self.dense(x.flatten(1))) * ACTIVE)
        return score


class _Residual(nn.Module):
    """Two convolutions to half the size, and a straight way there by one of 1×1; their sum divided by √2."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.straight = EqualisedConv2d(inputs, outputs, 1, gain=1, bias=False)
        self.keep = EqualisedConv2d(inputs, inputs, 3, gain=1)
        self.halve = EqualisedConv2d(inputs, outputs, 3, gain=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / 2, W / 2)."""
        straight = self.straight(upfirdn(x, WIDE, down=2, pad=(1, 1)))
        y = leaky(self.keep(x)) * ACTIVE
        y = upfirdn(y, WIDE, pad=(2, 2))
        y = F.conv2d(y, self.halve.weight * self.halve.scale, self.halve.bias, stride=2)
        result: Tensor = (leaky(y) * ACTIVE + straight) / ACTIVE
        return result


class StyleGAN2Generator(nn.Module):
    """Noise to w by `mapping`, w to a picture by `synthesis`; arguments as theirs."""

    def __init__(self, noise: int = 512, *, side: int = 256, width: int = 128, widest: int = 512, layers: int = 8):
        super().__init__()
        self.mapping = Mapping(noise, layers)
        self.synthesis = Synthesis(side=side, width=width, widest=widest, latent=noise)

    def forward(self, noise: Tensor, other: Tensor | None = None, cut: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, noise) to pictures (N, 3, side, side) and their latents (N, layers, noise).

        Mixing: layers from number `cut` (N,) on take the latent of `other` (N, noise).
        """
        latents = mixed(self.mapping, self.synthesis.count, noise, other, cut)
        return self.synthesis(latents), latents

    @property
    def layers(self) -> int:
        """How many latents a picture takes."""
        return self.synthesis.count

    def render(self, latents: Tensor) -> Tensor:
        """Latents (N, layers, noise) to pictures."""
        picture: Tensor = self.synthesis(latents)
        return picture


class Sampler(nn.Module):
    """What users run: noise (N, size) and truncation (N,) to pictures."""

    def __init__(self, generator: StyleGAN2Generator):
        super().__init__()
        self.generator = generator

    def forward(self, noise: Tensor, truncation: Tensor) -> Tensor:
        """Make pictures (N, 3, side, side)."""
        mapping, synthesis = self.generator.mapping, self.generator.synthesis
        w = mapping.truncate(mapping(noise), truncation[:, None])
        picture: Tensor = synthesis(w[:, None].repeat(1, synthesis.count, 1))
        return picture


def mixed(mapping: Mapping, count: int, noise: Tensor, other: Tensor | None, cut: Tensor | None) -> Tensor:
    """Latents for `count` layers, (N, count, size): of `noise`, and from layer `cut` (N,) on of `other`."""
    latents: Tensor = mapping(noise)[:, None].repeat(1, count, 1)
    if other is None or cut is None:
        return latents
    late = torch.arange(count, device=cut.device) >= cut[:, None]
    return torch.where(late[:, :, None], mapping(other)[:, None], latents)
