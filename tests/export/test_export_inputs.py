"""Artefacts with every kind of input become styles that do what they do."""

import numpy as np
import onnx
import pytest
import torch
from artefacts import AGE, HAIR, WORDS, conditional, from_noise, referenced

from sakuga.errors import SakugaError
from sakuga.export.onnx import export
from sakuga.export.trace import TOLERANCE, example
from sakuga.style import read
from sakuga.style.inputs import PICTURE, Input

KINDS = {
    "number": (AGE,),
    "choice": (HAIR,),
    "choices": (Input("traits", "choices", names=("hat", "beard"), default=[]),),
    "noise": (Input("style", "noise", size=5),),
    "vector": (Input("code", "vector", size=3, default=[0.0, 0.5, 1.0]),),
    "text": (WORDS,),
    "several": (HAIR, AGE, WORDS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_with_other_inputs(kind, tmp_path):
    system = conditional(*KINDS[kind])
    style = export(system, tmp_path / "x.onnx", name="x")
    assert style.card.inputs == (PICTURE, *KINDS[kind])
    assert style.card.local_receptive_field == 7  # the norm is given: 5x5 and 3x3
    values = example(system.artefact(), (40, 56), 1)
    with torch.inference_mode():
        target = system.generator.eval()(*values.values()).clamp(-1, 1).numpy()
    feeds = {name: value.numpy() for name, value in values.items()}
    (found,) = style.session().run(["stylised"], feeds)
    assert np.abs(found - target).max() < TOLERANCE
    # What is given matters, so that its parity means something.
    others = [example(system.artefact(), (40, 56), seed) | {"image": values["image"]} for seed in range(2, 6)]
    changed = [style.session().run(["stylised"], {k: v.numpy() for k, v in other.items()})[0] for other in others]
    assert max(np.abs(other - found).max() for other in changed) > 0.01


def test_two_pictures_of_sizes_of_their_own(tmp_path):
    system = referenced()
    style = export(system, tmp_path / "x.onnx", name="x")
    image, reference = torch.rand(1, 3, 48, 40) * 2 - 1, torch.rand(1, 3, 32, 80) * 2 - 1
    with torch.inference_mode():
        target = system.generator(image, reference).clamp(-1, 1).numpy()
    (found,) = style.session().run(["stylised"], {"image": image.numpy(), "reference": reference.numpy()})
    assert np.abs(found - target).max() < TOLERANCE
    assert style.card.local_receptive_field == 5  # the reference is measured whole beside every tile


@pytest.mark.parametrize("make", [lambda: conditional(HAIR, AGE), referenced])
def test_tiles_with_constant_inputs_agree(make, tmp_path):
    """What the photo's statistics were is given to the tiles, and the other inputs as they are."""
    system = make()
    style = export(system, tmp_path / "x.onnx", name="x")
    values = {name: value.numpy() for name, value in example(system.artefact(), (64, 96), 3).items()}
    session = style.session()
    whole, given = session.run(None, {**values, "measure": np.array(True)})
    tile = {**values, "image": values["image"][..., :48], "frozen": np.array(True), "given": given}
    (part,) = session.run(["stylised"], tile)
    margin = style.card.local_receptive_field // 2
    np.testing.assert_allclose(part[..., : 48 - margin], whole[..., : 48 - margin], atol=1e-5)
    (own,) = session.run(["stylised"], {**values, "image": values["image"][..., :48]})
    assert np.abs(own[..., :32] - whole[..., :32]).max() > 1e-3  # a tile that measures itself does not agree


def test_points_are_of_the_whole_picture_so_there_are_no_tiles(tmp_path):
    style = export(conditional(Input("face", "points", size=2)), tmp_path / "x.onnx", name="x")
    assert (style.card.receptive_field, style.card.local_receptive_field) == (0, 0)
    assert len(style.session().get_outputs()) == 1
    with pytest.raises(ValueError, match="receptive_field must be 0"):
        conditional(Input("face", "points", size=2), receptive_field=7).artefact()


def test_a_fixed_size(tmp_path):
    style = export(conditional(AGE, size=(48, 32)), tmp_path / "x.onnx", name="x")
    assert style.card.size == (48, 32)
    assert [one.shape for one in style.session().get_inputs()] == [[1, 3, 48, 32], [1]]
    assert style.card.local_receptive_field == 0


def test_a_generator_has_no_picture(tmp_path):
    style = export(from_noise(), tmp_path / "x.onnx", name="x")
    assert [one.name for one in style.card.inputs] == ["z", "kind", "age"]
    assert read(style.path).card == style.card
    assert style.session().get_outputs()[0].shape == [1, 3, 16, 24]


def test_parity_of_a_generator_is_demanded(tmp_path, monkeypatch):
    system, other = from_noise(), from_noise(1)
    from sakuga.export import onnx as module

    model = module.trace(other.artefact())
    monkeypatch.setattr(module, "trace", lambda *_: model)
    with pytest.raises(SakugaError, match="differs from the trained one: it is not exported"):
        export(system, tmp_path / "x.onnx", name="x")
    assert not list(tmp_path.iterdir())


def test_two_inputs_of_one_name():
    with pytest.raises(ValueError, match="share a name"):
        conditional(AGE, AGE).artefact()


def test_cards_of_photos_alone_are_written_as_before(tmp_path):
    """So that earlier versions read them."""
    from sakuga.systems.super_resolution import SuperResolution

    style = export(SuperResolution(SuperResolution.Config(width=8, blocks=1)), tmp_path / "x.onnx", name="x")
    text = {p.key: p.value for p in onnx.load(style.path).metadata_props}["sakuga"]
    assert '"inputs"' not in text
    assert style.card.inputs == (PICTURE,)
