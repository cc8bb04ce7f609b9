"""AdaIN: what is special about it."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import Tiny, make_data

from sakuga import runs
from sakuga.cli import main
from sakuga.errors import UsageError
from sakuga.evaluation.given import styles
from sakuga.style import read
from sakuga.systems.adain import AdaIN
from sakuga.training.trainer import Trainer

TINY = Tiny(
    AdaIN,
    lambda folder: {"style": (folder / "style",), "load": 40, "lr": 1e-4, "features_weights": "random:0"},
    falls=("G/style", 0.92),
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:feature losses use:UserWarning"),
    pytest.mark.usefixtures("narrow_vgg"),
]


def test_a_style_of_several_pictures(tmp_path):
    system = TINY.build(make_data(tmp_path))
    pictures = tuple(sorted((tmp_path / "style").iterdir()))[:2]
    photo = torch.rand(1, 3, 32, 32) * 2 - 1

    def painted(**fields):
        for name, value in {"picture": pictures, "blend": (), "strength": 1.0, **fields}.items():
            setattr(system.config, name, value)
        with torch.no_grad():
            return system.artefact().module(photo)

    first, both = painted(picture=pictures[:1]), painted(blend=(1.0, 0.0))
    torch.testing.assert_close(both, first)
    assert (painted() - first).abs().max() > 1e-5  # the decoder, untrained, hardly looks at its input
    torch.testing.assert_close(painted(strength=0.0), painted(strength=0.0, picture=pictures[1:]))


def test_where_no_picture_is_named_samples_show_the_first_and_the_card_says_so(tmp_path):
    system = TINY.build(make_data(tmp_path))
    first = min((tmp_path / "style").iterdir())
    painted = system.artefact().module
    assert system.sources()[-1] == {"name": first.name, "licence": "not stated", "use": "the style"}
    assert system.config.picture == ()  # a resumed run would take it for another wish
    system.config.picture = (first,)
    torch.testing.assert_close(system.artefact().module.mean, painted.mean)


def test_the_commands_of_the_page(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "systems.md").read_text(encoding="utf-8")
    commands = re.findall(r"^sakuga (export runs/any .*)$", page, re.MULTILINE)
    assert len(commands) == 2
    Trainer(TINY.build(make_data(tmp_path)), tmp_path / "runs" / "any").save()
    monkeypatch.chdir(tmp_path)
    for name in ("wave.jpg", "night.jpg"):
        Image.effect_noise((60, 50), 80).convert("RGB").save(name)
    for command in commands:
        assert main(shlex.split(command)) == 0
    one, both = (read(Path(name)).card.config for name in ("wave.onnx", "both.onnx"))
    assert (one["picture"], one["strength"]) == (["wave.jpg"], 0.8)
    assert (both["picture"], both["blend"]) == (["wave.jpg", "night.jpg"], [0.7, 0.3])


def test_samples_are_judged_by_the_picture_that_they_show(tmp_path):
    system = TINY.build(make_data(tmp_path))
    red, blue = tmp_path / "style" / "a red one.png", tmp_path / "style" / "blue.png"
    for path, color in ((red, (255, 0, 0)), (blue, (0, 0, 255))):
        Image.new("RGB", (80, 60), color).save(path)
    system.config.picture = (red,)
    assert system.preview().references.mean((0, 2, 3)).tolist() == [1, -1, -1]
    assert system.preview().references.shape == (64, 3, system.config.crop, system.config.crop)


def test_its_picture_is_scaled_as_those_of_the_training(tmp_path):
    system = TINY.build(make_data(tmp_path))
    photo = torch.rand(1, 3, 32, 32) * 2 - 1
    stripes = np.zeros((200, 400, 3), np.uint8)
    stripes[:, ::40] = 255
    whole = Image.fromarray(stripes)
    whole.save(tmp_path / "large.png")
    whole.resize((80, 40), Image.Resampling.LANCZOS).save(tmp_path / "small.png")  # to `load` on the shorter side
    painted = []
    for name in ("large.png", "small.png"):
        system.config.picture = (tmp_path / name,)
        with torch.no_grad():
            painted.append(system.artefact().module(photo))
    torch.testing.assert_close(*painted)


def test_a_resumed_training_has_the_encoder_it_began_with(tmp_path):
    """Measured anew, on batches of another size, it would have other scales, and the losses with them."""
    make_data(tmp_path)
    Trainer(TINY.build(tmp_path), tmp_path / "run").fit(1)
    resumed = Trainer(TINY.build(tmp_path, crop=40, batch=4), tmp_path / "run")
    begun = runs.load(tmp_path / "run")["finished"]["painter"]
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
        system.artefact()


def test_a_run_cannot_be_evaluated_without_a_picture_and_says_what_to_do(tmp_path):
    Trainer(TINY.bare(tmp_path), tmp_path / "run").save()
    with pytest.raises(UsageError, match=r"run is no style by itself \(.*--set picture=FILE.*export it"):
        styles([str(tmp_path / "run")], which="last", scratch=tmp_path)


def test_a_weight_too_few(tmp_path):
    system = TINY.build(make_data(tmp_path))
    system.config.blend = (0.5, 0.5)
    for use in (system.prepare, system.artefact):
        with pytest.raises(UsageError, match=r"blend \[0.5, 0.5\] does not fit 1 pictures"):
            use()


def test_a_picture_that_is_not_there_is_refused_before_the_training(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere.jpg does not exist"):
        TINY.build(make_data(tmp_path), picture=(tmp_path / "nowhere.jpg",))
