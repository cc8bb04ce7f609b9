"""StarGAN v2's networks: published sizes and shapes, and their blocks by hand."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from sakuga.networks.starganv2 import (
    AdaIN,
    MappingNetwork,
    ResBlock,
    StarGANv2Discriminator,
    StarGANv2Generator,
    StyledBlock,
    StyleEncoder,
    face_masks,
    pick,
)


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_published_sizes():
    with torch.device("meta"):
        assert count(StarGANv2Generator()) == 33_892_995
        assert count(StarGANv2Generator(high_pass=1.0)) == 43_467_395
        for domains, sizes in ((2, (2_438_272, 20_916_928, 20_852_290)), (3, (3_259_072, 20_949_760, 20_852_803))):
            networks = MappingNetwork(domains), StyleEncoder(domains), StarGANv2Discriminator(domains)
            assert tuple(map(count, networks)) == sizes
        image, style = torch.empty(1, 3, 256, 256), torch.empty(1, 64)
        for high_pass, side in ((0.0, 16), (1.0, 8)):
            network, seen = StarGANv2Generator(high_pass=high_pass), []
            network.encode[-1].register_forward_hook(lambda *given, seen=seen: seen.append(given[2].shape))
            assert network(image, style).shape == image.shape
            assert seen == [(1, 512, side, side)]
        assert StyleEncoder(2)(image, torch.empty(1, 2)).shape == (1, 64)


def test_a_block_halves_and_keeps_the_variance():
    torch.manual_seed(0)
    block, x = ResBlock(3, 5, norm=True, down=True).double(), torch.randn(2, 3, 8, 8).double()
    long = block.conv1(F.leaky_relu(F.instance_norm(x), 0.2))
    long = block.conv2(F.leaky_relu(F.instance_norm(F.avg_pool2d(long, 2)), 0.2))
    assert_close(block(x), (F.avg_pool2d(F.conv2d(x, block.shortcut.weight), 2) + long) / 2**0.5)


def test_a_styled_block_enlarges():
    torch.manual_seed(0)
    block, x, s = StyledBlock(4, 3, 6, up=True).double(), torch.randn(2, 4, 8, 8).double(), torch.randn(2, 6).double()
    larger = nn.Upsample(scale_factor=2)
    long = block.conv2(F.leaky_relu(block.norm2(block.conv1(larger(F.leaky_relu(block.norm1(x, s), 0.2))), s), 0.2))
    assert_close(block(x, s), (F.conv2d(larger(x), block.shortcut.weight) + long) / 2**0.5)
    block.short = False
    assert_close(block(x, s), long)


def test_adain_scales_by_one_plus_the_style():
    torch.manual_seed(0)
    norm, x, s = AdaIN(4, 3).double(), torch.randn(2, 3, 5, 5).double() * 3 + 1, torch.randn(2, 4).double()
    gain, bias = norm.linear(s).chunk(2, 1)
    assert_close(norm(x, s), (1 + gain[..., None, None]) * F.instance_norm(x) + bias[..., None, None])


def test_a_domain_is_picked_by_number_or_one_hot():
    each, domain = torch.rand(4, 3, 2), torch.tensor([2, 0, 1, 1])
    expected = torch.stack([each[i, k] for i, k in enumerate(domain)])
    assert_close(pick(each, domain), expected)
    assert_close(pick(each, F.one_hot(domain, 3).float()), expected)


def test_masks_of_a_face():
    """All landmarks let through at 32 pixels, eyes and nose alone beyond."""
    maps = torch.zeros(3, 98, 2, 2)
    maps[0, 10], maps[1, 55], maps[2, 80] = 1.0, 0.25, 2.0  # jaw, nose, mouth
    first, second = face_masks(maps)
    assert first[:, 0, 0, 0].tolist() == [1, 0.25, 1]
    assert second[:, 0, 0, 0].tolist() == [0, 0.25, 0]


def test_high_frequencies_pass_by_the_style():
    torch.manual_seed(0)
    network = StarGANv2Generator(64, 4, width=4, most=8, high_pass=2.0)
    flat, edge = torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 5, 5)
    edge[0, 0, 2, 2] = 1
    assert_close(network._high(flat)[..., 1:-1, 1:-1], torch.zeros(1, 1, 2, 2))
    assert network._high(edge)[0, 0, 1:4, 1:4].tolist() == [[-0.5] * 3, [-0.5, 4, -0.5], [-0.5] * 3]
