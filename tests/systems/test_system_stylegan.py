"""StyleGAN: its networks in numbers, both losses, mixing within what has grown, truncation."""

import math

import pytest
import torch
from tiny import Tiny, make_data
from torch.testing import assert_close

from sakuga.networks.equalised import GAIN
from sakuga.networks.stylegan import Epilogue, StyleGANSynthesis
from sakuga.networks.stylegan2 import Mapping
from sakuga.systems.stylegan import StyleGAN

TINY = Tiny(
    StyleGAN,
    lambda folder: {"width": 4, "widest": 8, "noise": 6, "layers": 2, "stage": 8, "lr": 0.01},
    falls=("D/gan", 0.95),
    batch_statistics="the minibatch's deviation",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("stylegan"))


@pytest.mark.parametrize(
    ("side", "width", "body", "rgb"), [(256, 64, 23_977_472, 7_509), (1024, 16, 24_110_720, 7_659)]
)
def test_parameters(side, width, body, rgb):
    with torch.device("meta"):
        synthesis, mapping = StyleGANSynthesis(side=side, width=width), Mapping(gain=GAIN)
    colours = sum(p.numel() for p in synthesis.to_rgb.parameters())
    assert (sum(p.numel() for p in synthesis.parameters()) - colours, colours) == (body, rgb)
    assert sum(p.numel() for p in mapping.parameters()) == 2_101_248
    assert synthesis.count(math.log2(side) - 2) == 2 * math.log2(side) - 2


def test_a_style_sets_mean_and_deviation():
    torch.manual_seed(0)
    layer = Epilogue(3, 5, 8).eval()
    w = torch.randn(2, 5)
    out = layer(torch.randn(2, 3, 8, 8), w)
    scale, shift = layer.style(w).chunk(2, 1)
    assert_close(out.mean((2, 3)), shift, atol=1e-5, rtol=0)
    assert_close(out.std((2, 3), correction=0), (scale + 1).abs(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("objective", ["logistic", "wgan"])
def test_one_step_in_numbers(folder, objective):
    """A linear discriminator <k, x>: R1 is γ/2 ‖k‖², the penalty λ (‖k‖ - 1)²."""
    torch.manual_seed(0)
    system = TINY.build(folder, objective=objective, penalty=3.0).double().eval()
    t = system.growth.steps - 2
    batch = {name: value.double() for name, value in system.batch(t, 0, 1).items()}
    k = torch.randn(3 * 32 * 32, dtype=torch.float64) / 50
    system.discriminator.forward = lambda image, growth: (image.flatten(1) @ k)[:, None]
    fakes = []
    system.generator.register_forward_hook(lambda module, args, picture: fakes.append(picture.detach()))
    (_, d), (_, g) = system.step(batch, t)
    real, fake = system.reals(batch, t).flatten(1) @ k, fakes[0].flatten(1) @ k
    soft = torch.nn.functional.softplus
    if objective == "logistic":
        assert_close(d["gan"], soft(-real).mean() + soft(fake).mean())
        assert_close(d["r1"], 3 * k.square().sum() / 2)
        assert_close(g["gan"], soft(-fake).mean())
    else:
        assert_close(d["gan"], fake.mean() - real.mean())
        assert_close(d["penalty"], 3 * (k.norm() - 1) ** 2)
        assert_close(d["drift"], 1e-3 * real.square().mean())
        assert_close(g["gan"], -fake.mean())


def test_it_begins_at_eight_pixels_and_cuts_within_what_has_grown(folder):
    system = TINY.build(folder)
    assert system.growth(0) == 1
    seen = []
    system.generator.register_forward_hook(lambda module, args, picture: seen.append((picture.shape[-1], args[3])))
    for t in (0, system.growth.steps):
        list(system.step(system.batch(t, 0, 1), t))
    assert [side for side, _ in seen] == [8, 32]
    assert seen[0][1].min() >= 1
    assert seen[0][1].max() <= 4


def test_truncation_draws_to_the_mean(folder):
    torch.manual_seed(0)
    system = TINY.build(folder)
    system.generator.mapping(torch.randn(500, 6))
    sampler, noise = system.eval().artefact().module, torch.randn(6, 6)
    spread = [sampler(noise, torch.full((6,), psi)).std(0).mean().item() for psi in (0.0, 0.5, 1.0)]
    assert spread[0] == pytest.approx(0, abs=1e-5)
    assert spread[0] < spread[1] < spread[2]
