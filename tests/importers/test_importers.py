"""Each layout: the published names and counts, and pictures equal to those of a plain network of these names."""

import numpy as np
import pytest
import torch
from published import (
    Animegan2,
    Cartoongan,
    FastNeuralStyle,
    Ugatit,
    adain,
    count,
    randomised,
    resnet,
    unet,
)
from torch import nn

from sakuga import importers
from sakuga.importers.adain import fix


def picture(height, width, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed)).double() * 2 - 1


def save(weights, path):
    torch.save(weights, path)
    return path


def assert_same(theirs, ours, size=(64, 48), to=lambda x: x, back=lambda y: y):
    """Both in double precision, so that only what is computed counts; `to` and `back` are the project's range."""
    x = picture(*size)
    with torch.inference_mode():
        wanted, found = back(theirs.double()(to(x))), ours.double()(x)
    assert found.shape == wanted.shape
    assert wanted.std() > 0.01
    assert (found - wanted).abs().max() < 1e-5


class TestNames:
    """The networks of `published` have the names, counts and dropout-shifted indices of the specifications."""

    @pytest.mark.parametrize(
        ("network", "parameters", "tensors", "some"),
        [
            (lambda: resnet(), 11_378_179, 48, ("model.10.conv_block.5.weight", "model.19.bias", "model.26.weight")),
            (lambda: resnet(dropout=True), 11_378_179, 48, ("model.18.conv_block.6.weight", "model.26.bias")),
            (lambda: resnet(blocks=6), 7_837_699, 36, ("model.15.conv_block.5.bias", "model.16.weight")),
            (lambda: resnet(antialias=True), 11_378_179, 52, ("model.7.filt", "model.12.conv_block.1.weight")),
            (lambda: unet(), 54_413_955, 82, ("model.model.1.model.3.model.2.running_var", "model.model.3.bias")),
            (Animegan2, 2_143_552, 77, ("block_c.4.layers.1.1.bias", "out_layer.0.weight")),
            (FastNeuralStyle, 1_679_235, 62, ("conv1.conv2d.weight", "res5.in2.bias", "deconv3.conv2d.bias")),
            (Cartoongan, 11_129_667, 94, ("in13_1.shift", "deconv03_1.weight")),
            (Ugatit, 10_589_888, 44, ("DownBlock.15.conv_block.5.weight", "UpBlock1_4.norm2.rho", "UpBlock2.8.beta")),
            (lambda: Ugatit(light=False), 278_959_808, 44, ("FC.0.weight",)),
            (lambda: adain()[1], 3_505_219, 18, ("1.weight", "28.bias")),
            (lambda: adain()[0][:31], 3_505_740, 20, ("0.weight", "29.weight")),
        ],
    )
    def test_counts(self, network, parameters, tensors, some):
        with torch.device("meta"):
            weights = network().state_dict()
        assert count(weights) == parameters
        assert len(weights) == tensors
        assert set(some) <= weights.keys()


