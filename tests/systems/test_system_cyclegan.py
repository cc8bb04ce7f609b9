"""CycleGAN: what is special about it."""

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.errors import UsageError
from sakuga.systems.cyclegan import CycleGAN
from sakuga.training.trainer import Trainer

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

    def test_parts_of_a_batch_are_exchanged_in_its_order(self, tmp_path):
        make_data(tmp_path)
        runs = [Trainer(TINY.build(tmp_path, batch=4, pool=3), tmp_path / str(n), accumulate=n) for n in (1, 2, 4)]
        for run in runs:
            torch.manual_seed(0)
            for network in run.system.networks.values():
                for weight in network.parameters():
                    torch.nn.init.normal_(weight, std=0.02)
            run.terms = [run.one_step(run.system.batch(step, 0, 1)) for step in range(2)]
        whole, *parts = (run.terms[1] for run in runs)
        for terms in parts:
            assert terms == pytest.approx(whole, rel=1e-4)

    def test_a_run_that_goes_on_with_other_crops_begins_them_anew(self, tmp_path):
        make_data(tmp_path)
        Trainer(TINY.build(tmp_path, pool=5), tmp_path / "run").fit(2)
        for crop, held in ((32, 5), (40, 2)):
            again = Trainer(TINY.build(tmp_path, pool=5, crop=crop), tmp_path / "run")
            assert again.resume()
            again.one_step(again.system.batch(2, 0, 1))
            assert len(again.system.pool_style.images) == held


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
