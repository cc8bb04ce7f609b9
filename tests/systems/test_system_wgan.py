"""WGAN: what is special about it."""

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.systems.wgan import WGAN, generator_moves
from sakuga.training.trainer import Trainer

TINY = Tiny(
    WGAN,
    lambda folder: {"width": 4, "noise": 6, "batch": 4, "limit": 1.0},
    falls=("D/wgan", 0.9),
    batch_statistics="batch norm in both networks",
)


def test_the_critic_s_starts_are_long_at_first_and_before_every_500th_step_of_the_generator():
    turns = [t for t in range(12_000) if generator_moves(t, 5)]
    before = [b - a for a, b in zip([-1, *turns], turns, strict=False)]
    wanted = [100 if step < 25 or step % 500 == 0 else 5 for step in range(len(before))]
    assert len(before) > 1001
    assert before == wanted


def test_the_paper_s_losses(tmp_path):
    system = TINY.build(make_data(tmp_path)).double()
    batch = {name: value.double() for name, value in system.batch(0, 0, 1).items()}
    real, fake = torch.tensor([[0.5], [2.0]]).double(), torch.tensor([[0.25], [-1.0]]).double()
    system.discriminator.forward = lambda x: real if x is batch["real"] else fake
    (first, d), (second, g) = system.step(batch, 99)
    assert (first, second) == ("D", "G")
    assert d["wgan"].item() == pytest.approx(-0.375 - 1.25, rel=1e-12)
    assert g["wgan"].item() == pytest.approx(0.375, rel=1e-12)
    assert [player for player, _ in system.step(batch, 98)] == ["D"]


def test_weights_are_clipped_before_the_critic_s_step_and_moved_by_rmsprop(tmp_path):
    system = TINY.build(make_data(tmp_path), limit=0.01)
    assert max(weight.abs().max() for weight in system.discriminator.parameters()) > 0.5
    trainer = Trainer(system, tmp_path / "run")
    trainer.one_step(system.batch(0, 0, 1))
    # RMSprop's first step is lr / √(1 - 0.99) = 10 lr at most.
    moved = max(weight.abs().max().item() for weight in system.discriminator.parameters())
    assert 0.01 < moved <= 0.01 + 10 * system.config.lr + 1e-7


def test_the_authors_fully_connected_layers(tmp_path):
    system = TINY.bare(tmp_path, body="mlp", width=64, noise=100, crop=64)
    sizes = [
        [tuple(weight.shape) for weight in net.parameters() if weight.ndim == 2] for net in system.networks.values()
    ]
    pixels = 3 * 64 * 64
    assert sizes == [
        [(512, pixels), (512, 512), (512, 512), (1, 512)],
        [(512, 100), (512, 512), (512, 512), (pixels, 512)],
    ]
    assert system.generator(torch.randn(1, 100) * 1e3).abs().max() > 1  # no tanh
