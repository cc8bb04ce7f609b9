"""Architectures against the published parameter counts, shapes and laws."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sakuga.errors import SakugaError, UsageError
from sakuga.networks.cartoongan import CartoonGANDiscriminator, CartoonGANGenerator
from sakuga.networks.fast import FastGenerator
from sakuga.networks.features import FeatureNetwork
from sakuga.networks.freeze import freeze_statistics
from sakuga.networks.johnson import TransformNet
from sakuga.networks.patchgan import PatchGAN


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (CartoonGANGenerator, 11_129_667),
        (CartoonGANDiscriminator, 1_129_665),
        (PatchGAN, 2_764_737),
        (TransformNet, 1_679_235),
        # 48→64 and 64→48 at the ends, 2 · 4 convolutions 64→64 between: 9·48·64 + 64 + 8·(9·64·64 + 64) + 9·64·48 + 48.
        (FastGenerator, 350_832),
    ],
)
def test_parameter_counts(network, parameters):
    assert count(network()) == parameters


@pytest.mark.parametrize(
    ("name", "last", "parameters"), [("vgg19", "conv4_4", 10_585_152), ("vgg16", "conv4_3", 7_635_264)]
)
def test_feature_network_counts(name, last, parameters):
    with pytest.warns(UserWarning, match="random weights"):
        assert count(FeatureNetwork(name, [last], weights="random:0")) == parameters


@pytest.mark.parametrize(
    "network", [FastGenerator(), FastGenerator(residual=False), FastGenerator(blocks=1, reflect=True), TransformNet()]
)
def test_generators_keep_the_size(network):
    for height, width in ((32, 32), (36, 64)):
        assert network.eval()(torch.zeros(2, 3, height, width)).shape == (2, 3, height, width)


def test_cartoongan_rounds_sizes_up_to_four():
    with torch.inference_mode():
        assert CartoonGANGenerator(blocks=1, width=4)(torch.zeros(1, 3, 337, 45)).shape == (1, 3, 340, 48)


def test_patchgan_judges_30_by_30_patches():
    assert PatchGAN()(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)
    assert CartoonGANDiscriminator()(torch.zeros(1, 3, 64, 64)).shape == (1, 1, 16, 16)


def test_fast_generator_starts_near_the_photo():
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    torch.manual_seed(0)
    assert (FastGenerator()(image) - image).abs().mean() < 0.1


def test_reflection_hides_the_border():
    """A flat picture comes out flat up to its border, and the inside is what it is without reflection."""
    torch.manual_seed(0)
    plain, reflecting = FastGenerator(width=8, blocks=1), FastGenerator(width=8, blocks=1, reflect=True)
    reflecting.load_state_dict(plain.state_dict())
    flat = torch.full((1, 3, 64, 64), 0.3)
    painted = reflecting(flat)
    assert_close(painted, painted[..., :4, :4].repeat(1, 1, 16, 16), atol=1e-6, rtol=0)
    assert not torch.allclose(plain(flat), painted, atol=1e-4)
    image = torch.rand(1, 3, 64, 64)
    assert_close(reflecting(image)[..., 16:-16, 16:-16], plain(image)[..., 16:-16, 16:-16])


@pytest.mark.parametrize("network", [FastGenerator(width=8, blocks=2), FastGenerator(width=8, blocks=1, factor=2)])
def test_receptive_field_is_as_stated(network):
    """The gradient of one output square touches exactly the stated extent of the input."""
    nn.init.normal_(network.tail.weight)
    image = torch.rand(1, 3, 160, 160, requires_grad=True)
    f = network.multiple
    network(image)[..., 80 : 80 + f, 80 : 80 + f].sum().backward()
    rows = image.grad.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == network.receptive_field


def test_frozen_statistics_equal_instance_norm_on_their_own_picture():
    torch.manual_seed(0)
    network = CartoonGANGenerator(width=4, blocks=1, eps=1e-5).eval()
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.inference_mode():
        wanted = network(image)
        frozen = freeze_statistics(network, [image])
        assert_close(frozen(image), wanted, atol=1e-5, rtol=1e-4)
        # Local now: what is far away no longer matters.
        other = image.clone()
        other[..., -1] = 1.0
        assert not torch.equal(frozen(other)[..., -1], frozen(image)[..., -1])
    with pytest.raises(ValueError, match="no instance norm"):
        freeze_statistics(frozen, [image])


def test_frozen_networks_work_in_tiles():
    torch.manual_seed(0)
    network = CartoonGANGenerator(width=4, blocks=1).eval()
    image = torch.rand(1, 3, 160, 32) * 2 - 1
    with torch.inference_mode():
        assert not torch.allclose(network(image)[:, :, :32], network(image[:, :, :96])[:, :, :32], atol=1e-3)
        freeze_statistics(network, [image])
        assert_close(network(image)[:, :, :32], network(image[:, :, :96])[:, :, :32])


def save_flax(path, network):
    """Write a feature network's weights in the layout of the published archive."""
    stored = {}
    for i, conv in enumerate(m for m in network.steps.values() if isinstance(m, nn.Conv2d)):
        stored[f"VGG16_0/Conv_{i}/kernel"] = conv.weight.permute(2, 3, 1, 0).numpy()
        stored[f"VGG16_0/Conv_{i}/bias"] = conv.bias.numpy()
    stored["NetLinLayer_0/Conv_0/kernel"] = np.arange(64, dtype=np.float32).reshape(1, 1, 64, 1)
    np.savez(path, **stored)


