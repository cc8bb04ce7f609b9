"""Style files made to hurt: cards that lie, networks that reach for other files, for all memory or for ever.

Each is named; `done` or `refused` is what must become of it after one picture.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from made_style import CARD, make_style
from onnx import TensorProto, helper, numpy_helper

DONE, REFUSED, EITHER = {"done"}, {"refused"}, {"done", "refused"}


def with_card(path: Path, text: str) -> bytes:
    """A style whose card is this text."""
    model = onnx.load(make_style(path, "blur"))
    helper.set_model_props(model, {"sakuga": text})
    return model.SerializeToString()


def cards(folder: Path) -> dict[str, tuple[set[str], bytes]]:
    def card(**changes: Any) -> bytes:
        return with_card(folder / "card.onnx", json.dumps({**CARD, "receptive_field": 3, **changes}))

    found = {
        "deep JSON": (REFUSED, with_card(folder / "deep.onnx", "[" * 100_000)),
        "deep config": (REFUSED, with_card(folder / "c.onnx", '{"config":' * 50_000 + "1" + "}" * 50_000)),
        "no JSON": (REFUSED, with_card(folder / "n.onnx", "{")),
        "a number of 10,000 digits": (REFUSED, with_card(folder / "d.onnx", "1" * 10_000)),
        "multiple that does not fit": (EITHER, make_style(folder / "m.onnx", "strided", multiple=3).read_bytes()),
        "scale of a style that keeps the size": (REFUSED, make_style(folder / "s.onnx", "blur", scale=2).read_bytes()),
        "size of a style that enlarges": (REFUSED, make_style(folder / "e.onnx", "double", scale=1).read_bytes()),
        "no numbers": (REFUSED, make_style(folder / "nan.onnx", "nan").read_bytes()),
    }
    lies: list[tuple[str, Any]] = [
        *(("multiple", lie) for lie in (0, -1, 10**30, 1.5, float("nan"), "4", None, True, [4])),
        *(("scale", lie) for lie in (0, -1, 10**30, 1.5, float("inf"), "2", None, True)),
        *(("receptive_field", lie) for lie in (-1, 10**30, 1.5, float("nan"), "3", None)),
        *(("name", lie) for lie in ("../../up", "a/b", "", "\0", "a\nb", 7, None)),
        *(("title", lie) for lie in ("\ud800", "\x1b[2J", "two\nlines", 7)),
        *(("licence", lie) for lie in ("\ud800", "\x1b[2J", [])),
        *(("data", lie) for lie in (7, [7], [{}], [{"name": 1, "licence": [], "use": None}])),
        *(("config", lie) for lie in (7, [], "x")),
        *(("date", lie) for lie in ("yesterday", 7, "9" * 5000)),
        *(("sha256", lie) for lie in ("g" * 64, "0" * 63, 7)),
    ]
    for field, lie in lies:
        found[f"card with {field} = {str(lie)[:20]!r}"] = REFUSED, card(**{field: lie})
    return found


def model(nodes: list[Any], weights: list[Any] = [], **value: Any) -> bytes:  # noqa: B006
    """An ONNX file with a card around these nodes, from `image` to `out`."""
    shape = [1, 3, "H", "W"]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("image", "out")]
    graph = helper.make_graph(nodes, "style", ends[:1], ends[1:], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(made, {"sakuga": json.dumps({**CARD, "receptive_field": 0})})
    return made.SerializeToString()


def external(location: str, **more: str) -> bytes:
    """A style whose one weight lies in another file."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, "length": "4", "offset": "0", **more}.items():
        weight.external_data.add(key=key, value=value)
    return model([helper.make_node("Add", ["image", "w"], ["out"])], [weight])


def looping(turns: int) -> bytes:
    """A style that adds zero to the picture so many times."""
    step, keep, image = (
        helper.make_tensor_value_info("i", TensorProto.INT64, []),
        helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
    )
    ends = [helper.make_tensor_value_info("on", TensorProto.BOOL, [])]
    ends.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, None))
    body = [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Neg", ["x"], ["y"])]
    graph = helper.make_graph(body, "body", [step, keep, image], ends)
    weights = [numpy_helper.from_array(np.array(turns), "n"), numpy_helper.from_array(np.array(True), "true")]
    return model([helper.make_node("Loop", ["n", "true", "image"], ["out"], body=graph)], weights)


def networks(folder: Path) -> dict[str, tuple[set[str], bytes]]:
    (folder / "secret.bin").write_bytes(np.float32(0.5).tobytes())
    huge = numpy_helper.from_array(np.array([1 << 18, 1 << 18]), "shape")
    terabytes = [
        helper.make_node("ConstantOfShape", ["shape"], ["ones"]),
        helper.make_node("ReduceMax", ["ones"], ["top"], keepdims=0),
        helper.make_node("Add", ["image", "top"], ["out"]),
    ]
    grown = numpy_helper.from_array(np.array([1, 1, 4096, 4096], np.float32), "scales")
    found = {
        "a loop of 1,000 turns": (DONE, looping(1000)),
        "256 GiB of a constant": (REFUSED, model(terabytes, [huge])),
        "sixteen million times as large": (
            REFUSED,
            model([helper.make_node("Resize", ["image", "", "scales"], ["out"])], [grown]),
        ),
        "an operator that is not": (REFUSED, model([helper.make_node("Format", ["image"], ["out"], domain="disk")])),
        "a node of nothing": (REFUSED, model([helper.make_node("Identity", ["nothing"], ["out"])])),
        "a graph that goes round": (
            REFUSED,
            model([helper.make_node("Add", ["image", "b"], ["out"]), helper.make_node("Neg", ["out"], ["b"])]),
        ),
        "no nodes": (REFUSED, model([])),
        "garbage": (REFUSED, np.random.default_rng(0).bytes(5000)),
        "nothing": (REFUSED, b""),
        "a picture": (REFUSED, b"\x89PNG\r\n\x1a\n" + bytes(100)),
    }
    for location in (
        str(folder / "secret.bin"),
        "/etc/passwd",
        "../secret.bin",
        "secret.bin",
        "",
        "*/_ORT_MEM_ADDR_/*",
    ):
        found[f"weights in {location[-14:]!r}"] = REFUSED, external(location)
    found["weights of 2**62 bytes elsewhere"] = REFUSED, external("secret.bin", length=str(2**62))
    return found
