"""The networks of White-box Cartoonization (Wang, Yu, CVPR 2020)."""

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from sakuga.losses.guided import guided_filter
from sakuga.networks.animegan import up


class WhiteBoxGenerator(nn.Module):
    """Photo to cartoon, (N, 3, H, W) in [-1, 1] to about the same; 1,467,075 parameters.

    A small U-Net: twice halved, four residual blocks, twice enlarged with the features of that size added before the
    convolution. No norm anywhere, so tiles are exact; leaky ReLU 0.2 after every convolution but the blocks' second
    and the last, which is linear: values may leave [-1, 1]. Zeros outside; weights start Xavier-uniform, biases at
    zero. Sides must be multiples of four: at others the skips do not fit and torch raises.

    Source: Wang, Yu, "Learning to Cartoonize Using White-box Cartoon Representations", CVPR 2020, and the official
    code's `unet_generator`, but for the half-pixel shift of its resizing (`up`).

    Args:
        width: channels of the first layer; 4 · `width` in the middle.
        blocks: residual blocks.
    """

    multiple = 4

    def __init__(self, *, width: int = 32, blocks: int = 4):
        super().__init__()
        c1, c2, c4 = width, 2 * width, 4 * width
        # A pixel looks 30 pixels down and right, less up and left, and 4 more for each convolution of the blocks.
        self.receptive_field = 2 * (30 + 8 * blocks) + 1
        self.at_full = nn.Sequential(*_conv(3, c1, 7))
        self.at_half = nn.Sequential(*_conv(c1, c1, stride=2), *_conv(c1, c2))
        self.at_quarter = nn.Sequential(
            *_conv(c2, c2, stride=2),
            *_conv(c2, c4),
            *(_Residual(c4) for _ in range(blocks)),
            *_conv(c4, c2),
        )
        self.up = up()
        self.paint_half = nn.Sequential(*_conv(c2, c2), *_conv(c2, c1))
        self.paint_full = nn.Sequential(*_conv(c1, c1), nn.Conv2d(c1, 3, 7, padding=3))
        _xavier(self)

    def forward(self, image: Tensor) -> Tensor:
        """Stylise (N, 3, H, W) in [-1, 1]."""
        full = self.at_full(image)
        half = self.at_half(full)
        x = self.paint_half(self.up(self.at_quarter(half)) + half)
        stylized: Tensor = self.paint_full(self.up(x) + full)
        return stylized


class Filtered(nn.Module):
    """What users run: the generator, and the guided filter that lets the photo's edges lead.

        O = guided_filter(photo, G(photo), radius 1, ε)

    on [-1, 1]. The official code trains with ε = 1e-2 and paints with 5e-3, the default here.

    Source: Wang, Yu, and the official code; the paper blends filtered and unfiltered at will, this is all filtered.
    """

    def __init__(self, generator: WhiteBoxGenerator, *, radius: int = 1, eps: float = 5e-3):
        super().__init__()
        self.generator = generator
        self.radius = radius
        self.eps = eps
        self.multiple = generator.multiple
        # Two box filters, one after the other.
        self.receptive_field = generator.receptive_field + 4 * radius

    def forward(self, image: Tensor) -> Tensor:
        """Stylise (N, 3, H, W) in [-1, 1]."""
        return guided_filter(image, self.generator(image), radius=self.radius, eps=self.eps)


class WhiteBoxDiscriminator(nn.Module):
    """Raw scores (N, 1, ⌊H/8⌋, ⌊W/8⌋) of an image (N, channels, H, W); 287,137 parameters, 286,561 with one channel.

    Three stages of a strided and a plain 3×3 convolution, one 1×1, all with spectral norm (Miyato et al., ICLR 2018;
    one power iteration per forward pass in training) and bias, leaky slope 0.2, no other norm: a score depends on its
    patch alone. Weights start Xavier-uniform, biases at zero. White-box has two: colour for the surface, grey for the
    texture representation. Save its `state_dict`: a module with spectral norm cannot be pickled.

    Source: as the generator.

    Args:
        channels: of the image.
        width: channels of the first stage, doubled in each of the others.
    """

    def __init__(self, channels: int = 3, *, width: int = 32):
        super().__init__()
        self.body = nn.Sequential(
            *_conv(channels, width, stride=2),
            *_conv(width, width),
            *_conv(width, 2 * width, stride=2),
            *_conv(2 * width, 2 * width),
            *_conv(2 * width, 4 * width, stride=2),
            *_conv(4 * width, 4 * width),
            nn.Conv2d(4 * width, 1, 1),
        )
        _xavier(self)
        for module in self.body:
            if isinstance(module, nn.Conv2d):
                spectral_norm(module)

    def forward(self, image: Tensor) -> Tensor:
        """Score every patch; no sigmoid."""
        scores: Tensor = self.body(image)
        return scores


class _Residual(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(*_conv(channels, channels), nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.body(x)
        return y


def _conv(i: int, o: int, kernel: int = 3, *, stride: int = 1) -> list[nn.Module]:
    """A convolution that pads with zeros: all around, with stride 2 as TensorFlow at the right and the bottom only."""
    if stride == 2:
        return [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(i, o, kernel, stride=2), nn.LeakyReLU(0.2, inplace=True)]
    return [nn.Conv2d(i, o, kernel, padding=kernel // 2), nn.LeakyReLU(0.2, inplace=True)]


def _xavier(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