class TestCycleGAN:
    @pytest.mark.parametrize("dropout", [False, True])
    @pytest.mark.parametrize("blocks", [6, 9])
    def test_equals_the_published_network(self, dropout, blocks, tmp_path):
        theirs = randomised(resnet(width=8, blocks=blocks, dropout=dropout))
        ours = importers.read(save(theirs.state_dict(), tmp_path / "latest_net_G_A.pth"))
        assert (ours.multiple, ours.receptive_field) == (4, 0)
        assert_same(theirs, ours)

    def test_full_size(self, tmp_path):
        ours = importers.read(save(resnet().state_dict(), tmp_path / "latest_net_G.pth"), "cyclegan")
        assert count(ours.state_dict()) == 11_378_179
        assert not ours.training
        assert not any(p.requires_grad for p in ours.parameters())

    def test_batch_norm_measures_the_picture(self, tmp_path):
        """pix2pix trained with a ResNet: its convolutions have no biases but the last."""
        theirs = resnet(width=8, blocks=6, norm=nn.BatchNorm2d)
        convolutions = [m for m in theirs.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
        for convolution in convolutions[:-1]:
            convolution.bias = None
        weights = randomised(theirs).state_dict()
        assert "model.2.running_var" in weights
        assert_same(theirs.train(), importers.read(save(weights, tmp_path / "latest_net_G.pth")))

    def test_affine_norms(self, tmp_path):
        theirs = randomised(resnet(width=8, blocks=6, norm=lambda c: nn.InstanceNorm2d(c, affine=True)))
        assert_same(theirs, importers.read(save(theirs.state_dict(), tmp_path / "G.pth")))

    def test_statistics_that_old_versions_saved_are_left_out(self, tmp_path):
        old = resnet(width=4, blocks=6, norm=lambda c: nn.InstanceNorm2d(c, track_running_stats=True))
        weights = randomised(old).state_dict()
        assert "model.2.running_mean" in weights
        assert_same(old.train(), importers.read(save(weights, tmp_path / "x.pth")))  # train: measures the picture


class TestCUT:
    def test_equals_the_published_network(self, tmp_path):
        theirs = randomised(resnet(width=8, blocks=9, antialias=True))
        assert_same(theirs, importers.read(save(theirs.state_dict(), tmp_path / "latest_net_G.pth"), "cut"), (64, 52))

    def test_odd_sizes_come_out_rounded_up(self, tmp_path):
        ours = importers.read(save(resnet(width=4, blocks=6, antialias=True).state_dict(), tmp_path / "x.pth"))
        assert ours(torch.zeros(1, 3, 37, 50)).shape == (1, 3, 40, 52)


class TestPix2Pix:
    @pytest.mark.parametrize("batch", [True, False])
    def test_equals_the_published_network(self, batch, tmp_path):
        theirs = randomised(unet(width=8, levels=6, batch=batch))
        ours = importers.read(save(theirs.state_dict(), tmp_path / "latest_net_G.pth"), "pix2pix")
        assert (ours.multiple, ours.receptive_field) == (64, 0)
        for module in theirs.modules():  # tested as it was trained: norms measure the batch of one picture
            if isinstance(module, nn.BatchNorm2d):
                module.train()
        assert_same(theirs, ours, (128, 64))

    def test_levels_are_seen(self, tmp_path):
        for levels in (7, 8):
            weights = unet(width=2, levels=levels).state_dict()
            assert importers.read(save(weights, tmp_path / "x.pth")).multiple == 2**levels


def test_animegan2(tmp_path):
    theirs = randomised(Animegan2())
    assert_same(theirs, importers.read(save(theirs.state_dict(), tmp_path / "paprika.pt"), "animegan2"))


class TestFastNeuralStyle:
    @pytest.mark.parametrize("wrapped", [True, False])
    def test_equals_the_published_network(self, wrapped, tmp_path):
        theirs = randomised(FastNeuralStyle(wrapped=wrapped))
        for p in theirs.deconv3.parameters():
            p.data.mul_(60)  # pixels
        weights = theirs.state_dict()
        for i in range(1, 6):  # as the files of 2017 have them
            weights[f"in{i}.running_mean"] = weights[f"in{i}.running_var"] = torch.ones(len(weights[f"in{i}.bias"]))
        ours = importers.read(save(weights, tmp_path / "candy.pth"), "fast-neural-style")
        assert_same(theirs, ours, to=lambda x: (x + 1) * 127.5, back=lambda y: y / 127.5 - 1)

    def test_half_precision(self, shared_data):
        ours = importers.read(shared_data / "fast-neural-style" / "candy.pth")
        theirs = FastNeuralStyle(wrapped=False).eval()
        stored = torch.load(shared_data / "fast-neural-style" / "candy.pth", weights_only=True)
        theirs.load_state_dict({name: tensor.float() for name, tensor in stored.items()})
        assert_same(theirs, ours, to=lambda x: (x + 1) * 127.5, back=lambda y: y / 127.5 - 1)


class TestCartoonGAN:
    @pytest.mark.parametrize("kind", ["folder", "pth", "npz", "8-bit npz"])
    def test_equals_the_published_network(self, kind, tmp_path):
        theirs = randomised(Cartoongan(width=8))
        weights = {name: tensor.numpy() for name, tensor in theirs.state_dict().items()}
        path = tmp_path / f"hayao.{kind[-3:]}"
        if kind == "folder":
            path.mkdir()
            for name, array in weights.items():
                np.save(path / f"{name}.npy", array)
        elif kind == "pth":
            save(theirs.state_dict(), path)
        elif kind == "npz":
            np.savez(path, **weights)
        else:
            q = np.arange(-27, 27).repeat(8).reshape(8, 6, 9)  # 8 · 3 · 7 · 7 = 1176 are wanted
            q = np.resize(q, (8, 3, 7, 7)).astype(np.int8)
            scale = np.linspace(0.001, 0.002, 8, dtype=np.float32).reshape(8, 1, 1, 1)
            weights["conv01_1.weight:q"], weights["conv01_1.weight:scale"] = q, scale
            del weights["conv01_1.weight"]
            theirs.conv01_1.weight.data = torch.from_numpy(q * scale)
            np.savez(path, **weights)
        assert_same(theirs, importers.read(path), to=lambda x: x.flip(1), back=lambda y: y.flip(1))


class TestUGATIT:
    @pytest.mark.parametrize("light", [True, False])
    @pytest.mark.parametrize("network", [None, "genB2A"])
    def test_equals_the_published_network(self, light, network, tmp_path):
        there, back = (randomised(Ugatit(width=8, blocks=3, light=light, size=64), seed) for seed in (1, 2))
        held = {"genA2B": there.state_dict(), "genB2A": back.state_dict(), "disGA": {"model.1.bias": torch.zeros(3)}}
        ours = importers.read(save(held, tmp_path / "selfie2anime_params_0100000.pt"), network=network)
        assert_same(back if network else there, ours, (64, 64))

    def test_full_size(self, tmp_path):
        ours = importers.read(save(Ugatit().state_dict(), tmp_path / "x.pt"), "ugatit")
        assert count(ours.state_dict()) == 10_589_888


def test_adain(tmp_path):
    encoder, decoder = (randomised(network) for network in adain())
    save(encoder.state_dict(), tmp_path / "vgg_normalised.pth")
    save(decoder.state_dict(), tmp_path / "decoder.pth")
    style = picture(40, 56, seed=1)

    def theirs(content):
        c, s = (encoder[:31].double()((x + 1) / 2) for x in (content, style))
        std = [(x.var((2, 3), keepdim=True) + 1e-5).sqrt() for x in (c, s)]
        t = (c - c.mean((2, 3), True)) / std[0] * std[1] + s.mean((2, 3), True)
        return decoder.double()(t) * 2 - 1

    painter = importers.read(tmp_path)
    assert count(painter.encoder.state_dict()) == 3_505_740
    assert count(painter.decoder.state_dict()) == 3_505_219
    ours = fix(painter.double(), [style])
    assert (ours.multiple, ours.receptive_field) == (8, 0)
    content = picture(48, 64)
    with torch.inference_mode():
        wanted, found = theirs(content), ours(content)
    assert wanted.std() > 0.01
    assert (found - wanted).abs().max() < 1e-5
