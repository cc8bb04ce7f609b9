"""Styles that ask for more than the photo: every engine, tiles, batches and video give them what was set."""

import json
from dataclasses import replace

import av
import numpy as np
import pytest
from made_style import ASKS, CARD, make_style
from PIL import Image

import sakuga
from sakuga.cli import main
from sakuga.errors import UsageError
from sakuga.style import read
from sakuga.stylizer import Stylizer, painter
from sakuga.stylizer.frozen import freeze

GRAY = np.full((70, 80, 3), 100, np.uint8)
RED = Image.new("RGB", (64, 64), (255, 0, 0))  # its mean is 1, -1, -1


@pytest.fixture
def style(style_folder):
    return read(make_style(style_folder / "asks.onnx", "asks"))


def values(**changes):
    return {
        "tint": "green",
        "gain": 0.5,
        "other": Image.new("RGB", (64, 64), (128, 128, 128)),
        "z": [0, 0, 0, 0],
    } | changes


def target(photo, tint, gain, other=(0, 0, 0), z=0.0):
    colour = np.array([tint == name for name in ("red", "green", "blue")], float)
    result = (photo / 127.5 - 1) * gain + colour + np.array(other) + 0.1 * z
    return np.rint((result.clip(-1, 1) + 1) * 127.5)


def test_what_was_set_reaches_the_network(style):
    for changes, expected in (
        ({}, target(GRAY, "green", 0.5)),
        ({"tint": "blue", "gain": "2"}, target(GRAY, "blue", 2)),
        ({"other": RED}, target(GRAY, "green", 0.5, (1, -1, -1))),
        ({"z": [1, 2, 3, 2]}, target(GRAY, "green", 0.5, z=2)),
    ):
        result = Stylizer(style, inputs=values(**changes)).array(GRAY)
        assert np.abs(result - expected).max() <= 1


def test_by_keyword_beside_the_look(style):
    result = sakuga.stylize(GRAY, style, strength=0.5, **values())
    assert np.abs(np.asarray(result) - (GRAY + target(GRAY, "green", 0.5)) / 2).max() <= 1
    with pytest.raises(UsageError, match="style asks has no input 'strenght': it takes tint"):
        sakuga.stylize(GRAY, style, strenght=0.5, **values())


def test_a_style_that_knows_a_strength_is_given_the_looks(tmp_path):
    """The photo is not mixed in then: the network does less."""
    onnx, path = pytest.importorskip("onnx"), make_style(tmp_path / "asks.onnx", "asks")
    model = onnx.load(path)
    for names in (model.graph.node[0].input, [one for one in model.graph.input if one.name == "gain"]):
        for place, one in enumerate(names):
            if one == "gain":
                names[place] = "strength"
            elif not isinstance(one, str):
                one.name = "strength"
    card = json.loads(model.metadata_props[0].value)
    card["inputs"][2] |= {"name": "strength", "minimum": 0.0}
    model.metadata_props[0].value = json.dumps(card)
    onnx.save(model, path)
    given = {name: value for name, value in values().items() if name != "gain"}
    for result in (
        Stylizer(path, inputs=given, strength=0.5).array(GRAY),
        Stylizer(path, inputs={**given, "strength": "0.5"}).array(GRAY),
    ):
        assert np.abs(result - target(GRAY, "green", 0.5)).max() <= 1
    assert (Stylizer(path, inputs=given, strength=0.0).array(GRAY) == GRAY).all()


def test_tiles(style, monkeypatch):
    photo = np.random.default_rng(0).integers(0, 256, (150, 210, 3), np.uint8)
    whole = Stylizer(style, inputs=values()).array(photo)
    monkeypatch.setattr(painter, "MAX_TILE_PIXELS", 80**2)
    np.testing.assert_array_equal(Stylizer(style, inputs=values()).array(photo), whole)


