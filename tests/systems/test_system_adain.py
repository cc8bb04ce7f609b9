"""AdaIN: what is special about it."""

from dataclasses import fields

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.errors import UsageError
from sakuga.systems.adain import AdaIN
from sakuga.training import checkpoint
from sakuga.training.trainer import Trainer

TINY = Tiny(
    AdaIN,
    lambda folder: {"style": (folder / "style",), "load": 40, "lr": 1e-4, "features_weights": "random:0"},
    falls=("G/style", 0.92),
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
    assert (painted() - first).abs().max() > 1e-5  # the decoder, untrained, hardly looks at its input
    torch.testing.assert_close(painted(strength=0.0), painted(strength=0.0, picture=pictures[1:]))


def test_where_no_picture_is_named_samples_show_the_first_and_the_card_says_so(tmp_path):
    system = TINY.build(make_data(tmp_path))
    first = min((tmp_path / "style").iterdir())
    painted = system.runnable(system.painter)
    assert system.sources()[-1] == {"name": first.name, "licence": "not stated", "use": "the style"}
    assert system.config.picture == ()  # a resumed run would take it for another wish
    system.config.picture = (first,)
    torch.testing.assert_close(system.runnable(system.painter).mean, painted.mean)


def test_a_resumed_training_has_the_encoder_it_began_with(tmp_path):
    """Measured anew, on batches of another size, it would have other scales, and the losses with them."""
    make_data(tmp_path)
    Trainer(TINY.build(tmp_path), tmp_path / "run").fit(1)
    resumed = Trainer(TINY.build(tmp_path, crop=40, batch=4), tmp_path / "run")
    begun = checkpoint.load(tmp_path / "run")["average"]
    first = "steps.conv1_1.weight"
    assert not torch.equal(resumed.system.painter.encoder.state_dict()[first], begun[f"encoder.{first}"])
    assert resumed.resume()
    for name, value in resumed.system.painter.encoder.state_dict().items():
        torch.testing.assert_close(value, begun[f"encoder.{name}"], rtol=0, atol=0)


def test_there_is_no_discriminator_to_augment_for():
    assert "augment" not in {field.name for field in fields(AdaIN.Config)}


def test_without_a_picture_it_says_how_to_name_one(tmp_path):
    system = TINY.bare(tmp_path)
    with pytest.raises(UsageError, match="--set picture=FILE"):
        system.runnable(system.painter)


def test_a_weight_too_few(tmp_path):
    system = TINY.build(make_data(tmp_path), blend=(0.5, 0.5))
    with pytest.raises(UsageError, match=r"blend \[0.5, 0.5\] does not fit 1 pictures"):
        system.runnable(system.painter)
