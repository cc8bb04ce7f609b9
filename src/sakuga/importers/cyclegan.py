"""ResNet generators of pytorch-CycleGAN-and-pix2pix: CycleGAN's, and pix2pix's where it was trained with one."""

import re

from torch import nn

from sakuga.importers.weights import Weights, fill, in_order, shape
from sakuga.networks.resnet import ResNetGenerator


def recognise(weights: Weights) -> str | None:
    """Say what the weights are, if they are of this layout."""
    return None if _filtered(weights) else resnet(weights, "CycleGAN's")


def read(weights: Weights) -> ResNetGenerator:
    """Return the generator; dropout, which shifts the published names, is left out."""
    return fill_resnet(weights, antialias=False)


def resnet(weights: Weights, whose: str) -> str | None:
    """Say that the weights are a ResNet generator, and with how many blocks, if they are."""
    if len(shape(weights, "model.1.weight")) != 4 or not _blocks(weights):
        return None
    return f"{whose} ResNet generator with {_blocks(weights)} blocks"


def fill_resnet(weights: Weights, *, antialias: bool) -> ResNetGenerator:
    """Build the generator of the file's width, number of blocks and norm.

    Batch norms measure the picture at hand, as when pix2pix was tested, so they are instance norms with gains and
    biases; the convolutions before them have no biases.
    """
    blocks, affine = _blocks(weights), "model.2.weight" in weights
    width = shape(weights, "model.1.weight")[0]
    network = ResNetGenerator(width=width, blocks=blocks, antialias=antialias, affine=affine)
    if "model.1.bias" not in weights:
        convolutions = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
        for convolution in convolutions[:-1]:
            convolution.bias = None
    fill(network, in_order(weights, "model."), weights, f"a ResNet generator with {blocks} blocks")
    return network


def _blocks(weights: Weights) -> int:
    return sum(re.fullmatch(r"model\.\d+\.\w+\.1\.weight", name) is not None for name in weights)


def _filtered(weights: Weights) -> bool:
    return any(name.endswith(".filt") for name in weights)