@pytest.mark.filterwarnings("ignore:feature losses use")
class TestFeatureNetwork:
    def test_layers_by_name(self):
        network = FeatureNetwork("vgg16", ["conv1_2", "relu1_2", "relu2_1"], weights="random:0")
        found = network(torch.zeros(1, 3, 32, 32))
        assert list(found) == ["conv1_2", "relu1_2", "relu2_1"]
        assert_close(found["relu1_2"], found["conv1_2"].relu())
        assert found["relu2_1"].shape == (1, 128, 16, 16)
        assert list(network(torch.zeros(1, 3, 32, 32), ["relu1_2"])) == ["relu1_2"]

    def test_input_convention(self):
        """A picture of ImageNet's mean colour is zero to the first convolution."""
        network = FeatureNetwork("vgg16", ["conv1_1"], weights="random:0")
        mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1).expand(1, 3, 8, 8) * 2 - 1
        assert network(mean)["conv1_1"].abs().max() < 1e-5

    def test_weights_from_files(self, tmp_path):
        made = FeatureNetwork("vgg16", ["relu1_2"], weights="random:3")
        save_flax(tmp_path / "vgg16.npz", made)
        torch.save({f"features.{i}.{part}": getattr(conv, part) for i, conv in
                    zip((0, 2), (made.steps["conv1_1"], made.steps["conv1_2"]), strict=True)
                    for part in ("weight", "bias")}, tmp_path / "vgg16.pth")  # fmt: skip
        image = torch.rand(1, 3, 8, 8)
        for file in ("vgg16.npz", "vgg16.pth"):
            read = FeatureNetwork("vgg16", ["relu1_2"], weights=tmp_path / file)
            assert_close(read(image)["relu1_2"], made(image)["relu1_2"])
            assert file in read.source
        assert_close(
            FeatureNetwork("vgg16", ["relu1_2"], weights=tmp_path / "vgg16.npz").heads["relu1_2"], torch.arange(64.0)
        )

    def test_what_cannot_be_loaded(self, tmp_path):
        with pytest.raises(UsageError, match="no layer relu9"):
            FeatureNetwork("vgg16", ["relu9"], weights="random:0")
        with pytest.raises(UsageError, match="unknown feature network"):
            FeatureNetwork("resnet", ["relu1"], weights="random:0")
        with pytest.raises(UsageError, match="no weights of vgg16"):
            FeatureNetwork("vgg16", ["relu1_1"], weights=tmp_path / "none.npz")
        (tmp_path / "bad.npz").write_bytes(b"nothing")
        with pytest.raises(SakugaError, match="cannot be read"):
            FeatureNetwork("vgg16", ["relu1_1"], weights=tmp_path / "bad.npz")
        save_flax(tmp_path / "short.npz", FeatureNetwork("vgg16", ["relu1_2"], weights="random:0"))
        with pytest.raises(SakugaError, match="holds 2 convolutions"):
            FeatureNetwork("vgg16", ["relu2_1"], weights=tmp_path / "short.npz")
        torch.save(
            {"features.0.weight": torch.zeros(4, 3, 3, 3), "features.0.bias": torch.zeros(4)}, tmp_path / "x.pth"
        )
        with pytest.raises(SakugaError, match="is not vgg16"):
            FeatureNetwork("vgg16", ["relu1_1"], weights=tmp_path / "x.pth")

    def test_gradients_flow_through_but_not_in(self):
        network = FeatureNetwork("alexnet", ["relu2"], weights="random:0")
        image = torch.rand(1, 3, 64, 64, requires_grad=True)
        network(image)["relu2"].sum().backward()
        assert image.grad.abs().sum() > 0
        assert all(p.grad is None for p in network.parameters())
