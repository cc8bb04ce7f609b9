"""AdaIN: what is special about it."""

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.errors import UsageError
from sakuga.systems.adain import AdaIN

TINY = Tiny(
    AdaIN,
    lambda folder: {"style": (folder / "style",), "load": 40, "lr": 1e-4, "features_weights": "random:0"},
    falls=("G/content", 0.5),
)

pytestmark = pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")


def test_a_style_of_several_pictures(tmp_path):
    system = TINY.build(make_data(tmp_path))
    pictures = tuple(sorted((tmp_path / "style").iterdir()))[:2]
    photo = torch.rand(1, 3, 32, 32) * 2 - 1

    def painted(**fields):
        for name, value in {"picture": pictures, "blend": (), "strength": 1.0, **fields}.items():
            setattr(system.config, name, value)
        with torch.no_grad():
            return system.runnable(system.painter)(photo)

    first, both = painted(picture=pictures[:1]), painted(blend=(1.0, 0.0))
    torch.testing.assert_close(both, first)
    assert not torch.allclose(painted(), first, atol=1e-3)
    torch.testing.assert_close(painted(strength=0.0), painted(strength=0.0, picture=pictures[1:]))


def test_the_config_names_the_picture_that_is_taken_when_none_is_named(tmp_path):
    system = TINY.build(make_data(tmp_path))
    system.runnable(system.painter)
    assert system.config.picture == (min((tmp_path / "style").iterdir()),)


def test_without_a_picture_it_says_how_to_name_one(tmp_path):
    system = TINY.bare(tmp_path)
    with pytest.raises(UsageError, match="--set picture=FILE"):
        system.runnable(system.painter)


def test_a_weight_too_few(tmp_path):
    system = TINY.build(make_data(tmp_path), blend=(0.5, 0.5))
    with pytest.raises(UsageError, match=r"blend \[0.5, 0.5\] does not fit 1 pictures"):
        system.runnable(system.painter)
