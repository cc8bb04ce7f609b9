"""AdaIN's decoder and encoder (Huang, Belongie, ICCV 2017) as published with pytorch-AdaIN."""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sakuga.errors import SakugaError
from sakuga.importers.weights import ADAIN, Weights, fill, in_order, shape
from sakuga.networks import features
from sakuga.networks.adain import Decoder, Encoder, FixedStyle, Painter
from sakuga.networks.features import FeatureNetwork

TITLE = "AdaIN's decoder"
LAST = 29  # index of conv4_1 in the published encoder, which goes on to relu5_4


def recognise(weights: Weights) -> str | None:
    """Say what the weights are, if they are of this layout: the decoder, with or without its encoder."""
    decoder = "decoder.1.weight" if "decoder.1.weight" in weights else "1.weight"
    return TITLE if shape(weights, decoder) == (*features.WIDTHS[2:4], 3, 3) else None


def read(weights: Weights) -> Painter:
    """Return encoder and decoder; their colours of 0 to 1 become [-1, 1] within the first and last convolution.

    Raises:
        SakugaError: one of the two is missing.
    """
    if "decoder.1.weight" not in weights or "vgg_normalised.0.weight" not in weights:
        raise SakugaError(f"AdaIN is two files: name the folder that holds both {' and '.join(ADAIN)}.pth.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of random weights: they are replaced below
        encoder = Encoder(FeatureNetwork("vgg19", ("relu4_1",), weights="random:0"))
    decoder = Decoder()
    parts = {name: {k: v for k, v in weights.items() if k.startswith(f"{name}.")} for name in ADAIN}
    used = {k: v for k, v in parts["vgg_normalised"].items() if int(k.split(".")[1]) <= LAST}
    fill(encoder, in_order(used, ""), used, "AdaIN's encoder")
    fill(decoder, in_order(parts["decoder"], ""), parts["decoder"], TITLE)
    colour, last = encoder.steps["colour"], decoder.body[-1]
    assert isinstance(colour, nn.Conv2d)
    assert isinstance(last, nn.Conv2d)
    assert colour.bias is not None
    assert last.bias is not None
    with torch.no_grad():
        colour.weight.div_(2)  # a colour is x / 2 + 1 / 2
        colour.bias.add_(colour.weight.sum((1, 2, 3)))
        last.weight.mul_(2)
        last.bias.mul_(2).sub_(1)
    return Painter(encoder, decoder)


def fix(painter: Painter, pictures: Sequence[Tensor]) -> FixedStyle:
    """Return the network that paints in the style of pictures (1, 3, H, W), of several in equal parts."""
    return FixedStyle(painter.encoder, painter.decoder, pictures)
