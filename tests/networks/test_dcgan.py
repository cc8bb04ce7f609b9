"""DCGAN's bodies: the published sizes, and any power of two."""

import pytest
import torch

from sakuga.networks.dcgan import DCGANDiscriminator, DCGANGenerator


def count(network):
    return sum(weight.numel() for weight in network.parameters())


def test_the_published_networks_have_their_parameters():
    assert count(DCGANGenerator()) == 3_576_704
    assert count(DCGANDiscriminator()) == 2_765_568


@pytest.mark.parametrize("side", [8, 32, 128])
def test_any_power_of_two(side):
    picture = DCGANGenerator(5, channels=1, width=4, side=side)(torch.randn(2, 5))
    assert picture.shape == (2, 1, side, side)
    assert picture.abs().max() <= 1
    assert DCGANDiscriminator(1, width=4, side=side)(picture).shape == (2, 1)


@pytest.mark.parametrize("side", [4, 48])
def test_other_sides_are_refused(side):
    with pytest.raises(ValueError, match="side must be a power of two, 8 or more"):
        DCGANGenerator(side=side)
