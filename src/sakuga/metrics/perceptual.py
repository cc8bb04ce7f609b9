"""How far apart two pictures look: LPIPS, or plain pixels where its weights are not here."""

import warnings
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from sakuga.errors import UsageError
from sakuga.losses import lpips
from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork

MIN_SIDE, MAX_SIDE = 64, 256
"""Sides in pixels that smaller pictures are enlarged to and larger ones reduced to: the network's layers want no fewer,
and the published projections and path lengths use no more."""


class PerceptualDistance:
    """LPIPS of two sets of pictures (N, 3, H, W) in [-1, 1], one number each, (N,); gradients flow through.

    Args:
        network: `vgg16`, as StyleGAN's authors take, or `alexnet`.
        weights: of the network, as `FeatureNetwork` takes them.

    Attributes:
        name: of the figure: `LPIPS[vgg16]`, or `squared pixels` where there are no weights or no heads of LPIPS.
        missing: why plain pixels are taken, else empty.

    Raises UsageError or SakugaError for `weights` that are named and cannot be read.
    """

    def __init__(self, network: str = "vgg16", weights: str | Path | None = None):
        self.network: FeatureNetwork | None = None
        self.name, self.missing = "squared pixels", ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of random weights, which have no heads
                found = FeatureNetwork(network, LPIPS_LAYERS[network], weights=weights)
        except UsageError:
            if weights is not None:
                raise
            self.missing = f"the weights of {network} are not here: run `sakuga download {network}` for LPIPS"
        else:
            if found.heads:
                self.network, self.name = found, f"LPIPS[{network}]"
                return
            self.missing = f"{found.source} has no heads of LPIPS"

    def __call__(self, pictures: Tensor, others: Tensor) -> Tensor:
        """Compare."""
        if self.network is None:
            return (pictures - others).square().mean((1, 2, 3))
        one, other = (self.network(_sized(image)) for image in (pictures, others))
        return lpips(one, other, self.network.heads, reduction="none")


def _sized(image: Tensor) -> Tensor:
    side = image.shape[-1]
    if side > MAX_SIDE:
        return F.interpolate(image, size=(MAX_SIDE, MAX_SIDE), mode="area")
    return image if side >= MIN_SIDE else F.interpolate(image, size=(MIN_SIDE, MIN_SIDE), mode="bilinear")
