"""StyleGAN 2: its networks in numbers, its lazy regularisation, mixing, truncation, and adaptive augmentation."""

import math

import pytest
import torch
import torch.nn.functional as F
from tiny import Tiny, make_data
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.networks.fir import WIDE, upfirdn
from sakuga.networks.stylegan2 import Mapping, ModulatedConv2d, StyleGAN2Discriminator, Synthesis
from sakuga.systems.parts.ada import AdaptiveAugment
from sakuga.systems.stylegan2 import StyleGAN2

TINY = Tiny(
    StyleGAN2,
    lambda folder: {"noise": 8, "width": 4, "widest": 8, "layers": 2, "path_every": 3, "penalty_every": 11, "lr": 0.01},
    falls=("D/gan", 0.9),
    at=1,
    batch_statistics="the minibatch's deviation",
)


@pytest.mark.parametrize(
    ("side", "width", "synthesis", "discriminator"),
    [
        (256, 64, 22_666_210, 24_001_089),
        (256, 128, 27_933_090, 28_864_129),
        (512, 64, 28_175_335, 28_982_849),
        (1024, 32, 28_268_812, 29_012_513),
    ],
)
def test_parameters(side, width, synthesis, discriminator):
    with torch.device("meta"):
        networks = Synthesis(side=side, width=width), StyleGAN2Discriminator(side=side, width=width)
        mapping = Mapping()
    assert [sum(p.numel() for p in one.parameters()) for one in networks] == [synthesis, discriminator]
    assert networks[0].count == 2 * int(math.log2(side)) - 2
    assert sum(p.numel() for p in mapping.parameters()) == 2_101_248


@pytest.mark.parametrize("up", [False, True])
def test_scaling_in_and_out_is_scaling_the_weights(up):
    """And a style that is larger by a factor changes nothing."""
    torch.manual_seed(0)
    layer = ModulatedConv2d(4, 6, 3, 16, up=up).double()
    x, w = torch.randn(2, 4, 8, 8).double(), torch.randn(2, 16).double()
    styles = layer.style(w)
    weights = layer.weight[None] * styles[:, None, :, None, None]
    weights = weights * torch.rsqrt(weights.square().sum((2, 3, 4), keepdim=True) + 1e-8)
    expected = []
    for one, weight in zip(x, weights, strict=True):
        if up:
            plain = F.conv_transpose2d(one[None], weight.transpose(0, 1), stride=2)
            expected.append(upfirdn(plain, WIDE, pad=(1, 1), gain=4))
        else:
            expected.append(F.conv2d(one[None], weight, padding=1))
    assert_close(layer(x, w), torch.cat(expected))
    before = layer(x, w)
    layer.style.forward = lambda w: 5 * styles
    assert_close(layer(x, w), before, rtol=1e-6, atol=1e-6)


def test_which_updates_a_step_has(tmp_path):
    system = TINY.build(make_data(tmp_path))
    updates = {t: [(player, *terms) for player, terms in system.step(system.batch(0, 0, 1), t)] for t in (0, 1, 3, 11)}
    assert updates[1] == [("G", "gan"), ("D", "gan")]
    assert updates[0] == [("G", "gan"), ("G", "path"), ("D", "gan"), ("D", "r1")]
    assert updates[3] == [("G", "gan"), ("G", "path"), ("D", "gan")]
    assert updates[11] == [("G", "gan"), ("D", "gan"), ("D", "r1")]
    optimizers = system.optimizers()
    assert optimizers["G"].defaults["lr"] == pytest.approx(0.01 * 3 / 4)
    assert optimizers["D"].defaults["betas"] == pytest.approx((0, 0.99 ** (11 / 12)))


def test_one_step_in_numbers(tmp_path):
    """A linear discriminator of known weights: R1 is 16 · γ/2 ‖k‖², the scores of zeros cost ln 2 each."""
    system = TINY.build(make_data(tmp_path), penalty=7.0).double()
    k = torch.rand(1, 3, 32, 32).double()
    system.discriminator.forward = lambda image: (image * k).sum((1, 2, 3))[:, None]
    system.generator.synthesis.forward = lambda w: 0 * w.sum() + torch.zeros(len(w), 3, 32, 32).double()
    batch = {name: value.double() for name, value in system.batch(0, 0, 1).items()}
    batch["real"] = torch.zeros_like(batch["real"])
    (_, g), (_, path), (_, d), (_, regularised) = system.step(batch, 0)
    assert g["gan"].item() == pytest.approx(math.log(2))
    assert d["gan"].item() == pytest.approx(2 * math.log(2))
    assert regularised["r1"].item() == pytest.approx(7 * 11 * k.square().sum().item() / 2)
    assert path["path"].item() == 0


def test_mixing_begins_at_the_cut(tmp_path):
    torch.manual_seed(0)
    generator = TINY.build(make_data(tmp_path)).generator.eval()
    one, other = torch.randn(2, 8), torch.randn(2, 8)
    _, latents = generator(one, other, torch.tensor([1.0, 3.0]))
    first, second = generator.mapping(one), generator.mapping(other)
    assert_close(latents[0, 0], first[0])
    assert_close(latents[0, 1:], second[0].expand(7, -1))
    assert_close(latents[1, :3], first[1].expand(3, -1))
    assert_close(latents[1, 3:], second[1].expand(5, -1))


def test_truncation_draws_to_the_mean(tmp_path):
    torch.manual_seed(0)
    system = TINY.build(make_data(tmp_path))
    system.generator.mapping(torch.randn(500, 8))
    assert system.generator.mapping.mean.abs().sum() > 0
    sampler, noise = system.eval().artefact().module, torch.randn(6, 8)
    spread = [sampler(noise, torch.full((6,), psi)).std(0).mean().item() for psi in (0.0, 0.5, 1.0)]
    assert spread[0] == pytest.approx(0, abs=1e-6)
    assert spread[0] < spread[1] < spread[2]


class TestAugment:
    def test_nothing_at_first(self):
        image = torch.rand(2, 3, 16, 16)
        assert AdaptiveAugment()(image) is image

    def test_it_changes_pictures_and_passes_the_gradient(self):
        torch.manual_seed(0)
        augment = AdaptiveAugment()
        augment.p.fill_(1)
        image = (torch.rand(4, 3, 16, 16) * 2 - 1).requires_grad_()
        changed = augment(image)
        assert changed.shape == image.shape
        assert all((one - other).abs().mean() > 0.05 for one, other in zip(changed, image, strict=True))
        changed.sum().backward()
        assert image.grad.abs().sum() > 0

    def test_a_gray_picture_stays_gray(self):
        torch.manual_seed(0)
        augment = AdaptiveAugment()
        augment.p.fill_(1)
        gray = torch.rand(8, 1, 16, 16).expand(-1, 3, -1, -1) * 2 - 1
        changed = augment(gray)
        assert (changed - changed.mean(1, keepdim=True)).abs().max() < 1e-4

    def test_the_probability_follows_how_sure_d_is(self):
        augment = AdaptiveAugment()
        for _ in range(4):
            augment.learn(torch.ones(32, 1))
        assert augment.p.item() == pytest.approx(4 * 32 / 500_000)
        for _ in range(8):
            augment.learn(torch.tensor([1.0, -1.0]).repeat(16)[:, None])
        assert augment.p.item() == 0


def test_a_side_that_cannot_be(tmp_path):
    with pytest.raises(UsageError, match="--crop 48 must be a power of two"):
        TINY.bare(tmp_path, crop=48)
