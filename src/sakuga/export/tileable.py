"""What an ONNX network measures over a whole picture becomes something it can be given: tiles then agree.

Instance norm, layer norm, AdaLIN, LADE, AdaIN and attention maps take means, variances, maxima or sums over all
positions. A tile would measure itself. A network made switchable measures by default as it always did, tells what it
measured (`statistics`) when asked to `measure`, and with `frozen` uses what it is `given`, so that a pixel depends on
its surroundings alone.
"""

from collections.abc import Mapping

import numpy as np
import onnx
import torch
from onnx import GraphProto, ModelProto, NodeProto, helper
from torch import Tensor

from sakuga.export.trace import example, open_model, sizes
from sakuga.systems.artefact import Artefact

FLOAT, BOOL = onnx.TensorProto.FLOAT, onnx.TensorProto.BOOL
CANVASES = (256, 512, 1024)  # sides of the pictures on which a receptive field is looked for


def make_tileable(model: ModelProto, artefact: Artefact) -> ModelProto:
    """Give a traced network (output `stylised`, opset 17) switches for its statistics of its picture; changed in place.

    The new inputs may be left out: `measure` and `frozen`, truth values, and `given`, (K,) like the new output
    `statistics`, which is meaningful with `measure` or `frozen` only. A network that measures nothing stays as it is.

    Args:
        model: the network.
        artefact: what it was traced from, tileable; its other inputs are the same for every tile.

    Three things see all positions. Whatever is computed from them and has no positions itself (a mean, a γ) is replaced
    as a value. Instance norm becomes batch norm, and a softmax over positions exp(z − max) / Σ with max and Σ given.
    Others, such as attention between positions, cannot be switched and stay: `receptive_field` finds them out.
    """
    graph, picture = model.graph, artefact.picture
    height, width = sizes(artefact)[0]
    feeds = example(artefact, (height, width))
    small = _shapes(model, feeds)
    large = _shapes(model, {**feeds, picture: torch.zeros(1, 3, 2 * height, 3 * width)})
    located = {name for name, (shape, _) in small.items() if shape != large[name][0]}
    alive, values = _walk(graph, picture, located, {name for name, (_, dtype) in small.items() if dtype == np.float32})
    parts: list[tuple[str, int]] = []  # names of what is measured, and how many numbers it has
    nodes: list[NodeProto] = []
    for node in graph.node:
        before, after = (of[node.input[0]][0] if node.input and node.input[0] in of else () for of in (small, large))
        moving = {i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}
        found: list[tuple[str, int]] = []
        if node.output[0] in alive and node.op_type == "InstanceNormalization" and moving and not moving & {0, 1}:
            found = [(f"{node.output[0]}/{what}", before[1]) for what in ("mean", "variance")]
            nodes += _norm(node, len(before), [name for name, _ in found])
        elif node.output[0] in alive and node.op_type == "Softmax" and moving == {_axis(node) % len(before)}:
            count = int(np.prod(before)) // before[_axis(node)]
            found = [(f"{node.output[0]}/{what}", count) for what in ("max", "sum")]
            nodes += _softmax(node, [n if i != _axis(node) % len(before) else 1 for i, n in enumerate(before)], found)
        else:
            nodes.append(node)
        for i, name in enumerate(node.output):
            if name in values:
                found.append((f"{name}/value", int(np.prod(small[name][0]))))
                node.output[i] = f"{name}/own"
                nodes += _value(name, small[name][0])
        parts += found
    if not parts:
        return model
    total = sum(count for _, count in parts)
    counts = _constant("statistics/counts", np.array([count for _, count in parts], np.int64))
    split = helper.make_node("Split", ["given", "statistics/counts"], [f"{name}/given" for name, _ in parts], axis=0)
    join = helper.make_node("Concat", [name for name, _ in parts], ["statistics"], axis=0)
    del graph.node[:]
    graph.node.extend([*counts, split, *nodes, join])
    graph.output.append(helper.make_tensor_value_info("statistics", FLOAT, [total]))
    for name, dtype, default in (
        ("measure", BOOL, np.array(False)),
        ("frozen", BOOL, np.array(False)),
        ("given", FLOAT, np.zeros(total, np.float32)),
    ):
        graph.input.append(helper.make_tensor_value_info(name, dtype, default.shape))
        graph.initializer.append(onnx.numpy_helper.from_array(default, name))  # an input with a default
    return model


