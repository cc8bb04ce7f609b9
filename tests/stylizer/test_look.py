"""The options of a look are declared once: everything that takes them has them all."""

from dataclasses import fields

import numpy as np
import pytest

import sakuga
from sakuga.cli import main
from sakuga.errors import UsageError
from sakuga.stylizer import Look, Stylizer, stylizer

CHANGED = {
    "strength": 0.5,
    "keep_color": True,
    "max_side": 20,
    "brush": 2.0,
    "quality": "fast",
    "faces": True,
    "precision": "fp32",
}
"""A value of each option that is not its default."""


@pytest.fixture(autouse=True)
def no_faces(monkeypatch):
    """What finds faces is there, and finds none."""
    monkeypatch.setattr(stylizer, "missing", lambda: None)
    monkeypatch.setattr(stylizer, "find_faces", lambda rgb: [])


def test_each_option_is_tried_here():
    assert set(CHANGED) == {one.name for one in fields(Look)}


def test_the_command_has_every_option_and_its_help(capsys):
    assert main(["stylize", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for option in CHANGED:
        assert f"--{option.replace('_', '-')} " in shown
    assert "From 0, the photo itself, to 1, the full style." in shown


@pytest.mark.parametrize("option", CHANGED)
def test_a_look_and_its_options_by_keyword_are_the_same(made_style, option):
    photo = np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8)
    changed = {option: CHANGED[option]}
    assert Stylizer(made_style("invert"), **changed).look == Look(**changed)
    by_keyword = sakuga.stylize(photo, made_style("invert"), **changed)
    assert by_keyword == sakuga.stylize(photo, made_style("invert"), Look(**changed))


def test_a_keyword_changes_a_look():
    assert Stylizer(look=Look(strength=0.5, keep_color=True), strength=0.2).look == Look(0.2, keep_color=True)


@pytest.mark.parametrize("option", CHANGED)
def test_a_video_goes_on_only_with_the_same_look(made_style, option):
    style = made_style("invert")
    assert Stylizer(style).identity == Stylizer(style).identity
    assert Stylizer(style).identity != Stylizer(style, **{option: CHANGED[option]}).identity


@pytest.mark.parametrize("precision", ["fp64", None, 8])
def test_an_unknown_precision(precision):
    with pytest.raises(UsageError, match="precision must be one of auto, fp32, int8, bf16, not"):
        Look(precision=precision)


def test_an_unknown_quality():
    with pytest.raises(UsageError, match="quality must be one of auto, fast, best, not 'high'"):
        Look(quality="high")
