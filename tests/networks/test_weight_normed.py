"""The networks of Salimans et al.: published sizes, and their first weights fitted to data."""

import pytest
import torch
from torch import nn

from sakuga.networks.weight_normed import WeightNormedClassifier, WeightNormedGenerator, scale_to_data


def shapes(network):
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    return [tuple(module.weight.shape) for module in network.modules() if isinstance(module, kinds)]


def test_the_published_layers():
    assert shapes(WeightNormedGenerator()) == [
        (512 * 16, 100),
        (512, 256, 5, 5),
        (256, 128, 5, 5),
        (128, 3, 5, 5),
    ]
    wide = [(192, 192, 3, 3)] * 3 + [(192, 192, 1, 1)] * 2
    assert shapes(WeightNormedClassifier(10)) == [
        (96, 3, 3, 3),
        (96, 96, 3, 3),
        (96, 96, 3, 3),
        (192, 96, 3, 3),
        *wide,
        (10, 192),
    ]


@pytest.mark.parametrize("side", [16, 64])
def test_other_sides(side):
    picture = WeightNormedGenerator(5, width=4, side=side)(torch.randn(2, 5))
    assert picture.shape == (2, 3, side, side)
    features, logits = WeightNormedClassifier(3, width=4)(picture)
    assert (features.shape, logits.shape) == ((2, 12), (2, 3))
    with pytest.raises(ValueError, match="side must be a power of two, 8 or more, not 12"):
        WeightNormedGenerator(side=12)


def test_the_first_weights_give_every_layer_mean_0_and_deviation_1():
    torch.manual_seed(0)
    network = WeightNormedClassifier(3, width=4).eval()
    sample = torch.randn(6, 3, 16, 16)
    scale_to_data(network, sample)
    found = []
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda _layer, _inputs, output: found.append(output))
    network(sample)
    assert len(found) == 10
    for place, output in enumerate(found):
        channels = output.transpose(0, 1).flatten(1)
        assert channels.mean(1).abs().max() < 1e-4
        torch.testing.assert_close(
            channels.std(1, correction=0), torch.full((len(channels),), 1.0 if place < 9 else 0.1)
        )