def receptive_field(model: ModelProto, artefact: Artefact) -> int:
    """Receptive field in pixels, from end to end, of a network with its statistics frozen; 0 where it is unlimited.

    Measured: one square of side `multiple` of a noise picture is changed a thousandfold; what differs in the result,
    be it in the last bit, bounds how far the network looks. Zero stands for more than 1,000 pixels, too.
    """
    session = open_model(model)
    has_statistics = len(session.get_outputs()) > 1
    multiple, scale, picture = artefact.multiple, artefact.scale, artefact.picture
    feeds = {name: value.numpy() for name, value in example(artefact, sizes(artefact)[0]).items()}
    for side in (side // multiple * multiple for side in CANVASES if side >= 8 * multiple):
        start = side // multiple // 2 * multiple
        room = min(start, side - start - multiple) - 1
        margin = 0
        for contrast in (1.0, 0.1):  # where one saturates the network, the other does not
            rng = np.random.default_rng(0)
            image = rng.uniform(-contrast, contrast, (1, 3, side, side)).astype(np.float32)
            feeds[picture] = image
            frozen: dict[str, np.ndarray] = {}
            if has_statistics:
                (measured,) = session.run(["statistics"], {**feeds, "measure": np.array(True)})
                frozen = {"frozen": np.array(True), "given": measured}
            (before,) = session.run(["stylised"], {**feeds, **frozen})
            image[..., start : start + multiple, start : start + multiple] *= 1000
            (after,) = session.run(["stylised"], {**feeds, **frozen})
            changed = np.nonzero((before != after).any(axis=(0, 1)))
            low, high = min(c.min(initial=side) for c in changed), max(c.max(initial=0) for c in changed)
            margin = max(margin, start - low // scale, high // scale - (start + multiple - 1))
            if margin >= room:
                break
        else:
            return int(2 * margin + 1)
    return 0


def _shapes(model: ModelProto, feeds: Mapping[str, Tensor]) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Shape and dtype of everything that the network computes from some inputs, and of those."""
    probe = ModelProto()
    probe.CopyFrom(model)
    known = {output.name for output in probe.graph.output}
    names = [name for node in probe.graph.node for name in node.output if name]
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    given = {name: value.numpy() for name, value in feeds.items()}
    found = open_model(probe, optimize=False).run(names, given)
    return {name: (v.shape, v.dtype) for name, v in (*given.items(), *zip(names, found, strict=True))}


def _walk(graph: GraphProto, picture: str, located: set[str], floats: set[str]) -> tuple[set[str], set[str]]:
    """Go back from the picture, as far as values that have no positions: what is passed, and those values."""
    depending = {picture}  # on the picture's values, not only on its size
    for node in graph.node:
        if node.op_type not in ("Shape", "Size") and depending.intersection(node.input):
            depending.update(node.output)
    makers = {name: node for node in graph.node for name in node.output}
    alive: set[str] = set()
    values: set[str] = set()
    ahead = ["stylised"]
    while ahead:
        name = ahead.pop()
        if name in alive or name not in makers:
            continue
        alive.add(name)
        for source in makers[name].input:
            if source in depending & floats and source not in located:
                values.add(source)
            else:
                ahead.append(source)
    return alive, values


def _value(name: str, shape: tuple[int, ...]) -> list[NodeProto]:
    """`name` is its own value or the given one."""
    return [
        *_constant(f"{name}/shape", np.array(shape, np.int64)),
        helper.make_node("Reshape", [f"{name}/value/given", f"{name}/shape"], [f"{name}/shaped"]),
        helper.make_node("Where", ["frozen", f"{name}/shaped", f"{name}/own"], [name]),
        *_flat(name, f"{name}/value"),
    ]


def _norm(node: NodeProto, rank: int, names: list[str]) -> list[NodeProto]:
    """Instance norm, or batch norm with given mean and variance."""
    x, y = node.input[0], node.output[0]
    epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
    given = [f"{name}/given" for name in names]
    fixed = helper.make_node("BatchNormalization", [*node.input, *given], [f"{y}/fixed"], epsilon=epsilon)
    axes = list(range(2, rank))
    measuring = [
        helper.make_node("ReduceMean", [x], [f"{y}/μ"], axes=axes),
        helper.make_node("Sub", [x, f"{y}/μ"], [f"{y}/centred"]),
        helper.make_node("Mul", [f"{y}/centred", f"{y}/centred"], [f"{y}/squared"]),
        helper.make_node("ReduceMean", [f"{y}/squared"], [f"{y}/σ²"], axes=axes),
    ]
    return _switch(node, fixed=[fixed], measuring=measuring, measured=[f"{y}/μ", f"{y}/σ²"], names=names)


def _softmax(node: NodeProto, shape: list[int], found: list[tuple[str, int]]) -> list[NodeProto]:
    """Softmax over positions, or exp(z − max) / Σ with given max and Σ."""
    z, y = node.input[0], node.output[0]
    names = [name for name, _ in found]
    fixed = [
        *_constant(f"{y}/shape", np.array(shape, np.int64)),
        helper.make_node("Reshape", [f"{names[0]}/given", f"{y}/shape"], [f"{y}/given max"]),
        helper.make_node("Reshape", [f"{names[1]}/given", f"{y}/shape"], [f"{y}/given sum"]),
        helper.make_node("Sub", [z, f"{y}/given max"], [f"{y}/below"]),
        helper.make_node("Exp", [f"{y}/below"], [f"{y}/powers"]),
        helper.make_node("Div", [f"{y}/powers", f"{y}/given sum"], [f"{y}/fixed"]),
    ]
    measuring = [
        *_constant(f"{y}/axis", np.array([_axis(node)], np.int64)),
        helper.make_node("ReduceMax", [z], [f"{y}/top"], axes=[_axis(node)]),
        helper.make_node("Sub", [z, f"{y}/top"], [f"{y}/under"]),
        helper.make_node("Exp", [f"{y}/under"], [f"{y}/exponentials"]),
        helper.make_node("ReduceSum", [f"{y}/exponentials", f"{y}/axis"], [f"{y}/Σ"]),
    ]
    return _switch(node, fixed=fixed, measuring=measuring, measured=[f"{y}/top", f"{y}/Σ"], names=names)


def _switch(
    node: NodeProto, *, fixed: list[NodeProto], measuring: list[NodeProto], measured: list[str], names: list[str]
) -> list[NodeProto]:
    """`frozen` chooses between `fixed` and the node; with the node, `measure` whether its statistics are told, too.

    All in one operator: ONNX Runtime would put off what is measured, and keep every layer until then.
    """
    y = node.output[0]
    node.output[0] = f"{y}/own"
    flat = [one for name, to in zip(measured, names, strict=True) for one in _flat(name, f"{to}/found")]
    ends = {end: [f"{name}/{end}" for name in names] for end in ("found", "unasked", "told", "kept")}

    def passing(end: str) -> list[NodeProto]:
        return [helper.make_node("Identity", [f"{name}/given"], [f"{name}/{end}"]) for name in names]

    telling = _if("measure", [*measuring, *flat], ends["found"], passing("unasked"), ends["unasked"], ends["told"])
    own = [node, telling]
    fixed = [*fixed, *passing("kept")]
    return [_if("frozen", fixed, [f"{y}/fixed", *ends["kept"]], own, [f"{y}/own", *ends["told"]], [y, *names])]


def _if(
    condition: str, then: list[NodeProto], yes: list[str], other: list[NodeProto], no: list[str], to: list[str]
) -> NodeProto:
    branches = [
        helper.make_graph(
            nodes, f"{to[0]}/{side}", [], [helper.make_tensor_value_info(n, FLOAT, None) for n in outputs]
        )
        for side, nodes, outputs in (("then", then, yes), ("else", other, no))
    ]
    return helper.make_node("If", [condition], to, then_branch=branches[0], else_branch=branches[1])


def _flat(name: str, to: str) -> list[NodeProto]:
    return [
        *_constant(f"{to}/line", np.array([-1], np.int64)),
        helper.make_node("Reshape", [name, f"{to}/line"], [to]),
    ]


def _constant(name: str, value: np.ndarray) -> list[NodeProto]:
    return [helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(value))]


def _axis(node: NodeProto) -> int:
    return next((a.i for a in node.attribute if a.name == "axis"), -1)
