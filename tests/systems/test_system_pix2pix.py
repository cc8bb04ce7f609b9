"""pix2pix: what is special about it."""

import pytest
import torch
from tiny import Tiny, make_data
from torch import nn

from sakuga.errors import UsageError
from sakuga.systems.pix2pix import Pix2Pix

TINY = Tiny(
    Pix2Pix,
    lambda folder: {"photos": (folder / "pairs",), "load": 40, "width": 8, "levels": 4, "lr": 2e-3},
    falls=("G/l1", 0.9),
    batch_statistics="batch norm in both networks",
)


def test_direction(tmp_path):
    """The right half of every pair is the negative of the left."""
    data = make_data(tmp_path)
    there, back = TINY.build(data).batch(0, 0, 1), TINY.build(data, direction="BtoA").batch(0, 0, 1)
    torch.testing.assert_close(there["target"], -there["input"], atol=0.01, rtol=0)
    assert torch.equal(there["input"], back["target"])


def test_the_judge_sees_input_and_output(tmp_path):
    system = TINY.build(make_data(tmp_path))
    batch = system.batch(0, 0, 1)
    seen = []
    system.discriminator.forward = lambda x: seen.append(x) or x.mean((1, 2, 3))
    next(system.step(batch, 0))
    assert torch.equal(seen[0], torch.cat([batch["input"], batch["target"]], 1))
    assert torch.equal(seen[1][:, :3], batch["input"])


def test_the_finished_style_measures_what_was_asked_for(tmp_path):
    kinds = {"picture": nn.InstanceNorm2d, "running": nn.BatchNorm2d}
    cases = [({"statistics": name, "batch": 2}, kind) for name, kind in kinds.items()]
    for fields, kind in (*cases, ({"batch": 1}, kinds["picture"]), ({"batch": 2}, kinds["running"])):
        system = TINY.bare(tmp_path, **fields)
        norms = [m for m in system.artefact().module.modules() if isinstance(m, (*kinds.values(),))]
        assert norms
        assert all(isinstance(norm, kind) for norm in norms)


def test_a_crop_that_cannot_be_halved_so_often_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--crop 40 must be a multiple of 16 with --levels 4"):
        TINY.bare(tmp_path, crop=40)
