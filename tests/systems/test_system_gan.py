"""GAN: what is special about it, and what all systems from noise refuse."""

import math

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.errors import UsageError
from sakuga.systems.gan import GAN

TINY = Tiny(
    GAN,
    lambda folder: {"width": 4, "noise": 6, "batch": 4, "lr": 2e-3},
    falls=("D/gan", 0.9),
    batch_statistics="batch norm in both networks",
)


@pytest.mark.parametrize("game", ["non-saturating", "minimax"])
def test_the_paper_s_losses(game, tmp_path):
    system = TINY.build(make_data(tmp_path), game=game).double()
    batch = system.batch(0, 0, 1)
    batch = {name: value.double() for name, value in batch.items()}
    real, fake = torch.tensor([[0.5], [2.0]]).double(), torch.tensor([[0.25], [-1.0]]).double()
    system.discriminator.forward = lambda x: real if x is batch["real"] else fake
    (first, g), (second, d) = system.step(batch, 0)
    assert (first, second) == ("G", "D")
    probability = [[1 / (1 + math.exp(-score)) for score in scores.flatten().tolist()] for scores in (real, fake)]
    on_real = sum(-math.log(p) for p in probability[0]) / 2
    on_fake = sum(-math.log(1 - p) for p in probability[1]) / 2
    fooled = sum(-math.log(p) for p in probability[1]) / 2 if game == "non-saturating" else -on_fake
    assert d["gan"].item() == pytest.approx(on_real + on_fake, rel=1e-12)
    assert g["gan"].item() == pytest.approx(fooled, rel=1e-12)


def test_where_every_score_is_zero_the_game_stands_at_its_known_values(tmp_path):
    data = make_data(tmp_path)
    for game, value in (("non-saturating", 0.693147), ("minimax", -0.693147)):
        system = TINY.build(data, game=game)
        system.discriminator.forward = lambda x: torch.zeros(len(x), 1)
        (_, g), (_, d) = system.step(system.batch(0, 0, 1), 0)
        assert d["gan"].item() == pytest.approx(1.386294, abs=1e-6)
        assert g["gan"].item() == pytest.approx(value, abs=1e-6)


def test_fully_connected_layers_take_any_side(tmp_path):
    system = TINY.build(make_data(tmp_path), body="mlp", crop=20)
    assert system.generator(torch.randn(2, 6)).shape == (2, 3, 20, 20)
    with pytest.raises(UsageError, match="--crop 20 must be a power of two"):
        TINY.bare(tmp_path, crop=20)


def test_fewer_pictures_than_a_batch_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--batch 8 is more than the 4 pictures given"):
        TINY.build(make_data(tmp_path), batch=8)


def test_pictures_of_other_sizes_are_spoken_of(tmp_path):
    with pytest.warns(UserWarning, match="4 of 4 photos are not 32x32: they are scaled"):
        TINY.build(make_data(tmp_path))
