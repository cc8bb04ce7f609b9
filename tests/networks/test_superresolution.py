import pytest
import torch
from parity import assert_exports, count, picture
from torch import nn
from torch.testing import assert_close

from sakuga.networks.superresolution import SuperResolution


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("upsample", ["deconv", "resize"])
@pytest.mark.parametrize(("factor", "parameters"), [(4, 401_859), (8, 438_915)])
def test_parameter_counts(factor, parameters, upsample, norm):
    with torch.device("meta"):
        assert count(SuperResolution(factor, upsample=upsample, norm=norm)) == parameters


@pytest.mark.parametrize("upsample", ["deconv", "resize"])
@pytest.mark.parametrize("factor", [4, 8])
def test_enlarges_any_size(factor, upsample):
    network = SuperResolution(factor, width=4, blocks=1, upsample=upsample)
    for h, w in ((5, 5), (13, 18)):
        assert network(picture(2, 3, h, w)).shape == (2, 3, factor * h, factor * w)


@pytest.mark.parametrize("upsample", ["deconv", "resize"])
@pytest.mark.parametrize("factor", [4, 8])
def test_a_pixel_depends_on_no_more_than_the_receptive_field(factor, upsample):
    torch.manual_seed(0)
    network = SuperResolution(factor, width=4, blocks=2, upsample=upsample).eval()
    # Double precision and large weights: what reaches far is small, but not nothing.
    network = network.double()
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.1)
    image = picture(1, 3, 41, 41).double().requires_grad_()
    at = slice(20 * factor, 21 * factor)
    network(image)[..., at, at].sum().backward()
    rows = image.grad.abs().sum((0, 1, 3)).nonzero()
    reach = network.receptive_field // 2
    assert 20 - reach <= rows.min()
    assert rows.max() <= 20 + reach
    # Exact to one side, or the bound is a guess.
    assert rows.max() == 20 + reach
    assert SuperResolution(width=4, norm="instance").receptive_field == 0


def test_blocks_add_to_what_they_get_and_nothing_is_cut_off_after():
    network, seen = SuperResolution(width=4, blocks=1).eval(), {}
    nn.init.zeros_(network.blocks[0][2][1].weight)  # the gain of the block's last norm
    nn.init.constant_(network.blocks[0][2][1].bias, -0.5)
    network.head.register_forward_hook(lambda _m, _i, output: seen.update(before=output.clone()))
    network.tail.register_forward_hook(lambda _m, inputs, _o: seen.update(after=inputs[0].clone()))
    network(picture(1, 3, 8, 8))
    assert_close(seen["after"], seen["before"] - 0.5)
    assert seen["after"].min() == -0.5


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("upsample", ["deconv", "resize"])
def test_exports(upsample, norm):
    torch.manual_seed(0)
    network = SuperResolution(width=8, blocks=2, upsample=upsample, norm=norm)
    network(picture(4, 3, 16, 16))  # running statistics that are not those of the start
    assert_exports(network, (24, 24), (17, 30))


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="factor must be 4 or 8, not 3"):
        SuperResolution(3)
    with pytest.raises(ValueError, match="norm must be 'batch' or 'instance', not 'layer'"):
        SuperResolution(norm="layer")
    with pytest.raises(ValueError, match="upsample must be"):
        SuperResolution(upsample="bicubic")
