import pytest
import torch
from parity import assert_exports, count, picture
from torch import nn
from torch.testing import assert_close

from sakuga.networks.layers import enlarge
from sakuga.networks.resnet import ResidualBlock, ResNetGenerator


@pytest.mark.parametrize("upsample", ["deconv", "resize"])
@pytest.mark.parametrize(("blocks", "parameters"), [(9, 11_378_179), (6, 7_837_699)])
def test_parameter_counts(blocks, parameters, upsample):
    with torch.device("meta"):
        assert count(ResNetGenerator(blocks=blocks, upsample=upsample)) == parameters


@pytest.mark.parametrize("upsample", ["deconv", "resize"])
@pytest.mark.parametrize(("size", "wanted"), [((32, 48), (32, 48)), ((33, 46), (36, 48)), ((5, 5), (8, 8))])
def test_sizes_are_rounded_up_to_multiples_of_four(size, wanted, upsample):
    network = ResNetGenerator(width=4, blocks=1, upsample=upsample)
    assert network(picture(2, 3, *size)).shape == (2, 3, *wanted)


@pytest.mark.parametrize("how", [{"upsample": "deconv"}, {"upsample": "resize"}, {"antialias": True}])
def test_exports(how):
    torch.manual_seed(0)
    assert_exports(ResNetGenerator(width=8, blocks=2, **how), (64, 64), (40, 92), (37, 50))


def test_starts_from_a_narrow_normal():
    torch.manual_seed(0)
    network = ResNetGenerator(width=16, blocks=2)
    weights = torch.cat([p.flatten() for name, p in network.named_parameters() if name.endswith("weight")])
    # 127,000 weights: the deviation is known to 0.02 / √254,000 = 4e-5.
    assert abs(weights.std() - 0.02) < 2e-4
    assert abs(weights.mean()) < 3e-4
    assert all(not p.any() for name, p in network.named_parameters() if name.endswith("bias"))


def test_nothing_is_cut_off_after_a_residual_sum():
    block = ResidualBlock(2)
    nn.init.zeros_(block.body[3].weight)
    x = picture(1, 2, 8, 8)
    assert_close(block(x), x)
    assert x.min() < 0


def test_resizing_keeps_flat_pictures_flat_and_deconvolution_does_not():
    """With all weights one, a 3×3 window always covers nine ones; the transposed one 1, 2 or 4 of them."""
    ones = torch.ones(1, 1, 6, 6)
    patterns = {}
    for how in ("deconv", "resize"):
        layers = nn.Sequential(*enlarge(1, 1, how))
        nn.init.ones_(layers[-1].weight)
        nn.init.zeros_(layers[-1].bias)
        patterns[how] = set(layers(ones)[0, 0, 2:-2, 2:-2].flatten().tolist())
    assert patterns == {"deconv": {1.0, 2.0, 4.0}, "resize": {9.0}}


def test_unknown_upsampling_is_refused():
    with pytest.raises(ValueError, match="upsample must be 'deconv' or 'resize', not 'bilinear'"):
        ResNetGenerator(upsample="bilinear")
