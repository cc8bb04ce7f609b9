"""AnimeGAN: what is special about it."""

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.losses import grayscale
from sakuga.networks.animegan import AnimeGANv2Generator
from sakuga.systems.animegan import AnimeGAN

TINY = Tiny(
    AnimeGAN,
    lambda folder: {
        "style": (folder / "style",),
        "load": 40,
        "width": 16,
        "warmup": 3,
        "warmup_lr": 1e-3,
        "features_weights": "random:0",
    },
    falls=("warmup/content", 0.9),
    at=0,
)


@pytest.mark.parametrize("preset", AnimeGAN.presets)
def test_presets_are_version_two(preset, tmp_path):
    system = TINY.bare(tmp_path, **{**AnimeGAN.presets[preset], "width": 16})
    assert isinstance(system.generator, AnimeGANv2Generator)
    assert system.config.adversarial == 300


@pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")
def test_what_the_discriminator_is_shown(tmp_path):
    """Anime, the fake, grey anime and grey smoothed anime, in this order, and it learns before G does."""
    system = TINY.build(make_data(tmp_path))
    batch = system.batch(0, 0, 1)
    seen = []
    system.discriminator.forward = lambda x: seen.append(x) or x.mean((1, 2, 3))
    assert next(system.step(batch, 3))[0] == "D"
    anime, _, gray, smoothed = seen[0].chunk(4)
    assert torch.equal(anime, batch["style"])
    assert torch.equal(gray, grayscale(batch["style"], channels=3))
    assert torch.equal(smoothed, grayscale(batch["edges"], channels=3))
