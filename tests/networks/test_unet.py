import copy

import pytest
import torch
from parity import assert_exports, count, picture
from torch import nn
from torch.testing import assert_close

from sakuga.networks.patchgan import PatchGAN
from sakuga.networks.unet import UNet, per_picture


@pytest.mark.parametrize(
    ("levels", "channels", "parameters"),
    [
        (8, 3, 54_413_955),
        # One stage less: a convolution 512·512·16, its inverse 1024·512·16, two batch norms of 2·512 = 12,584,960.
        (7, 3, 41_828_995),
        # APDrawingGAN's distance network, one channel to one.
        (9, 1, 66_992_769),
    ],
)
def test_parameter_counts(levels, channels, parameters):
    with torch.device("meta"):
        assert count(UNet(channels, channels, levels=levels)) == parameters


def test_discriminator_counts():
    with torch.device("meta"):
        assert count(PatchGAN(6, norm="batch")) == 2_768_705
        assert count(PatchGAN()) == 2_764_737
        assert count(PatchGAN(norm=None)) == 2_764_737  # instance norm has no parameters


@pytest.mark.parametrize(("strided", "side"), [(1, 16), (2, 34), (3, 70), (4, 142)])
def test_patches_have_the_stated_side(strided, side):
    image = picture(1, 3, 160, 160).requires_grad_()
    scores = PatchGAN(width=2, strided=strided, norm=None)(image)
    middle = scores.shape[2] // 2
    scores[..., middle, middle].sum().backward()
    rows = image.grad.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == side


def test_only_convolutions_before_batch_norm_lack_a_bias():
    def biased(network):
        return [m.bias is not None for m in network.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]

    assert biased(PatchGAN(width=2, norm="batch")) == [True, False, False, False, True]
    assert biased(PatchGAN(width=2)) == [True] * 5
    assert biased(UNet(width=2, levels=3)) == [False, False, False, False, False, True]
    assert biased(UNet(width=2, levels=3, norm="instance")) == [True] * 6


def test_shapes_and_the_join():
    torch.manual_seed(0)
    network = UNet(4, 1, width=2, levels=4).eval()
    seen = {}
    network.down[0].register_forward_hook(lambda _m, _i, output: seen.update(first=output.clone()))
    network.last[1].register_forward_hook(lambda _m, inputs, _o: seen.update(last=inputs[0]))
    assert network(picture(1, 4, 32, 48)).shape == (1, 1, 32, 48)
    assert_close(seen["last"][:, :2], seen["first"].relu())  # the encoder's channels come first
    assert network.multiple == 16


@pytest.mark.parametrize(
    ("levels", "option", "stages"), [(8, None, [2, 3, 4]), (7, None, [2, 3]), (8, (1, 2, 3), [1, 2, 3]), (8, (), [])]
)
def test_dropout_stages(levels, option, stages):
    network = UNet(width=1, levels=levels, dropout=option)
    assert [i for i, up in enumerate(network.up, start=1) if isinstance(up[-1], nn.Dropout)] == stages


def test_innermost_level_and_ends_have_no_norm():
    network = UNet(width=1, levels=4)
    assert isinstance(network.down[0], nn.Conv2d)
    assert [isinstance(down[-1], nn.BatchNorm2d) for down in network.down[1:]] == [True, True, False]
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.last)
    assert network.train()(picture(2, 3, 16, 16)).isfinite().all()  # one pixel in the middle


def test_starts_from_a_narrow_normal():
    torch.manual_seed(0)
    network = UNet(width=16, levels=4)
    weights = torch.cat([m.weight.flatten() for m in network.modules() if hasattr(m, "weight") and m.weight.ndim == 4])
    gains = torch.cat([m.weight.flatten() for m in network.modules() if isinstance(m, nn.BatchNorm2d)])
    assert abs(weights.std() - 0.02) < 2e-4  # some 4e5 weights
    assert abs(gains.mean() - 1) < 0.01
    assert abs(gains.std() - 0.02) < 0.005  # 272 gains: known to 0.02 / √544 = 9e-4


def test_noise_is_dropout_and_a_choice():
    torch.manual_seed(0)
    network = UNet(width=8, levels=5, dropout=(1, 2)).eval()
    image = picture(1, 3, 32, 32)
    assert torch.equal(network(image), network(image))
    network.noise()
    assert not torch.equal(network(image), network(image))
    assert not any(m.training for m in network.modules() if isinstance(m, nn.BatchNorm2d))
    assert torch.equal(network.noise(False)(image), network(image))


def test_per_picture_is_the_batch_statistics_of_one_picture():
    torch.manual_seed(0)
    network = UNet(width=4, levels=4, dropout=()).train()
    for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    image = picture(2, 3, 32, 32)
    own = per_picture(copy.deepcopy(network)).eval()
    one_by_one = torch.cat([network(each[None]) for each in image])
    assert_close(own(image), one_by_one, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(network(image), one_by_one, atol=1e-3)


@pytest.mark.parametrize("norm", ["batch", "instance", "per picture"])
def test_exports(norm):
    torch.manual_seed(0)
    network = UNet(width=8, levels=5, norm="instance" if norm == "instance" else "batch")
    network(picture(4, 3, 32, 32))  # running statistics that are not those of the start
    if norm == "per picture":
        per_picture(network)
    assert_exports(network, (64, 64), (32, 96))


def test_wrong_options_are_refused():
    for build in (UNet, PatchGAN):
        with pytest.raises(ValueError, match="norm must be"):
            build(norm="layer")
    with pytest.raises(ValueError, match="levels must be 2 or more, not 1"):
        UNet(levels=1)
