"""StarGAN's and RelGAN's networks: published sizes, shapes and starts, and switchable norm by its equations."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sakuga.networks.relgan import RelGANDiscriminator
from sakuga.networks.stargan import StarGANDiscriminator, StarGANGenerator, init_he
from sakuga.networks.switch_norm import SwitchNorm


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_published_sizes():
    with torch.device("meta"):
        assert count(StarGANGenerator(5)) == 8_430_528
        assert count(StarGANDiscriminator(5)) == 44_762_048
        assert count(StarGANGenerator(17, norm="switch")) == 8_471_977
        source, classes = StarGANDiscriminator(5)(torch.empty(2, 3, 128, 128, device="meta"))
    assert (source.shape, classes.shape) == ((2, 1, 2, 2), (2, 5))


def test_published_sizes_of_relgan():
    with torch.device("meta"):
        network = RelGANDiscriminator(17)
        assert count(network) == 53_165_010
        real, degree, features = network(torch.empty(2, 3, 256, 256))
        matched = network.match(features, torch.empty(2, 17), features)
    assert (real.shape, degree.shape, features.shape) == ((2, 1, 4, 4), (2,), (2, 2048, 4, 4))
    assert matched.shape == (2, 1, 4, 4)


@pytest.mark.parametrize("norm", ["instance", "switch"])
def test_labels_reach_the_picture(norm):
    torch.manual_seed(0)
    network = StarGANGenerator(2, width=4, blocks=1, norm=norm).eval()
    image = torch.rand(1, 3, 16, 20) * 2 - 1
    with torch.no_grad():
        plain, asked = (network(image, torch.tensor([label])) for label in ([0.0, 0.0], [1.0, 0.0]))
    assert plain.shape == image.shape
    assert (plain - asked).abs().max() > 1e-3


def test_a_side_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="a multiple of 8, not 20"):
        StarGANDiscriminator(side=20, layers=3)


def test_he_start():
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 64, 3)
    init_he(nn.Sequential(layer))
    assert layer.weight.std().item() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.02)
    assert not layer.bias.any()


def test_switch_norm_mixes_the_three_norms():
    torch.manual_seed(0)
    norm, x = SwitchNorm(3).double(), torch.randn(2, 3, 4, 5).double() * 2 + 1
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.uniform_(-1, 1)
    var, mean = torch.var_mean(x, (2, 3))
    square = var + mean**2
    means = mean, mean.mean(1, keepdim=True).expand(2, 3), mean.mean(0).expand(2, 3)
    variances = (
        var,
        (square.mean(1) - mean.mean(1) ** 2)[:, None].expand(2, 3),
        (square.mean(0) - mean.mean(0) ** 2).expand(2, 3),
    )
    w, v = norm.mean_weight.softmax(0), norm.var_weight.softmax(0)
    mu, var = (sum(a * b for a, b in zip(s, parts, strict=True)) for s, parts in ((w, means), (v, variances)))
    plain = (x - mu[..., None, None]) / (var[..., None, None] + 1e-5).sqrt()
    assert_close(norm(x), plain * norm.weight[:, None, None] + norm.bias[:, None, None])
    assert_close(norm.running_mean, 0.1 * means[2][0])
    norm.eval()
    assert_close(norm(x)[:1], norm(x[:1]))
