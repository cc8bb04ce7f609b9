"""WGAN-GP: what is special about it."""

import math

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.systems import wgan_gp
from sakuga.systems.wgan_gp import WGANGP

TINY = Tiny(
    WGANGP,
    lambda folder: {"width": 4, "noise": 6, "lr": 2e-3},
    falls=("D/penalty", 0.9),
    batch_statistics="batch norm in the generator, and noise drawn in the step",
)


def linear(system, dtype=torch.float64):
    """Put a critic in place that is linear: D(x) = ⟨k, x⟩; return ‖k‖."""
    k = torch.linspace(-0.02, 0.03, 3 * 32 * 32, dtype=dtype)
    system.discriminator.forward = lambda x: ((x.flatten(1) @ k)[:, None], None)
    return k


def test_the_paper_s_terms(tmp_path, monkeypatch):
    system = TINY.build(make_data(tmp_path)).double()
    batch = {name: value.double() for name, value in system.batch(4, 0, 1).items()}
    k = linear(system)
    monkeypatch.setattr(wgan_gp, "STEP", 0.0)
    fake = system.generator(batch["noise"])
    (first, d), (second, g) = system.step(batch, 4)
    assert (first, second) == ("D", "G")
    wanted = (fake.flatten(1) @ k).mean() - (batch["real"].flatten(1) @ k).mean()
    assert d["wgan"].item() == pytest.approx(wanted.item(), rel=1e-12)
    assert d["penalty"].item() == pytest.approx(10 * (k.norm().item() - 1) ** 2, rel=1e-12)
    assert len(batch["own_noise"]) == 2 * len(batch["noise"]) == 4
    own = system.generator(batch["own_noise"])
    assert g["wgan"].item() == pytest.approx(-(own.flatten(1) @ k).mean().item(), rel=1e-12)
    assert [player for player, _ in system.step(batch, 5)] == ["D"]


def test_real_pictures_are_spread_over_their_levels(tmp_path):
    system = TINY.build(make_data(tmp_path))
    batch, seen = system.batch(0, 0, 1), []
    critic = system.discriminator.forward
    system.discriminator.forward = lambda x: seen.append(x) or critic(x)
    next(system.step(batch, 0))
    added = seen[0] - batch["real"]
    assert added.min() >= -1e-6
    assert added.max() <= 1 / 128 + 1e-6
    assert added.mean() == pytest.approx(1 / 256, rel=0.05)


def test_rates_fall_to_zero_and_adam_has_no_momentum(tmp_path):
    system = TINY.bare(tmp_path)
    assert [system.rate(t, "G") for t in (0, 50, 100)] == [1, 0.5, 0]
    assert all(o.param_groups[0]["betas"] == (0.0, 0.9) for o in system.optimizers().values())


def test_with_labels_it_is_told_a_class_and_names_it(tmp_path):
    torch.manual_seed(0)
    data = make_data(tmp_path)
    system = TINY.build(data, photos=(data / "domains",), labels="folders", batch=4)
    (_, d), (_, g) = system.step(system.batch(4, 0, 1), 4)
    # At first no class is likelier; G's weighs a tenth.
    assert d["class"].item() == pytest.approx(math.log(2), rel=0.3)
    assert g["class"].item() == pytest.approx(0.1 * math.log(2), rel=0.3)
    style = export(system, tmp_path / "style.onnx", name="style")
    assert [one.name for one in style.card.inputs] == ["noise", "class"]


def test_a_side_that_is_no_power_of_two_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--crop 48 must be a power of two"):
        TINY.bare(tmp_path, crop=48)
