"""LSGAN: what is special about it."""

import pytest
import torch
from tiny import Tiny, make_data

from sakuga import runs
from sakuga.errors import UsageError
from sakuga.networks.dcgan import DCGANGenerator
from sakuga.systems.lsgan import LSGAN
from sakuga.training.log import Log
from sakuga.training.trainer import Trainer

TINY = Tiny(
    LSGAN,
    lambda folder: {"width": 4, "noise": 6, "batch": 4},
    falls=("D/lsgan", 0.9),
    batch_statistics="batch norm in both networks",
)


@pytest.mark.parametrize(("targets", "a", "b", "c"), [("0-1", 0, 1, 1), ("pearson", -1, 1, 0)])
def test_the_paper_s_losses(targets, a, b, c, tmp_path):
    system = TINY.build(make_data(tmp_path), targets=targets)
    batch = system.batch(0, 0, 1)
    scores = {"real": torch.tensor([[0.5], [2.0]]), "fake": torch.tensor([[0.25], [-1.0]])}
    system.discriminator.forward = lambda x: scores["real" if x is batch["real"] else "fake"]
    (first, d), (second, g) = system.step(batch, 0)
    assert (first, second) == ("D", "G")
    real, fake = scores.values()
    assert d["lsgan"].item() == pytest.approx(((real - b).square().mean() + (fake - a).square().mean()).item() / 2)
    assert g["lsgan"].item() == pytest.approx((fake - c).square().mean().item() / 2)


def test_a_side_that_is_no_power_of_two_is_refused():
    with pytest.raises(UsageError, match="--crop 48 must be a power of two"):
        LSGAN(LSGAN.Config(crop=48))


@pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")
def test_a_run_shows_a_grid_and_keeps_its_best(tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "cache"))
    trainer = Trainer(TINY.build(make_data(tmp_path)), tmp_path / "run")
    log = Log(tmp_path / "run", every=1, total=2)
    trainer.fit(2, save_every=2, log=log)
    log.close()
    assert log.failed == set()
    width, height = Image.open(tmp_path / "run" / "samples" / "0000002.png").size
    assert width == height >= 8 * 32
    best = runs.build(tmp_path / "run", runs.BEST).generator
    assert isinstance(best, DCGANGenerator)
    assert all(torch.equal(v, trainer.system.generator.state_dict()[n]) for n, v in best.state_dict().items())
