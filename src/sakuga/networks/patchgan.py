"""PatchGAN: a discriminator that judges patches (Isola, Zhu, Zhou, Efros, CVPR 2017)."""

from torch import Tensor, nn


class PatchGAN(nn.Module):
    """Raw scores of overlapping patches of an image; with the defaults 70×70 patches and 2,764,737 parameters.

    C64-C128-C256-C512 of 4×4 convolutions, all of stride 2 but the last, leaky slope 0.2, instance norm without affine
    parameters except in the first layer, then one score per patch: (N, 3, 256, 256) gives (N, 1, 30, 30).

    Args:
        channels: of the image; conditional use concatenates input and output.
        width: channels of the first layer.
        strided: stride-2 layers; two give 34×34 patches, three 70×70.
        norm: instance norm between convolutions; without it each score depends on its patch alone.

    Source: Isola et al., appendix 6.1.2, and the official code's biases; weights start from N(0, 0.02).
    """

    def __init__(self, channels: int = 3, *, width: int = 64, strided: int = 3, norm: bool = True):
        super().__init__()
        widths = [width * min(2**i, 8) for i in range(strided + 1)]
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for i in range(strided):
            layers.append(nn.Conv2d(widths[i], widths[i + 1], 4, stride=2 if i + 1 < strided else 1, padding=1))
            if norm:
                layers.append(nn.InstanceNorm2d(widths[i + 1]))
            layers.append(nn.LeakyReLU(0.2))
        self.body = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """Score every patch; no sigmoid."""
        scores: Tensor = self.body(image)
        return scores
