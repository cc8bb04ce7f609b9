"""CycleGAN: what is special about it."""

import pytest
import torch
from tiny import Tiny

from sakuga.errors import UsageError
from sakuga.systems.cyclegan import CycleGAN

TINY = Tiny(
    CycleGAN,
    lambda folder: {"style": (folder / "style",), "load": 40, "width": 8, "blocks": 1, "lr": 2e-3},
    falls=("G/identity", 0.9),
)


class TestPool:
    def test_the_discriminator_sees_older_fakes(self, tmp_path):
        """With a pool of one, of which every other fake comes back, the pool ends with another fake than it began."""
        system = TINY.bare(tmp_path, pool=1)
        pictures = torch.rand(8, 1, 3, 32, 32) * 2 - 1
        shown = [system.pool_style(picture) for picture in pictures]
        assert torch.equal(shown[0], pictures[0])
        assert any(torch.equal(shown[i], pictures[j]) for i in range(8) for j in range(i))


def test_a_crop_that_the_unet_cannot_halve_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--crop 32 must be a multiple of 256 with --body unet"):
        TINY.bare(tmp_path, body="unet")


def test_a_crop_that_the_discriminators_cannot_halve_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--crop 20 must be 24 or more"):
        TINY.bare(tmp_path, crop=20)
    system = TINY.bare(tmp_path, crop=24)
    list(system.step({side: torch.rand(1, 3, 24, 24) for side in ("photo", "style")}, 0))


def test_without_identity_there_is_no_such_term(tmp_path):
    system = TINY.bare(tmp_path, identity=0.0)
    batch = {"photo": torch.zeros(1, 3, 32, 32), "style": torch.zeros(1, 3, 32, 32)}
    assert set(next(system.step(batch, 0))[1]) == {"adversarial", "cycle"}


def test_the_weights_are_the_papers(tmp_path):
    """Generators that return black: cycle 10·(1 + 1) for white on either side, identity half of it."""
    system = TINY.bare(tmp_path)
    for network in (system.generator, system.inverse):
        network.forward = lambda x: torch.zeros_like(x)
    white = torch.ones(1, 3, 32, 32)
    terms = next(system.step({"photo": white, "style": white}, 0))[1]
    assert terms["cycle"].item() == 20
    assert terms["identity"].item() == 10
