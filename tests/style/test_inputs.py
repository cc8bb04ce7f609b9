"""What styles ask for beside the photo: declared on the card, checked, and made into arrays."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_style import ASKS, CARD, make_style
from PIL import Image

from sakuga.errors import SakugaError, UsageError
from sakuga.style import Card, read
from sakuga.style.inputs import PICTURE, Input, assignments, check, describe
from sakuga.style.values import MAX_SIDE, arrays

HAIR = Input("hair", "choice", names=("blond", "brown"))
TRAITS = Input("traits", "choices", names=("smiling", "male", "young"), default=())
AGE = Input("age", "number", minimum=-1, maximum=2.5, default=0.5)
NOISE = Input("z", "noise", size=8)
CODE = Input("code", "vector", size=3)
FACE = Input("face", "points", size=2)
WORDS = Input("words", "text", size=4, names=("", "a", "red", "bird"))
OTHER = Input("other", "picture")
ALL = [PICTURE, HAIR, TRAITS, AGE, NOISE, CODE, FACE, WORDS, OTHER]


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.kind + "-" + one.name)
def test_round_trip_through_json(one):
    assert Input.from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize(
    ("one", "text", "value", "target"),
    [
        (HAIR, "brown", "brown", [[0, 1]]),
        (TRAITS, "young, smiling", ["smiling", "young"], [[1, 0, 1]]),
        (TRAITS, "", [], [[0, 0, 0]]),
        (AGE, "-0.25", np.float32(-0.25), [-0.25]),
        (CODE, "1,-2,3.5", np.array([1, -2, 3.5]), [[1, -2, 3.5]]),
        (FACE, "1,2 3,4", [(1, 2), (3, 4)], [[[1, 2], [3, 4]]]),
        (WORDS, "a red  bird", ["a", "red", "bird"], [[1, 2, 3, 0]]),
    ],
)
def test_text_and_values_make_the_same_array(one, text, value, target):
    for given_ in (text, value):
        array = arrays([one], {one.name: given_}, style="s")[one.name]
        assert array.shape == one.shape
        assert array.dtype == (np.int64 if one.kind == "text" else np.float32)
        np.testing.assert_array_equal(array, target)


def test_noise_is_drawn_from_its_seed():
    first, again, other, usual = (
        arrays([NOISE], values, style="s")["z"] for values in ({"z": 5}, {"z": "5"}, {"z": 6}, {})
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).min() > 0
    np.testing.assert_array_equal(usual, arrays([NOISE], {"z": 0}, style="s")["z"])
    many = arrays([Input("z", "noise", size=20_000)], {}, style="s")["z"]
    assert abs(many.mean()) < 0.03
    assert abs(many.std() - 1) < 0.03
    own = np.arange(8.0)
    np.testing.assert_array_equal(arrays([NOISE], {"z": own}, style="s")["z"], own[None])


@pytest.mark.parametrize(
    ("one", "value", "sentence"),
    [
        (HAIR, "green", "hair must be one of blond, brown, not 'green'"),
        (HAIR, 1, "hair must be one of blond, brown, not 1"),
        (TRAITS, "young,old", "traits must be any of smiling, male, young, with commas between, not 'young,old'"),
        (AGE, "old", "age must be a number from -1 to 2.5, not 'old'"),
        (AGE, 2.6, "age must be a number from -1 to 2.5, not 2.6"),
        (AGE, "nan", "age must be a number"),
        (AGE, "9" * 5000, "age must be a number"),
        (AGE, True, "age must be a number"),
        (AGE, [1, 2], "age must be a number"),
        (NOISE, -1, "z must be a whole number from 0, the seed, not -1"),
        (NOISE, 1.5, "z must be a whole number"),
        (NOISE, "1" * 5000, "z must be a whole number"),
        (NOISE, [1.0, 2.0], "z must be a whole number"),
        (CODE, "1,2", "code must be 3 numbers, with commas between, not '1,2'"),
        (CODE, [1, 2, float("inf")], "code must be 3 numbers"),
        (FACE, [1, 2, 3], "face must be x and y of 2 points"),
        (WORDS, "a blue bird", "words must be at most 4 of its words: a, red, bird, not 'a blue bird'"),
        (WORDS, "a a a a a", "words must be at most 4"),
        (OTHER, None, "other must be a picture"),
    ],
)
def test_wrong_values_are_told_with_what_may_be(one, value, sentence):
    with pytest.raises(UsageError, match=sentence.replace("(", "\\(")) as caught:
        check([one if one.kind != "picture" else PICTURE, one], {one.name: value}, "s")
    assert len(str(caught.value)) < 200


def test_names():
    assert check([PICTURE, HAIR, AGE, NOISE], {"hair": "blond"}, "s") == {"hair": "blond", "age": 0.5, "z": 0}
    with pytest.raises(UsageError, match=r"style s has no input 'hari': it takes hair \(one of blond, brown\)$"):
        check([PICTURE, HAIR], {"hari": "blond"}, "s")
    with pytest.raises(UsageError, match=r"style s has no input 'image': it takes nothing but the picture$"):
        check([PICTURE], {"image": 1}, "s")
    with pytest.raises(UsageError, match=r"style s needs hair, one of blond, brown: give --set hair=VALUE$"):
        check([PICTURE, HAIR], {}, "s")


def test_assignments():
    assert assignments(["a=b", "path=c=d.png", "empty="]) == {"a": "b", "path": "c=d.png", "empty": ""}
    for text in ("hair", "=blond", ""):
        with pytest.raises(UsageError, match="must be NAME=VALUE"):
            assignments([text])
    with pytest.raises(UsageError, match=r"^--set hair is given twice, as blond and as red: give it once$"):
        assignments(["hair=blond", "z=1", "hair=red"])


def test_a_reference_is_read_from_anything_and_brought_to_a_size_that_fits(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for value in (pixels, Image.fromarray(pixels), str(tmp_path / "a.png"), (tmp_path / "a.png").read_bytes()):
        array = arrays([PICTURE, OTHER], {"other": value}, style="s")["other"]
        np.testing.assert_allclose(array[0].transpose(1, 2, 0), pixels / 127.5 - 1, atol=1e-6)

    def sides(shape, **options):
        return arrays([PICTURE, OTHER], {"other": np.zeros((*shape, 3), np.uint8)}, style="s", **options)["other"].shape

    assert sides((70, 90), multiple=32) == (1, 3, 64, 96)
    assert sides((1000, 3000)) == (1, 3, round(1000 * MAX_SIDE / 3000), MAX_SIDE)
    assert sides((1, 3), multiple=48) == (1, 3, 96, 96)
    assert sides((70, 90), size=(20, 30)) == (1, 3, 20, 30)
    with pytest.raises(SakugaError, match=r"gone\.png"):
        arrays([PICTURE, OTHER], {"other": "gone.png"}, style="s")


def test_what_a_form_is_made_of():
    assert describe([HAIR, AGE]) == [
        {
            "name": "hair",
            "kind": "choice",
            "names": ["blond", "brown"],
            "required": True,
            "expects": "one of blond, brown",
        },
        {
            "name": "age",
            "kind": "number",
            "minimum": -1,
            "maximum": 2.5,
            "default": 0.5,
            "required": False,
            "expects": "a number from -1 to 2.5",
        },
    ]


# --- on cards


def card(**changes):
    return Card.from_json(json.dumps({**CARD, **changes}))


def test_an_old_card_means_the_photo_alone():
    assert card().inputs == (PICTURE,)
    assert card().photo == "image"


def test_inputs_on_a_card_round_trip():
    made = card(inputs=[one.to_json() for one in ALL], size=[64, 32])
    assert made.inputs == tuple(ALL)
    assert (made.size, made.frame, made.reach) == ((64, 32), None, 0)
    assert Card.from_json(made.to_json()) == made
    assert card(inputs=[NOISE.to_json()]).photo is None


@pytest.mark.parametrize(
    "entry",
    [
        3,
        {},
        {"name": "a"},
        {"name": "a b", "kind": "picture"},
        {"name": "given", "kind": "number"},
        {"name": "a", "kind": "sound"},
        {"name": "a", "kind": ["picture"]},
        {"name": "a", "kind": "noise"},
        {"name": "a", "kind": "noise", "size": 10**9},
        {"name": "a", "kind": "number", "size": 3},
        {"name": "a", "kind": "choice"},
        {"name": "a", "kind": "choice", "names": "abc"},
        {"name": "a", "kind": "choice", "names": ["x", "x"]},
        {"name": "a", "kind": "choice", "names": ["x", ["y"]]},
        {"name": "a", "kind": "choice", "names": ["x\u202ey"]},
        {"name": "a", "kind": "choices", "names": ["x,y", "z"]},
        {"name": "a", "kind": "choice", "names": ["x"], "default": "y"},
        {"name": "a", "kind": "number", "minimum": 1, "maximum": 1},
        {"name": "a", "kind": "number", "maximum": float("inf")},
        {"name": "a", "kind": "number", "maximum": 10**400},
        {"name": "a", "kind": "number", "minimum": "0"},
        {"name": "a", "kind": "number", "default": 3},
        {"name": "a", "kind": "picture", "default": "x.png"},
    ],
)
def test_a_declaration_that_cannot_be_is_refused(entry):
    with pytest.raises(SakugaError, match="card's input") as caught:
        card(inputs=[PICTURE.to_json(), entry])
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("inputs", [[], {}, [PICTURE.to_json()] * 2, [PICTURE.to_json()] * 10**5])
def test_a_list_of_inputs_that_cannot_be_is_refused(inputs):
    with pytest.raises(SakugaError, match="card's inputs must be"):
        card(inputs=inputs)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.sampled_from([one for one in ALL if one.kind != "picture"]), ANYTHING)
def test_any_value_is_taken_or_refused_in_a_sentence(one, value):
    array, sentence = None, ""
    try:
        array = arrays([one], {one.name: value}, style="s")[one.name]
    except UsageError as error:
        sentence = str(error)
    if array is None:
        assert sentence.startswith(f"{one.name} must be ")
    else:
        assert array.shape == one.shape
        assert np.isfinite(array).all()


@given(st.fixed_dictionaries({"name": st.just("a"), "kind": st.sampled_from([one.kind for one in ALL])}, optional={
    "size": ANYTHING, "names": ANYTHING, "minimum": ANYTHING, "maximum": ANYTHING, "default": ANYTHING}))  # fmt: skip
def test_any_declaration_is_taken_or_refused_in_a_sentence(entry):
    made, sentence = None, ""
    try:
        made = card(inputs=[entry])
    except SakugaError as error:
        sentence = str(error)
    if made is None:
        assert "card's input" in sentence
        assert sentence.isprintable()
    else:
        assert Card.from_json(made.to_json()) == made


# --- of networks


def test_a_style_that_asks_is_read(tmp_path):
    made = read(make_style(tmp_path / "asks.onnx", "asks"))
    assert [one.to_json() for one in made.card.inputs] == [Input.from_json(one).to_json() for one in ASKS]
    assert made.describe()["inputs"][1] == ASKS[1]


def test_a_text_of_several_sentences():
    one = Input("text", "text", size=3, names=("", "then", "a", "red", "bird"), sentences=2)
    assert one.shape == (1, 2, 3)
    assert one.check("A red bird then a Bird") == ("a", "red", "bird", "then", "a", "bird")
    values = arrays([one], {"text": "a red bird then a bird"}, style="s")["text"]
    assert values.dtype == np.int64
    assert values.tolist() == [[[2, 3, 4], [2, 4, 0]]]
    assert arrays([one], {"text": "bird"}, style="s")["text"].tolist() == [[[4, 0, 0], [0, 0, 0]]]
    assert Input.from_json(one.to_json()) == one
    for wrong in ("a a a a", "a then a then a", "a cat"):
        with pytest.raises(
            UsageError, match="up to 2 sentences with 'then' between, each at most 3 of its words: a, red"
        ):
            one.check(wrong)
    for wrong in ({"names": ("", "a")}, {"sentences": 0}, {"kind": "vector", "names": ()}, {"size": 60_000}):
        with pytest.raises(SakugaError, match=r"text (has|must have)"):
            replace(one, **wrong)


@pytest.mark.parametrize(
    "inputs",
    [
        ASKS[:-1],
        [*ASKS, {"name": "more", "kind": "number"}],
        [*ASKS[:-1], {"name": "z", "kind": "noise", "size": 5}],
        [*ASKS[:-1], {"name": "z", "kind": "text", "size": 4, "names": ["", "a"]}],
        [*ASKS[:-1], {"name": "z", "kind": "points", "size": 4}],
    ],
    ids=["fewer", "more", "size", "type", "rank"],
)
def test_a_network_that_takes_something_else_is_refused(tmp_path, inputs):
    with pytest.raises(
        SakugaError, match=r"its network must take what its card says, image float32 \(1, 3, any, any\)"
    ):
        read(make_style(tmp_path / "lies.onnx", "asks", inputs=inputs))


def test_a_fixed_size_stands_on_the_card(tmp_path):
    made = read(make_style(tmp_path / "fixed.onnx", "fixed_size", size=[8, 8]))
    assert made.card.size == (8, 8)
    for size in ([8, 9], None):
        with pytest.raises(SakugaError, match="its network must take"):
            read(make_style(tmp_path / "lies.onnx", "fixed_size", size=size))
