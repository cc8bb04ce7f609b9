"""Super-resolution: what is special about it."""

import numpy as np
import pytest
from tiny import Tiny, make_data

from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.stylizer import Stylizer
from sakuga.systems.super_resolution import SuperResolution, reduced

TINY = Tiny(
    SuperResolution,
    lambda folder: {"width": 8, "blocks": 1, "features_weights": "random:0", "lr": 1e-2},
    falls=("G/feature", 0.995),
    batch_statistics="batch norm in the generator",
    scale=4,
)


def test_reduced():
    """A flat picture stays flat, a bright one on the right stays on the right, the size is divided."""
    assert (reduced(np.full((32, 48, 3), 77, np.uint8), 4) == 77).all()
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert abs(reduced(noise, 4).mean() - noise.mean()) < 0.3
    step = np.zeros((32, 48, 3), np.uint8)
    step[:, 24:] = 200
    small = reduced(step, 4)
    assert small.shape == (8, 12, 3)
    assert small[:, :4].max() < 12
    assert small[:, 8:].min() > 188


@pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")
def test_the_finished_style_has_the_small_pictures_histogram(tmp_path):
    system = TINY.build(make_data(tmp_path))
    style = export(system, tmp_path / "style.onnx", name="style")
    assert (style.card.scale, style.card.match_histogram) == (4, True)
    photo = np.random.default_rng(0).integers(30, 90, (64, 80, 3), dtype=np.uint8)
    enlarged = Stylizer(style).array(photo)
    assert enlarged.shape == (256, 320, 3)
    # An untrained network shows few levels, so the quantiles between them are its own; the means are the photo's.
    np.testing.assert_allclose(enlarged.mean((0, 1)), photo.mean((0, 1)), atol=2)
    system.config.histogram = False
    plain = export(system, tmp_path / "plain.onnx", name="plain")
    assert np.abs(Stylizer(plain).array(photo).mean((0, 1)) - photo.mean((0, 1))).max() > 10


def test_nothing_to_learn_from_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--feature 0 and --pixel 0 leave nothing to learn from"):
        TINY.bare(tmp_path, feature=0.0)
    TINY.bare(tmp_path, feature=0.0, pixel=1.0)
