"""Small style files, made here: the tests need no trained network."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CARD: dict[str, Any] = {
    "name": "made",
    "title": "Made for a test",
    "system": "none",
    "config": {"steps": 0},
    "data": [{"name": "nothing", "licence": "CC0-1.0", "use": "photos"}],
    "licence": "Apache-2.0",
    "multiple": 1,
    "receptive_field": 1,
    "date": "2026-01-31",
    "version": "1",
    "sha256": "0" * 64,
    "scale": 1,
    "match_histogram": False,
    "local_receptive_field": 0,
}
KINDS = {
    "identity": (1, 1),
    "invert": (1, 1),
    "blur": (1, 3),
    "strided": (4, 20),
    "global": (1, 0),
    "double": (1, 3),
    "asks": (1, 1),
}
"""Each kind's true multiple and receptive field."""
ASKS: list[dict[str, Any]] = [
    {"name": "image", "kind": "picture"},
    {"name": "tint", "kind": "choice", "names": ["red", "green", "blue"]},
    {"name": "gain", "kind": "number", "minimum": 0.25, "maximum": 2.0, "default": 1.0},
    {"name": "other", "kind": "picture"},
    {"name": "z", "kind": "noise", "size": 4},
]
"""The inputs of the kind `asks`."""


def make_style(path: Path, kind: str = "identity", **changes: Any) -> Path:
    """Write a style file whose network is `kind`; `changes` are of the card (None leaves a field out).

    identity, invert; blur: the mean of 3x3, reflected at the border; strided: two random 3x3 convolutions at a quarter
    of the resolution, zero-padded; global: takes the picture's mean away; double: blur, enlarged twice; asks: the
    picture times `gain` (a number), `tint` (red, green or blue) brighter by one, the mean of a second picture `other`
    and a tenth of that of the noise `z` (of 4) added; and, no styles: half (half the size), endless, two_inputs,
    other_name, integer, fixed_size, no_output, no_card, nan.
    """
    onnx = pytest.importorskip("onnx")
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    name = "photo" if kind == "other_name" else "image"
    size = [8, 8] if kind == "fixed_size" else ["H", "W"]
    dtype = onnx.TensorProto.INT32 if kind == "integer" else float32
    inputs = [helper.make_tensor_value_info(name, dtype, [1, 3, *size])]
    weights = []

    def constant(key: str, value: Any) -> str:
        weights.append(onnx.numpy_helper.from_array(np.asarray(value), key))
        return key

    def node(operator: str, *parts: str, to: str = "out", **options: Any) -> Any:
        return helper.make_node(operator, list(parts), [to], **options)

    if kind == "invert":
        nodes = [node("Neg", "image")]
    elif kind in ("blur", "double"):
        pads = constant("pads", np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
        kernel = constant("kernel", np.full((3, 1, 3, 3), 1 / 9, np.float32))
        nodes = [node("Pad", "image", pads, to="padded", mode="reflect"), node("Conv", "padded", kernel, group=3)]
        if kind == "double":
            nodes[-1] = node("Conv", "padded", kernel, to="blurred", group=3)
            scales = constant("scales", np.array([1, 1, 2, 2], np.float32))
            nodes.append(node("Resize", "blurred", "", scales, mode="nearest"))
    elif kind == "strided":
        random = np.random.default_rng(0)
        first = constant("first", random.normal(0, 0.1, (16, 48, 3, 3)).astype(np.float32))
        second = constant("second", random.normal(0, 0.1, (48, 16, 3, 3)).astype(np.float32))
        nodes = [
            node("SpaceToDepth", "image", to="deep", blocksize=4),
            node("Conv", "deep", first, to="middle", pads=[1, 1, 1, 1]),
            node("Relu", "middle", to="active"),
            node("Conv", "active", second, to="last", pads=[1, 1, 1, 1]),
            node("DepthToSpace", "last", blocksize=4),
        ]
    elif kind == "global":
        nodes = [node("ReduceMean", "image", to="mean", axes=[2, 3]), node("Sub", "image", "mean")]
    elif kind == "half":
        nodes = [node("AveragePool", "image", kernel_shape=[2, 2], strides=[2, 2])]
    elif kind == "nan":
        nodes = [node("Log", "image")]  # of negative numbers
    elif kind == "two_inputs":
        inputs.append(helper.make_tensor_value_info("other", float32, [1, 3, *size]))
        nodes = [node("Add", "image", "other")]
    elif kind == "asks":
        shapes: dict[str, list[Any]] = {"tint": [1, 3], "gain": [1], "other": [1, 3, "h", "w"], "z": [1, 4]}
        inputs += [helper.make_tensor_value_info(key, float32, shape) for key, shape in shapes.items()]
        reshape, tenth = constant("reshape", np.array([1, 3, 1, 1])), constant("tenth", np.float32(0.1))
        nodes = [
            node("Mul", "image", "gain", to="scaled"),
            node("Reshape", "tint", reshape, to="colour"),
            node("Add", "scaled", "colour", to="coloured"),
            node("ReduceMean", "other", to="mean", axes=[2, 3]),
            node("Add", "coloured", "mean", to="mixed"),
            node("ReduceMean", "z", to="drawn", keepdims=0),
            node("Mul", "drawn", tenth, to="little"),
            node("Add", "mixed", "little"),
        ]
    elif kind == "endless":
        passed = [("again", onnx.TensorProto.BOOL, []), ("x", float32, None)]
        body = helper.make_graph(
            [helper.make_node("Identity", ["again"], ["go"]), helper.make_node("Neg", ["x"], ["y"])],
            "body",
            [helper.make_tensor_value_info(*one) for one in (("i", onnx.TensorProto.INT64, []), *passed)],
            [helper.make_tensor_value_info(n, *one[1:]) for n, one in zip(("go", "y"), passed, strict=True)],
        )
        nodes = [node("Loop", constant("n", np.int64(10**12)), constant("true", np.bool_(True)), "image", body=body)]
    elif kind == "integer":
        nodes = [helper.make_node("Cast", ["image"], ["out"], to=float32)]
    else:
        nodes = [node("Identity", name)]
    out_size = ["h", "w"] if kind in ("half", "double") else size
    outputs = [helper.make_tensor_value_info("out", float32, [1, 3, *out_size])] if kind != "no_output" else []
    graph = helper.make_graph(nodes, "style", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if kind != "no_card":
        multiple, receptive_field = KINDS.get(kind, (1, 1))
        base = {**CARD, "name": path.stem, "multiple": multiple, "receptive_field": receptive_field}
        base |= {"inputs": ASKS} if kind == "asks" else {}
        base |= {"scale": 2 if kind == "double" else 1, **changes}
        text = json.dumps({key: value for key, value in base.items() if value is not None})
        helper.set_model_props(model, {"sakuga": text})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path
