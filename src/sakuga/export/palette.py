"""The colours of a film, given to a finished style: what is green, blue or deep red changes, greys and skin do not.

A colour x, RGB in [-1, 1], becomes x + max(N x - l, 0) D, with N = `NORMALS`, l = `LEAST`, and D the film's table of
`PALETTES`. New films may be added there, in multiples of `STEP`; N and l keep skin and greys, as the tests ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from sakuga.errors import SakugaError, UsageError

Floats = NDArray[np.float32]

NORMALS: Floats = np.array([[-0.75, 1, -0.25], [-1, 0.5, 0.5], [-0.4, -0.6, 1], [1, -0.5, -0.5]], np.float32)
"""How green, cool, blue and red an RGB colour in [-1, 1] is. Each row sums to zero, so greys are none of it. Skin has
more red than green and more green than blue: the first three rows are below zero for it, of whatever tone it is."""
LEAST: Floats = np.array([0.03, 0, 0, 0.8], np.float32)
"""From where on it counts: skin is red, too, but by less."""
PALETTES: dict[str, Floats] = {
    "hosoda": np.array([[0.15, 0.45, 0.35], [0.30, 0.45, 0.35], [0.15, 0.15, 0.25], [0.05, 0.2, 0.2]], np.float32),
    "hayao": np.array([[0.1, 0.3, -0.25], [-0.25, 0.1, 0.1], [-0.15, 0.1, 0.1], [0.2, -0.1, -0.2]], np.float32),
    "shinkai": np.array([[-0.25, 0.35, 0.05], [-0.6, 0, 0.5], [0.2, -0.1, 0.45], [0.3, -0.2, 0.15]], np.float32),
    "paprika": np.array(
        [[-0.75, -0.25, -0.05], [-0.65, -0.35, -0.25], [0.25, -0.3, 0.1], [0.5, -0.5, -0.3]], np.float32
    ),
}
"""What each unit of green, cool, blue and red adds to red, green and blue: pale and minty, lush and warm, luminous
azure, deep and glowing. Chosen by eye; no published source."""
STEP = 0.05
"""Of which all of these are multiples: whole numbers say them exactly, and small ones, so that no sum overflows."""
PREFIX = "palette."
PAINTED = PREFIX + "painted"
SIDE_BY_SIDE = 8
"""Pixels that are multiplied at once: three channels alone take three times as long."""
UNIT = 1 / 127.5
"""A level of a pixel in [-1, 1]."""


def table(name: str) -> Floats:
    """Return the palette of that name, (4, 3). Raises UsageError when there is none."""
    if name not in PALETTES:
        raise UsageError(f"--palette must be one of {', '.join(PALETTES)}, not {name!r}")
    return PALETTES[name]


def recolor(rgb: Floats, name: str) -> Floats:
    """Give RGB colours (..., 3) in [-1, 1] those of a palette, as `add_palette` has a style do it."""
    result: Floats = np.clip(rgb + np.maximum(rgb @ NORMALS.T - LEAST, 0) @ table(name), -1, 1)
    return result


def add_palette(model: onnx.ModelProto, name: str) -> None:
    """Have a style's network give its results a palette's colours, each pixel by its own, in place.

    `model` ends in a Clip to [-1, 1] of (N, 3, H, W), as styles do, or in the QuantizeLinear of (1, H, W, 3) of their
    variant in whole numbers. Raises UsageError for an unknown palette, SakugaError for another end.
    """
    colors, nodes = table(name), model.graph.node
    last = next(node for node in nodes if node.output[0] == model.graph.output[0].name)
    if last.op_type == "Identity":
        last = next(node for node in nodes if node.output[0] == last.input[0])
    if last.op_type not in ("Clip", "QuantizeLinear"):
        raise SakugaError(f"a palette needs a network that ends in Clip or QuantizeLinear, not in {last.op_type}")
    result, last.output[0] = last.output[0], PAINTED
    graph = _Graph([])
    (graph.whole if last.op_type == "QuantizeLinear" else graph.real)(last.input[1:], colors, result)
    place = [*nodes].index(last) + 1
    rest = [*nodes][place:]
    del nodes[place:]
    nodes.extend([*graph.nodes, *rest])


def remove_palette(model: onnx.ModelProto) -> None:
    """Take from a network what `add_palette` gave it, in place; nothing where it has not."""
    added = [node for node in model.graph.node if any(name.startswith(PREFIX) for name in node.input)]
    for node in model.graph.node:
        if node.output[0] == PAINTED:
            node.output[0] = added[-1].output[0]
        elif node.op_type == "Constant" and node.output[0].startswith(PREFIX):
            added.append(node)
    for node in added:
        model.graph.node.remove(node)


@dataclass
class _Graph:
    """Nodes that are written one after the other."""

    nodes: list[onnx.NodeProto]

    def constant(self, array: NDArray[Any]) -> str:
        return self.node("Constant", value=numpy_helper.from_array(np.ascontiguousarray(array)))

    def steps(self, step: float, kind: type[np.integer[Any]]) -> tuple[str, str]:
        """Scale and zero point of whole numbers."""
        return self.constant(np.array(step, np.float32)), self.constant(np.array(0, kind))

    def node(self, kind: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        output = to or f"{PREFIX}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [*inputs], [output], **attributes))
        return output

    def real(self, bounds: Sequence[str], colors: Floats, result: str) -> None:
        """In numbers, channels first."""
        first = self.constant(NORMALS[..., None, None]), self.constant(-LEAST)
        found = self.node("Relu", self.node("Conv", PAINTED, *first))
        change = self.node("Conv", found, self.constant(colors.T[..., None, None]))
        self.node("Clip", self.node("Add", PAINTED, change), *bounds, to=result)

    def whole(self, of_pixels: Sequence[str], colors: Floats, result: str) -> None:
        """In whole numbers, channels last, SIDE_BY_SIDE pixels as one of as many more channels."""
        of_weights, of_found = self.steps(STEP, np.int8), self.steps(2 / 255, np.uint8)
        of_least = self.steps(STEP * UNIT, np.int32)

        def weights(array: Floats) -> str:
            each = np.kron(np.eye(SIDE_BY_SIDE), np.rint(array / STEP)).astype(np.int8)
            return self.node("DequantizeLinear", self.constant(each[..., None, None]), *of_weights)

        size = self.node("Shape", PAINTED)
        groups = self.constant(np.array([1, -1, 1, 3 * SIDE_BY_SIDE], np.int64))
        rows = self.node("Reshape", PAINTED, groups)
        pixels = self.node("DequantizeLinear", self.node("Transpose", rows, perm=[0, 3, 1, 2]), *of_pixels)
        least = self.constant(np.tile(np.rint(-LEAST / (STEP * UNIT)).astype(np.int32), SIDE_BY_SIDE))
        over = self.node("Conv", pixels, weights(NORMALS), self.node("DequantizeLinear", least, *of_least))
        found = self.node("QuantizeLinear", over, *of_found)  # from zero on
        change = self.node("Conv", self.node("DequantizeLinear", found, *of_found), weights(colors.T))
        change = self.node("Transpose", self.node("QuantizeLinear", change, *of_pixels), perm=[0, 2, 3, 1])
        total = self.node("Add", *(self.node("DequantizeLinear", one, *of_pixels) for one in (rows, change)))
        self.node("Reshape", self.node("QuantizeLinear", total, *of_pixels), size, to=result)
