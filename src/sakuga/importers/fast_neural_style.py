"""Networks of PyTorch's example of fast neural style (Johnson, Alahi, Fei-Fei, ECCV 2016)."""

import torch
from torch import nn

from sakuga.importers.weights import Weights, fill
from sakuga.networks.johnson import TransformNet

TITLE = "fast neural style's network of the PyTorch examples"


def recognise(weights: Weights) -> str | None:
    """Say what the weights are, if they are of this layout."""
    plain = _plain(weights)
    return TITLE if {"conv1.weight", "res5.in2.weight", "deconv3.weight"} <= plain.keys() else None


def read(weights: Weights) -> TransformNet:
    """Return the network; its pixels of 0 to 255 become [-1, 1] within its first and last convolution, exactly."""
    layers = ["conv1", "in1", "conv2", "in2", "conv3", "in3"]
    for block in range(1, 6):
        layers += [f"res{block}.{layer}" for layer in ("conv1", "in1", "conv2", "in2")]
    layers += ["deconv1", "in4", "deconv2", "in5", "deconv3"]
    network = TransformNet(bounded=False)
    fill(network, [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")], _plain(weights), TITLE)
    first, last = network.body[0], network.body[-1]
    assert isinstance(first, nn.Conv2d)
    assert isinstance(last, nn.Conv2d)
    assert first.bias is not None
    assert last.bias is not None
    with torch.no_grad():
        first.weight.mul_(127.5)  # a pixel is 127.5 x + 127.5, also where the picture is reflected
        first.bias.add_(first.weight.sum((1, 2, 3)))
        last.weight.div_(127.5)
        last.bias.div_(127.5).sub_(1)
    return network


def _plain(weights: Weights) -> Weights:
    """The names without the wrapper around convolutions that newer files have and older ones have not."""
    return {name.replace(".conv2d.", "."): tensor for name, tensor in weights.items()}
