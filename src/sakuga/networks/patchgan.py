"""PatchGAN: a discriminator that judges patches (Isola, Zhu, Zhou, Efros, CVPR 2017)."""

from typing import Literal

from torch import Tensor, nn

from sakuga.networks.layers import InstanceNorm, init_normal


class PatchGAN(nn.Module):
    """Raw scores of overlapping patches of an image; with the defaults 70×70 patches and 2,764,737 parameters.

    C64-C128-C256-C512 of 4×4 convolutions, all of stride 2 but the last, leaky slope 0.2, a norm after all but the
    first, then one score per patch: (N, 3, 256, 256) gives (N, 1, 30, 30).

    Args:
        channels: of the image; conditional use concatenates input and output (6 channels, batch norm: 2,768,705).
        width: channels of the first layer.
        strided: stride-2 layers; 1, 2, 3, 4, 5 of them judge patches of side 16, 34, 70, 142, 286.
        norm: `instance` without affine parameters (CycleGAN), `batch` (pix2pix; the convolutions before it have no
            bias), or None: then each score depends on its patch alone.

    Raises:
        ValueError: an unknown `norm`.

    Source: Isola et al., appendix 6.1.2, and the official code's biases; weights start from N(0, 0.02).
    """

    def __init__(
        self,
        channels: int = 3,
        *,
        width: int = 64,
        strided: int = 3,
        norm: Literal["instance", "batch"] | None = "instance",
    ):
        super().__init__()
        if norm not in ("instance", "batch", None):
            raise ValueError(f"norm must be 'instance', 'batch' or None, not {norm!r}")
        widths = [width * min(2**i, 8) for i in range(strided + 1)]
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for i in range(strided):
            stride = 2 if i + 1 < strided else 1
            layers.append(nn.Conv2d(widths[i], widths[i + 1], 4, stride=stride, padding=1, bias=norm != "batch"))
            if norm is not None:
                layers.append((nn.BatchNorm2d if norm == "batch" else InstanceNorm)(widths[i + 1]))
            layers.append(nn.LeakyReLU(0.2))
        self.body = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))
        init_normal(self)

    def forward(self, image: Tensor) -> Tensor:
        """Score every patch; no sigmoid."""
        scores: Tensor = self.body(image)
        return scores
