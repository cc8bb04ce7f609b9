"""A style may be painted over the light and shade of another: of an embedded one, a still picture at its best."""

import json

import numpy as np
import pytest
from made_style import make_style

from sakuga.errors import SakugaError
from sakuga.picture import Frame, Picture
from sakuga.style.card import Card
from sakuga.style.file import read
from sakuga.stylizer import Stylizer

GROUND = "anime"


def photo(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (96, 80, 3), np.uint8)


@pytest.fixture
def over(tmp_path):
    """A style that is painted over the first of the package."""
    return make_style(tmp_path / "over.onnx", "strided", underpainting=GROUND)


@pytest.fixture
def plain(tmp_path):
    return make_style(tmp_path / "plain.onnx", "strided")


def still(stylizer, rgb):
    return stylizer.picture(Picture([Frame(rgb)])).frames[0].rgb


def test_a_still_picture_is_painted_in_both(over, plain):
    ground = Stylizer(GROUND, quality="best", keep_color=True, precision="fp32")
    by_hand = Stylizer(plain, quality="best", after=ground).array(photo())
    np.testing.assert_array_equal(still(Stylizer(over), photo()), by_hand)
    np.testing.assert_array_equal(Stylizer(over, quality="best").array(photo()), by_hand)
    assert np.abs(by_hand.astype(int) - still(Stylizer(plain), photo())).max() > 8


def test_frames_and_the_fast_quality_are_not(over, plain):
    alone = Stylizer(plain, quality="fast").array(photo())
    np.testing.assert_array_equal(Stylizer(over, quality="fast").array(photo()), alone)
    np.testing.assert_array_equal(Stylizer(over).array(photo()), alone)
    np.testing.assert_array_equal(still(Stylizer(over, quality="fast"), photo()), alone)
    animated = Stylizer(over).picture(Picture([Frame(photo()), Frame(photo(1))]))
    np.testing.assert_array_equal(animated.frames[0].rgb, alone)


def test_the_look_is_that_of_both(over):
    np.testing.assert_array_equal(still(Stylizer(over, strength=0), photo()), photo())
    gray = np.repeat(photo()[..., :1], 3, axis=2)
    kept = still(Stylizer(over, keep_color=True), gray)
    assert np.abs(kept.astype(int) - kept[..., :1]).max() <= 2


def test_threads_and_identity_know_of_it(over, plain, monkeypatch):
    worker = Stylizer(over, quality="best")
    assert worker.with_threads(1).underpainting.threads == 1
    monkeypatch.setattr("sakuga.stylizer.stylizer.cores", lambda: 2)
    assert worker.for_frames()[0].underpainting._at_once == 2
    np.testing.assert_array_equal(worker.with_threads(1).array(photo()), worker.array(photo()))
    assert worker.identity["underpainting"]["style"] == Stylizer(GROUND).style.file_sha256
    assert Stylizer(plain).identity["underpainting"] is None
    assert worker.name == "over"


@pytest.mark.parametrize("name", [7, "../secret", "a b", "x" * 65, None])
def test_a_card_names_a_style_and_no_file(over, name):
    told = json.loads(read(over).card.to_json()) | {"underpainting": name}
    with pytest.raises(SakugaError, match="underpainting must name a style"):
        Card.from_json(json.dumps(told))


@pytest.mark.parametrize("more", [{"scale": 2}, {"size": [64, 64]}])
def test_only_styles_of_any_size_are_painted_over(over, more):
    with pytest.raises(SakugaError, match="underpainting may only be of"):
        Card.from_json(json.dumps(json.loads(read(over).card.to_json()) | more))


def test_one_that_is_not_in_the_package_is_told(tmp_path):
    style = make_style(tmp_path / "over.onnx", "strided", underpainting="gone")
    with pytest.raises(SakugaError, match="over is painted over gone: no style called gone came with this version"):
        Stylizer(style)
    assert Stylizer(style, quality="fast").array(photo()).shape == photo().shape


def test_cards_of_before_have_none(plain):
    assert "underpainting" not in read(plain).card.to_json()
