"""Networks that measure the whole picture, with what they measured given to them."""

import math
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from sakuga.export.tileable import make_tileable, receptive_field
from sakuga.export.trace import open_model, trace
from sakuga.networks.adain import Decoder, Encoder, FixedStyle
from sakuga.networks.animegan import AnimeGANGenerator, AnimeGANv2Generator
from sakuga.networks.animegan3 import AnimeGANv3Generator
from sakuga.networks.cartoongan import CartoonGANGenerator
from sakuga.networks.features import FeatureNetwork
from sakuga.networks.resnet import ResNetGenerator
from sakuga.networks.ugatit import UGATITGenerator
from sakuga.systems.artefact import Artefact


class LessItsMean(nn.Module):
    """Three numbers measured: y = conv(x) - mean of x. Its 5x5 convolution looks two pixels to every side."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 5, padding=2)

    def forward(self, x):
        return self.conv(x) - x.mean((2, 3), keepdim=True)


class SelfAttention(nn.Module):
    """Every position with every other one: nothing that could be measured beforehand."""

    multiple = 32

    def forward(self, x):
        x = torch.nn.functional.avg_pool2d(x, 32)
        flat = x.flatten(2)
        y = (flat.transpose(1, 2) @ flat).softmax(2) @ flat.transpose(1, 2)
        return torch.nn.functional.interpolate(y.transpose(1, 2).reshape(x.shape), scale_factor=32.0)


NETWORKS = {
    "animegan": lambda: AnimeGANGenerator(width=4, blocks=1),
    "animegan2": lambda: AnimeGANv2Generator(width=4, blocks=1),
    "animegan3": lambda: AnimeGANv3Generator(width=4),
    "cartoongan": lambda: CartoonGANGenerator(width=4, blocks=1, bgr=True),
    "cyclegan": lambda: ResNetGenerator(width=4, blocks=1),
    "cut": lambda: ResNetGenerator(width=4, blocks=1, antialias=True),
    "ugatit": lambda: UGATITGenerator(width=4, blocks=1),
    "ugatit full": lambda: UGATITGenerator(width=4, blocks=1, light=False, size=64),
}


def artefact(network):
    return Artefact(network.eval(), multiple=getattr(network, "multiple", 1))


def made(network):
    return make_tileable(trace(artefact(network)), artefact(network))


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (1, 3, height, width)).astype(np.float32)


def frozen(session, image, given):
    return session.run(["stylised"], {"image": image, "frozen": np.array(True), "given": given})[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_generator(name):
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    plain = trace(artefact(network))
    before = open_model(plain).run(None, {"image": noise(128, 192)})[0]
    model = make_tileable(plain, artefact(network))
    onnx.checker.check_model(model)
    session = open_model(model)
    image = noise(128, 192)
    np.testing.assert_array_equal(session.run(["stylised"], {"image": image})[0], before)
    same, given = session.run(None, {"image": image, "measure": np.array(True)})
    np.testing.assert_array_equal(same, before)
    np.testing.assert_allclose(frozen(session, image, given), before, atol=1e-5)
    # Statistics of another picture give another one: they are used.
    other = session.run(["statistics"], {"image": 0.3 * noise(64, 64, 1), "measure": np.array(True)})[0]
    assert np.abs(frozen(session, image, other) - before).mean() > 1e-3
    # And frozen, the network is local: what is cut off by more than its receptive field does not matter.
    field = receptive_field(model, replace(artefact(network), multiple=8))
    assert 20 < field < 128
    margin = math.ceil(field / 2 / 8) * 8
    part = frozen(session, image[..., : 64 + margin], given)
    np.testing.assert_allclose(part[..., :64], before[..., :64], atol=1e-5)


@pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")
def test_adain():
    """Mean and deviation of 512 channels; its receptive field is left to those who have the time."""
    vgg = FeatureNetwork("vgg16", ["relu4_1"], weights="random:0")
    session = open_model(made(FixedStyle(Encoder(vgg), Decoder("vgg16"), [torch.from_numpy(noise(64, 64, 1))])))
    whole, given = session.run(None, {"image": noise(64, 64), "measure": np.array(True)})
    assert given.shape == (1024,)
    np.testing.assert_allclose(frozen(session, noise(64, 64), given), whole, atol=1e-5)
    assert np.abs(frozen(session, noise(64, 64), 2 * given) - whole).mean() > 1e-4


def test_a_value_without_positions_by_hand():
    torch.manual_seed(0)
    network = LessItsMean().eval()
    model = made(network)
    session, image = open_model(model), noise(40, 50)
    (statistics,) = session.run(["statistics"], {"image": image, "measure": np.array(True)})
    np.testing.assert_allclose(statistics, image.mean((0, 2, 3)), atol=1e-6)
    with torch.no_grad():
        wanted = network.conv(torch.from_numpy(image)).numpy() - np.array([0.1, 0.2, 0.3]).reshape(1, 3, 1, 1)
    given = np.array([0.1, 0.2, 0.3], np.float32)
    np.testing.assert_allclose(frozen(session, image, given), wanted.clip(-1, 1), atol=1e-5)
    assert receptive_field(model, artefact(network)) == 5


def test_instance_norm_by_hand():
    """With mean 1 and variance 4 given, x becomes (x - 1) / 2, but for ε."""
    network = nn.InstanceNorm2d(3)
    model = made(network)
    session, image = open_model(model), noise(16, 16)
    given = np.array([1, 1, 1, 4, 4, 4], np.float32)
    np.testing.assert_allclose(frozen(session, image, given), (image - 1) / 2, atol=1e-5)
    (measured,) = session.run(["statistics"], {"image": image, "measure": np.array(True)})
    np.testing.assert_allclose(measured, [*image.mean((0, 2, 3)), *image.var((0, 2, 3))], atol=1e-6)
    assert receptive_field(model, artefact(network)) == 1


def test_a_network_that_measures_nothing_stays_as_it_is():
    network = artefact(nn.Conv2d(3, 3, 3, padding=1))
    model = trace(network)
    before = model.SerializeToString()
    assert make_tileable(model, network).SerializeToString() == before
    assert receptive_field(model, network) == 3


def test_what_cannot_be_given_is_found_out():
    network = SelfAttention()
    assert receptive_field(made(network), artefact(network)) == 0
