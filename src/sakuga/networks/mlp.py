"""Generator and discriminator of fully connected layers, for small pictures and for points."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


class MLPGenerator(nn.Module):
    """Noise to a picture by fully connected layers; 1,510,032 parameters for 28×28×1.

    Leaky slope 0.2 after every layer but the last, batch norm before it after all but the first, tanh at the end.

    Args:
        noise: numbers that a picture is made of.
        channels: of the picture.
        side: of the picture; with 1 and two channels it is a point of the plane.
        widths: units of the hidden layers.
        norm: whether there is batch norm.
        slope: of the activation; 0 for ReLU.
        tanh: whether the picture is bounded by tanh, or linear in the last layer.

    Source: the widely used teaching code of Goodfellow et al., NeurIPS 2014 (PyTorch-GAN), which passes 0.8 as batch
    norm's ε by mistake: here it is the usual one. `widths=(512,) * 3, norm=False, slope=0, tanh=False` is that of
    Arjovsky, Chintala, Bottou, ICML 2017.
    """

    def __init__(
        self,
        noise: int = 100,
        *,
        channels: int = 1,
        side: int = 28,
        widths: Sequence[int] = (128, 256, 512, 1024),
        norm: bool = True,
        slope: float = 0.2,
        tanh: bool = True,
    ):
        super().__init__()
        self.shape = channels, side, side
        layers: list[nn.Module] = []
        for place, (a, b) in enumerate(pairwise([noise, *widths])):
            layers += [nn.Linear(a, b), *([nn.BatchNorm1d(b)] if norm and place else []), activation(slope)]
        layers.append(nn.Linear(widths[-1], channels * side * side))
        self.body = nn.Sequential(*layers, *([nn.Tanh()] if tanh else []))

    def forward(self, noise: Tensor) -> Tensor:
        """(N, noise) to (N, channels, side, side), in [-1, 1] with `tanh`."""
        picture: Tensor = self.body(noise)
        return picture.view(-1, *self.shape)


class MLPDiscriminator(nn.Module):
    """A picture to raw scores by fully connected layers with leaky slopes; 533,505 parameters for 28×28×1.

    `dropout`: part of the units of all hidden layers but the first that are dropped. `extra`: numbers (N, extra) that
    are joined to the picture. Other arguments and source as the generator's.
    """

    def __init__(
        self,
        channels: int = 1,
        *,
        side: int = 28,
        widths: Sequence[int] = (512, 256),
        slope: float = 0.2,
        dropout: float = 0.0,
        extra: int = 0,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        for place, (a, b) in enumerate(pairwise([channels * side * side + extra, *widths])):
            layers += [nn.Linear(a, b), *([nn.Dropout(dropout)] if dropout and place else []), activation(slope)]
        self.body = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, side, side), or flat with what is joined to it, to (N, 1); no sigmoid."""
        score: Tensor = self.body(image.flatten(1))
        return score


def activation(slope: float) -> nn.Module:
    """Return a leaky ReLU, or a plain one where the slope is 0."""
    return nn.LeakyReLU(slope) if slope else nn.ReLU()