def test_tiles_of_a_style_that_measures_the_picture(style):
    """Frozen statistics and inputs go into the same run."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(style.path)
    scalar = [onnx.helper.make_tensor_value_info(name, kind, []) for name, kind in (("measure", 9), ("frozen", 9))]
    model.graph.input.extend([*scalar, onnx.helper.make_tensor_value_info("given", 1, [1])])
    for name, array in (("measure", np.array(False)), ("frozen", np.array(False)), ("given", np.zeros(1, np.float32))):
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    model.graph.node[-1].output[0] = "before"
    model.graph.node.extend(
        [
            onnx.helper.make_node("ReduceMean", ["image"], ["own"], keepdims=0),
            onnx.helper.make_node("Reshape", ["own", "one"], ["statistics"]),
            onnx.helper.make_node("Where", ["frozen", "given", "statistics"], ["used"]),
            onnx.helper.make_node("Add", ["before", "used"], ["out"]),
        ]
    )
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1]), "one"))
    model.graph.output.append(onnx.helper.make_tensor_value_info("statistics", 1, [1]))
    onnx.save(model, style.path)
    measuring = read(style.path)
    inputs = Stylizer(measuring, inputs=values()).inputs
    bright = np.full((3, 64, 64), 0.25, np.float32)
    engine = freeze(measuring, 1, bright, inputs)
    result = engine.run(np.zeros((3, 8, 8), np.float32))
    np.testing.assert_allclose(
        result[:, 0, 0], [0.25, 1.25, 0.25], atol=0.01
    )  # tint, and the mean of the other picture


def test_int8_and_full_precision_for_16_bits(style):
    """The variant in int8 has the same inputs beside the photo's pixels."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    numbers = {"tint": [1, 3], "gain": [1], "other": [1, 3, "h", "w"], "z": [1, 4]}
    nodes = [
        helper.make_node("Cast", ["pixels"], ["photo"], to=1),
        helper.make_node("Mul", ["photo", "gain"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["out"], to=2),
    ]
    graph = helper.make_graph(
        nodes,
        "int8",
        [helper.make_tensor_value_info("pixels", 2, [1, "H", "W", 3])]
        + [helper.make_tensor_value_info(name, 1, shape) for name, shape in numbers.items()],
        [helper.make_tensor_value_info("out", 2, [1, "H", "W", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    style = replace(style, int8=model.SerializeToString())
    stylised = Stylizer(style, inputs=values(), precision="int8")
    assert (stylised.array(GRAY) == 50).all()
    deep = stylised.array(GRAY.astype(np.uint16) * 257)
    assert np.abs(deep / 257 - target(GRAY, "green", 0.5)).max() <= 1


def test_bf16(style):
    pytest.importorskip("openvino")
    result = Stylizer(style, inputs=values(), precision="bf16").array(GRAY)
    assert np.abs(result - target(GRAY, "green", 0.5)).max() <= 3


def test_a_stylizer_with_other_threads_keeps_what_was_set(style):
    both = Stylizer(style, inputs=values(tint="blue"))
    np.testing.assert_array_equal(both.with_threads(1).array(GRAY), both.array(GRAY))


def test_a_video_goes_on_only_with_the_same_inputs(style):
    usual = Stylizer(style, inputs=values()).identity
    assert usual == Stylizer(style, inputs=values(gain="0.5")).identity
    for change in ({"gain": 0.6}, {"tint": "red"}, {"other": RED}, {"z": 1}):
        assert Stylizer(style, inputs=values(**change)).identity != usual


def test_a_style_without_a_picture_is_for_generate(tmp_path):
    onnx = pytest.importorskip("onnx")
    path = make_style(tmp_path / "draws.onnx", "asks")
    model = onnx.load(path)
    del model.graph.input[:], model.graph.node[:]
    model.graph.input.append(onnx.helper.make_tensor_value_info("z", 1, [1, 3]))
    model.graph.node.append(onnx.helper.make_node("Reshape", ["z", "reshape"], ["out"]))
    card = {**CARD, "inputs": [{"name": "z", "kind": "noise", "size": 3}]}
    onnx.helper.set_model_props(model, {"sakuga": json.dumps(card)})
    onnx.save(model, path)
    with pytest.raises(UsageError, match="style draws takes no picture, it makes its own: use `sakuga generate STYLE`"):
        Stylizer(path)


def test_a_style_of_fixed_size_is_given_the_whole_picture(tmp_path):
    """The style returns what it is given: a picture of any size must come back, at its size."""
    fixed = Stylizer(make_style(tmp_path / "fixed.onnx", "fixed_size", size=[8, 8]))
    np.testing.assert_array_equal(fixed.array(GRAY[:8, :8]), GRAY[:8, :8])
    for height, width in ((70, 80), (31, 90), (5, 3), (1, 40)):
        ramp = np.linspace(40, 200, height * width * 3).reshape(height, width, 3)
        for photo in (ramp.astype(np.uint8), (ramp * 257).astype(np.uint16)):
            result = fixed.array(photo)
            assert (result.shape, result.dtype) == (photo.shape, photo.dtype)
            assert np.abs(result / np.iinfo(photo.dtype).max - photo / np.iinfo(photo.dtype).max).max() < 0.02


# --- the command


@pytest.fixture
def here(style, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        Image.fromarray(GRAY).save(f"{name}.png")
    RED.save("red.png")


SET = ["--set", "tint=green", "--set", "gain=0.5", "--set", "other=red.png", "--set", "z=3"]


def test_set_on_one_picture_and_on_several(here, capsys):
    assert main(["a.png", "-s", "asks", *SET, "--keep-color"]) == 0
    assert main(["a.png", "b.png", "-s", "asks", *SET, "-o", "out"]) == 0
    one, several = np.asarray(Image.open("a.asks.png")), np.asarray(Image.open("out/b.asks.png"))
    options = {"tint": "green", "gain": 0.5, "other": "red.png", "z": 3}
    np.testing.assert_array_equal(several, sakuga.stylize(GRAY, "asks", **options))
    np.testing.assert_array_equal(one, sakuga.stylize(GRAY, "asks", keep_color=True, **options))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--set", "tint=red"], "sakuga: --set tint is given twice, as green and as red: give it once"),
        (["--set", "tint=pink"], "sakuga: tint must be one of red, green, blue, not 'pink'"),
        (["--set", "gain=3"], "sakuga: gain must be a number from 0.25 to 2, not '3'"),
        (
            ["--set", "hair=blond"],
            "sakuga: style asks has no input 'hair': it takes tint (one of red, green, blue), gain",
        ),
        (["--set", "hair"], "sakuga: --set hair must be NAME=VALUE, as in --set hair=blond"),
        (["--set", "other=gone.png"], "sakuga: gone.png "),
    ],
)
def test_set_wrongly(here, capsys, change, sentence):
    name = change[1].partition("=")[0]
    others = [] if "twice" in sentence else [one for one in SET if one.startswith(f"{name}=")]
    given = [text for text in SET[1::2] if text not in others]
    assert main(["a.png", "-s", "asks", *(word for text in given for word in ("--set", text)), *change]) in (1, 2)
    assert sentence in capsys.readouterr().err
    assert main(["a.png", "-s", "asks"]) == 2
    assert "style asks needs tint, one of red, green, blue: give --set tint=VALUE" in capsys.readouterr().err


def test_info_shows_what_is_asked(here, capsys):
    assert main(["info", "asks"]) == 0
    shown = capsys.readouterr().out
    for line in ("the photo", "tint: one of red, green, blue", "gain: a number from 0.25 to 2 (by default 1.0)"):
        assert line in shown
    assert "z: a whole number from 0, the seed (by default 0)" in shown
    assert main(["info", "asks", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["inputs"] == [
        one | {"maximum": 2.0} if "maximum" in one else one for one in ASKS
    ]


def test_info_says_that_a_picture_may_be_left_out(here, style_folder, capsys):
    inputs = [one | {"default": ""} if one["name"] == "other" else one for one in ASKS]
    make_style(style_folder / "may.onnx", "asks", inputs=inputs)
    assert main(["info", "may"]) == 0
    assert "other: a picture, or none (by default none)" in capsys.readouterr().out


@pytest.mark.parametrize("stable", [[], ["--stable"]], ids=["plain", "stable"])
def test_a_video(here, stable):
    with av.open("in.mp4", "w") as file:
        stream = file.add_stream("libx264", rate=25, width=80, height=70, pix_fmt="yuv444p")
        for _ in range(3):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(GRAY, format="rgb24")))
        file.mux(stream.encode())
    assert main(["in.mp4", "-s", "asks", *SET, *stable, "-o", "out.mp4"]) == 0
    with av.open("out.mp4") as file:
        frame = next(file.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    options = {"tint": "green", "gain": 0.5, "other": "red.png", "z": 3}
    assert np.abs(frame - np.asarray(sakuga.stylize(GRAY, "asks", **options))).mean() < 4
