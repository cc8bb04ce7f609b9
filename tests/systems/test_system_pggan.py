"""PGGAN: pictures that grow, and the terms of a step."""

import pytest
import torch
from tiny import Tiny, make_data
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.systems.parts.growing import Growth
from sakuga.systems.pggan import PGGAN
from sakuga.training.trainer import Trainer

TINY = Tiny(
    PGGAN,
    lambda folder: {"width": 8, "widest": 8, "noise": 6, "stage": 8, "lr": 0.01},
    falls=("D/penalty", 0.9),
    batch_statistics="the minibatch's deviation, and random points of the penalty",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("pggan"))


def test_growth_is_a_function_of_the_step():
    growth = Growth(first=0, last=2, stage=100, batch=50)
    assert growth.phases == [(1, 0, False), (1, 1, True), (1, 1, False), (2, 2, True)]
    assert [growth(t) for t in range(6)] == [0, 1, 1, 1.5, 2, 2]
    assert [growth.batch_of(t) for t in range(6)] == [128, 100, 100, 50, 50, 50]
    assert [t for t in range(9) if growth.is_fresh(t)] == [1, 3, 4]
    official = Growth(first=0, last=4, stage=600_000, batch=32)
    assert [official._batch(level) for level in range(5)] == [128, 128, 128, 64, 32]
    assert Growth(first=1, last=2, stage=1, batch=1)(0) == 1


def test_the_terms_of_a_step_are_the_paper_s(folder):
    """A linear critic <k, x>, of which all is known: its gradient is k everywhere."""
    system = TINY.build(folder).double()
    t = system.growth.steps - 2  # fading in
    growth = system.growth(t)
    batch = {name: value.double() for name, value in system.batch(t, 0, 1).items()}
    k = torch.randn(3 * 32 * 32, dtype=torch.float64)
    system.discriminator.forward = lambda image, growth: (image.flatten(1) @ k)[:, None]
    real = system.reals(batch, t).flatten(1) @ k
    fake = system.generator(batch["noise"], growth).flatten(1) @ k
    steps = system.step(batch, t)
    player, d = next(steps)
    assert player == "D"
    assert_close(d["wgan"], fake.mean() - real.mean())
    assert_close(d["penalty"], 10 * (k.norm() - 1) ** 2)
    assert_close(d["drift"], 1e-3 * real.square().mean())
    player, g = next(steps)
    assert (player, [*g]) == ("G", ["wgan"])
    assert_close(g["wgan"], -fake.mean())
    assert growth != int(growth)
    assert system.generator.growth.item() == growth


def test_optimisers_start_anew_with_every_size(folder, tmp_path):
    trainer = Trainer(TINY.build(folder), tmp_path / "run")
    fresh = next(t for t in range(2, 99) if trainer.system.fresh(t))
    trainer.fit(fresh)
    first = trainer.system.generator.first.convolution.weight
    assert trainer.optimizers["G"].state[first]["step"] == fresh - max(
        t for t in range(fresh) if trainer.system.fresh(t)
    )
    trainer.fit(fresh + 1)
    assert trainer.optimizers["G"].state[first]["step"] == 1


def test_two_discriminators_both_learn(folder, tmp_path):
    torch.manual_seed(0)
    system = TINY.build(folder, two_discriminators=True)
    assert PGGAN.players["D"] == ["discriminator"]
    before = system.discriminator_of_fakes.score.weight.clone()
    terms = Trainer(system, tmp_path / "run").one_step(system.batch(0, 0, 1))
    assert {*terms} == {"D/real", "D/fake", "G/real", "G/fake"}
    assert not torch.equal(before, system.discriminator_of_fakes.score.weight)

    system.discriminator.forward = system.discriminator_of_fakes.forward = lambda image, growth: image.mean((1, 2, 3))
    batch = system.batch(99, 0, 1)
    one = torch.nn.functional.softplus(batch["real"].mean((1, 2, 3)))
    two = torch.nn.functional.softplus(system.generator(batch["noise"], 3.0).mean((1, 2, 3)))
    (_, d), (_, g) = system.step(batch, 99)
    assert_close(d, {"real": two.mean() - one.log().mean(), "fake": one.mean() - two.log().mean()}, check_stride=False)
    assert_close(g, {"real": -two.mean(), "fake": two.log().mean()}, check_stride=False)


def test_what_cannot_be_is_said(folder, capsys):
    with pytest.raises(UsageError, match="--crop 48 must be a power of two"):
        PGGAN(PGGAN.Config(crop=48))
    with pytest.raises(UsageError, match="--batch 8 is more than the 4 pictures"):
        TINY.build(folder, batch=8)
    TINY.build(folder, steps=3)
    assert (
        "--steps 3 end at 8 pixels: 32 are reached after 11, or earlier with a smaller --stage"
        in capsys.readouterr().err
    )
