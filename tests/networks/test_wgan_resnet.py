"""WGAN-GP's networks: the published sizes, what each block does, and how they start."""

import math

import pytest
import torch
import torch.nn.functional as F

from sakuga.networks.wgan_resnet import ConditionalBatchNorm2d, ResidualBlock, WGANResNetCritic, WGANResNetGenerator


def count(network):
    return sum(weight.numel() for weight in network.parameters())


def test_the_published_networks_have_their_parameters():
    assert count(WGANResNetGenerator()) == 1_204_483
    assert count(WGANResNetCritic()) == 1_053_825
    assert count(WGANResNetCritic(classes=10)) == 1_053_825 + 1_290


@pytest.mark.parametrize("side", [16, 64])
def test_any_power_of_two(side):
    picture = WGANResNetGenerator(5, width=4, side=side, classes=3)(torch.randn(2, 5), torch.eye(3)[:2])
    assert picture.shape == (2, 3, side, side)
    assert picture.abs().max() <= 1
    score, logits = WGANResNetCritic(width=4, side=side, classes=3)(picture)
    assert (score.shape, logits.shape) == ((2, 1), (2, 3))
    with pytest.raises(ValueError, match="side must be a power of two, 16 or more, not 48"):
        WGANResNetCritic(side=48)


@pytest.mark.parametrize("kind", ["up", "down", "first", "plain"])
def test_a_block_is_the_sum_of_two_ways(kind):
    torch.manual_seed(0)
    resample = {"first": "down", "plain": None}.get(kind, kind)
    block = ResidualBlock(3, 3, resample=resample, norm=kind == "up", first=kind == "first").double()
    x = torch.randn(2, 3, 8, 8).double()

    def pooled(y):
        return F.avg_pool2d(y, 2)

    def twice(y):
        return y.repeat_interleave(2, 2).repeat_interleave(2, 3)

    def normed(y):
        return (y - y.mean((0, 2, 3), True)) / (y.var((0, 2, 3), False, keepdim=True) + 1e-5).sqrt()

    c1, c2, s = block.conv1, block.conv2, block.shortcut
    wanted = {
        "up": lambda: c2(F.relu(normed(c1(twice(F.relu(normed(x))))))) + s(twice(x)),
        "down": lambda: pooled(c2(F.relu(c1(F.relu(x))))) + pooled(s(x)),
        "first": lambda: pooled(c2(F.relu(c1(x)))) + s(pooled(x)),
        "plain": lambda: c2(F.relu(c1(F.relu(x)))) + x,
    }[kind]()
    torch.testing.assert_close(block(x), wanted)


def test_a_class_has_its_own_gain_and_bias():
    norm = ConditionalBatchNorm2d(2, 3).double()
    x, label = torch.randn(4, 2, 3, 3).double(), torch.eye(3)[[0, 1, 2, 1]].double()
    plain = F.batch_norm(x, None, None, training=True)
    torch.testing.assert_close(norm(x, label), plain)
    norm.gain.data[1], norm.shift.data[1] = 2.0, 5.0
    torch.testing.assert_close(norm(x, label)[[0, 2]], plain[[0, 2]])
    torch.testing.assert_close(norm(x, label)[[1, 3]], plain[[1, 3]] * 2 + 5)


def test_weights_start_evenly_and_biases_at_zero():
    torch.manual_seed(0)
    critic = WGANResNetCritic(width=64)
    block = critic.blocks[1]
    for layer, variance in ((block.conv1, 4), (block.shortcut, 2)):
        weight = layer.weight.detach()
        fan = 2 * 64 * weight[0, 0].numel()
        bound = math.sqrt(3 * variance / fan)
        assert weight.abs().max() <= bound
        assert weight.abs().max() > 0.98 * bound
        assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)
        assert not layer.bias.any()
