"""A film's colours: given to what is green, blue or deep red, by both variants of a style, and never to skin."""

import itertools

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from sakuga.cli import main
from sakuga.errors import SakugaError, UsageError
from sakuga.export.palette import PALETTES, STEP, add_palette, recolor, remove_palette
from sakuga.style import load

SKIN = [
    *[(60, 40, 32), (85, 55, 40), (110, 75, 55), (123, 84, 65), (150, 105, 80), (165, 125, 100), (185, 140, 110)],
    *[(200, 150, 120), (224, 172, 105), (215, 170, 145), (235, 200, 180), (250, 225, 212), (255, 200, 180)],
    *[(150, 95, 85), (205, 130, 115), (198, 134, 66), (141, 85, 36), (45, 34, 30)],  # sunburnt, golden, in shadow
]
"""Tones from the darkest to the palest, reddish and golden ones, in light and in shadow."""
SEEN = [(70, 120, 200), (120, 180, 230), (60, 130, 60), (120, 150, 60), (40, 150, 150), (200, 30, 40), (70, 60, 160)]
"""Sky, foliage, water, a signal, a dress."""


def colors(listed):
    return np.array(listed, np.float32) / 127.5 - 1


def levels(values):
    return (values + 1) * 127.5


@pytest.mark.parametrize("name", PALETTES)
def test_greys_and_skin_stay(name):
    same = np.concatenate([colors(SKIN), np.repeat(np.linspace(-1, 1, 256, dtype=np.float32)[:, None], 3, axis=1)])
    np.testing.assert_allclose(recolor(same, name), same, atol=1e-6)


def test_each_film_is_told_from_every_other():
    """By ten levels on average, where colours are."""
    made = [levels(recolor(colors(SEEN), name)) for name in PALETTES]
    for one, other in itertools.combinations([levels(colors(SEEN)), *made], 2):
        assert np.abs(one - other).mean() > 10


def test_whole_numbers_say_the_tables_exactly():
    for table in PALETTES.values():
        np.testing.assert_allclose(table / STEP, np.rint(table / STEP), atol=1e-4)


def run(model, pixels):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: pixels})[0]


@pytest.mark.parametrize("whole", [False, True])
def test_a_style_paints_in_it(whole):
    """Of a style of the package, by the rounding of pixels alone apart from the formula."""
    style = load("cel")
    model = onnx.load_model_from_string(style.int8) if whole else onnx.load(str(style.path))
    rng = np.random.default_rng(0)
    pixels = np.repeat(np.repeat(rng.integers(0, 256, (1, 8, 12, 3), np.uint8), 8, 1), 8, 2)  # 64 x 96
    image = pixels if whole else (pixels.transpose(0, 3, 1, 2) / np.float32(127.5) - 1)
    plain = run(model, image)
    add_palette(model, "shinkai")
    onnx.checker.check_model(model)
    made = run(model, image)
    assert (made.shape, made.dtype) == (plain.shape, plain.dtype)
    if whole:
        wanted = levels(recolor(plain / np.float32(127.5) - 1, "shinkai"))
        assert np.abs(made - wanted).max() <= 2
        assert np.abs(made - wanted).mean() < 0.5
    else:
        wanted = recolor(plain.transpose(0, 2, 3, 1), "shinkai").transpose(0, 3, 1, 2)
        np.testing.assert_allclose(made, wanted, atol=1e-5)
    assert np.abs(made.astype(np.float32) - plain).max() > (20 if whole else 0.2)
    remove_palette(model)
    np.testing.assert_array_equal(run(model, image), plain)


def test_only_the_end_of_a_style_is_continued():
    image, result = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 8, 8]) for name in ("x", "y"))
    model = helper.make_model(helper.make_graph([helper.make_node("Tanh", ["x"], ["y"])], "g", [image], [result]))
    with pytest.raises(SakugaError, match="ends in Clip or QuantizeLinear, not in Tanh"):
        add_palette(model, "hayao")


def test_films_are_named(tmp_path, capsys):
    with pytest.raises(UsageError, match="--palette must be one of hosoda, hayao, shinkai, paprika, not 'sepia'"):
        recolor(colors(SEEN), "sepia")
    assert main(["export", str(tmp_path), "-o", str(tmp_path / "x.onnx"), "--palette", "sepia"]) == 2
    assert "--palette must be one of" in capsys.readouterr().err
