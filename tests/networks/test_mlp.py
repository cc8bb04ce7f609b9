"""Fully connected bodies: the published sizes, and points."""

import pytest
import torch
from torch import nn

from sakuga.networks.mlp import MLPDiscriminator, MLPGenerator


def count(network):
    return sum(weight.numel() for weight in network.parameters())


def test_the_published_networks_have_their_parameters():
    assert count(MLPGenerator()) == 1_510_032
    assert count(MLPDiscriminator()) == 533_505


def test_pictures_and_points():
    picture = MLPGenerator(5, channels=3, side=8, widths=(4, 6))(torch.randn(2, 5))
    assert picture.shape == (2, 3, 8, 8)
    assert picture.abs().max() <= 1
    point = MLPGenerator(5, channels=2, side=1, widths=(4,), norm=False, slope=0, tanh=False)(torch.randn(3, 5))
    assert MLPDiscriminator(2, side=1, widths=(4, 4), dropout=0.5, extra=0)(point).shape == (3, 1)


def test_norm_and_dropout_stand_behind_all_hidden_layers_but_the_first():
    generator = [type(layer) for layer in MLPGenerator(5, widths=(4, 6)).body]
    assert generator == [nn.Linear, nn.LeakyReLU, nn.Linear, nn.BatchNorm1d, nn.LeakyReLU, nn.Linear, nn.Tanh]
    discriminator = [type(layer) for layer in MLPDiscriminator(side=2, widths=(4, 6), dropout=0.4, slope=0).body]
    assert discriminator == [nn.Linear, nn.ReLU, nn.Linear, nn.Dropout, nn.ReLU, nn.Linear]
    assert MLPGenerator().body[3].eps == pytest.approx(1e-5)
