"""Generators of contrastive-unpaired-translation (CUT, FastCUT): ResNets with filters against aliasing."""

from sakuga.errors import SakugaError
from sakuga.importers.cyclegan import fill_resnet, resnet
from sakuga.importers.weights import Weights
from sakuga.networks.resnet import ResNetGenerator


def recognise(weights: Weights) -> str | None:
    """Say what the weights are, if they are of this layout."""
    return resnet(weights, "CUT's") if _filters(weights) else None


def read(weights: Weights) -> ResNetGenerator:
    """Return the generator; the filters, saved with every file, are always the same and not read.

    Raises:
        SakugaError: filters on the way down or up only.
    """
    if sorted(_filters(weights)) != [3, 3, 4, 4]:
        raise SakugaError("it has filters against aliasing on the way down or up alone, which is not imported.")
    return fill_resnet(weights, antialias=True)


def _filters(weights: Weights) -> list[int]:
    """Sides of the filters: 3 on the way down, 4 on the way up."""
    return [tensor.shape[-1] for name, tensor in weights.items() if name.endswith(".filt")]
