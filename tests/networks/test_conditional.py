"""Bodies of the teaching code with their published sizes, and heads."""

import torch

from sakuga.networks.conditional import Heads
from sakuga.networks.resize import ResizeGenerator, StridedTrunk


def count(network):
    return sum(weight.numel() for weight in network.parameters())


def test_the_published_networks_have_their_parameters():
    assert count(ResizeGenerator()) == 1_049_985
    assert count(Heads(StridedTrunk(), 512, 1)) == 98_113
    assert count(Heads(StridedTrunk(), 512, 1, 11)) == 98_113 + 5_643
    assert count(Heads(StridedTrunk(), 512, 1, 10)) == 98_113 + 5_130


def test_sides_and_features():
    trunk = StridedTrunk(3, width=8, side=48)
    picture = ResizeGenerator(5, channels=3, side=48, width=4)(torch.randn(2, 5))
    assert picture.shape == (2, 3, 48, 48)
    assert trunk(picture).flatten(1).shape == (2, trunk.features)
