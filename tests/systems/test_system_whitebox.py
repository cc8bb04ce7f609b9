"""White-box: what is special about it."""

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.losses import guided_filter
from sakuga.systems.whitebox import WhiteBox

TINY = Tiny(
    WhiteBox,
    lambda folder: {
        "style": (folder / "style",),
        "load": 40,
        "width": 8,
        "blocks": 1,
        "warmup": 3,
        "cache": folder / "segments",
        "features_weights": "random:0",
        "lr": 1e-3,
    },
    falls=("warmup/photo", 0.9),
    at=0,
    batch_statistics="one colour shift is drawn for every batch, or part of one",
)

pytestmark = pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")


def test_first_it_learns_to_repeat_the_photo(tmp_path):
    system = TINY.build(make_data(tmp_path))
    assert [(p, set(terms)) for p, terms in system.step(system.batch(0, 0, 1), 2)] == [("warmup", {"photo"})]


def test_superpixels_of_the_photo_or_of_the_output(tmp_path):
    data = make_data(tmp_path)
    kept = TINY.build(data).batch(0, 0, 1)
    assert kept["segments"].shape == (2, 32, 32)
    assert kept["segments"].max() < 32 * 32
    published = TINY.build(data, segments="output")
    batch = published.batch(0, 0, 1)
    assert "segments" not in batch
    assert "structure" in next(published.step(batch, 3))[1]


def test_the_finished_style_is_filtered(tmp_path):
    system = TINY.bare(tmp_path)
    photo = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        wanted = guided_filter(photo, system.generator(photo), radius=1, eps=5e-3)
        torch.testing.assert_close(system.artefact().module(photo), wanted)
