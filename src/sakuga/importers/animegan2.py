"""AnimeGANv2's generators in the layout of their PyTorch port, animegan2-pytorch."""

from torch import nn

from sakuga.importers.weights import Weights, fill, in_order, shape
from sakuga.networks.animegan import AnimeGANv2Generator

TITLE = "AnimeGANv2's generator"


def recognise(weights: Weights) -> str | None:
    """Say what the weights are, if they are of this layout."""
    return TITLE if shape(weights, "block_a.0.1.weight")[1:] == (3, 7, 7) and "out_layer.0.weight" in weights else None


def read(weights: Weights) -> AnimeGANv2Generator:
    """Return the generator, enlarging between the corners of the picture, as the port does unless told otherwise."""
    network = AnimeGANv2Generator()
    fill(network, in_order(weights, ""), weights, TITLE)
    for module in network.modules():
        if isinstance(module, nn.Upsample):
            module.align_corners = True
    return network
