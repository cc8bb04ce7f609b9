"""A fast generator in whole numbers: bytes of pixels in, bytes out, a third of the time where processors know int8."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from sakuga.data.images import load_image, to_tensor
from sakuga.errors import SakugaError
from sakuga.networks.context import ContextGenerator
from sakuga.networks.fast import EvenConv2d, FastGenerator, moments
from sakuga.style.context import thumbnail
from sakuga.style.session import open_session

UNIT = 1 / 127.5
"""A level of a pixel in the units of [-1, 1]."""
MIDDLE = 128
"""The level taken for zero, which is 127.5; biases make good the half."""
TAIL = 3e-4
"""Share of an activation's values at either end that is cut off, so that all others keep finer steps."""
LIMIT = 0.01
"""Most that the variant may differ from the network: the mean of |difference| in the range 0..1, on the photos."""
PHOTOS, SIDE = 24, 480
"""How many photos are taken of those there are, and their longer side."""
SAMPLES = 200_000
"""Values looked at for each activation of each photo."""

Floats = NDArray[np.float32]
Turn = tuple[Floats, Floats]
"""A scale, above zero, and a shift for each channel of a convolution's result."""
Steps = tuple[float, int]
"""Scale and zero point: the real value of a whole number q is scale · (q - zero point)."""


MOMENT, SUM = 8.0, 1e4
"""What a squared error of a kernel's first moments, and of its sum, costs beside one of the kernel."""

QUANTIZABLE = (FastGenerator, ContextGenerator)
"""Networks that have an int8 variant."""


def int8_variant(network: FastGenerator | ContextGenerator, paths: Sequence[Path]) -> tuple[bytes, list["Fold"]]:
    """Quantize `network` on some of the photos at `paths` and return the ONNX file, checked on the same photos.

    With it comes where a context goes into it, one by modulated convolution; none for a network without context.

    Raises SakugaError when the mean difference from the network is above LIMIT, or a photo cannot be read.
    """
    photos = calibration_photos(network, paths)
    if isinstance(network, ContextGenerator):
        contexts = [context_of(network, photo) for photo in photos]
        made, folds = quantize_folded(network.body, map(to_tensor, photos), contexts)
    else:
        made, folds, contexts = quantize(network, map(to_tensor, photos)), [], len(photos) * [torch.zeros(1, 0)]
    model: bytes = made.SerializeToString()
    errors = []
    for photo, context in zip(photos, contexts, strict=True):
        with torch.inference_mode():
            prediction = (network(to_tensor(photo)).clamp(-1, 1) + 1) / 2
        session = open_session(Path("int8"), 0, optimize=True, model=model, initializers=folded(folds, context))
        (found,) = session.run(None, {"pixels": photo[None]})
        errors.append(float(np.abs(found[0] / 255 - prediction[0].permute(1, 2, 0).numpy()).mean()))
    if not np.mean(errors) <= LIMIT:
        raise SakugaError(f"in int8 the style differs by {np.mean(errors):.4f}, more than {LIMIT}: it is left out")
    return model, folds


def calibration_photos(network: nn.Module, paths: Sequence[Path]) -> list[NDArray[np.uint8]]:
    """Load some of the photos, cut to the network's multiple."""
    f, photos = int(network.multiple), []  # type: ignore[arg-type]
    for path in paths[:: -(-len(paths) // PHOTOS)]:
        photo = load_image(path, max_side=SIDE)
        photos.append(np.ascontiguousarray(photo[: photo.shape[0] // f * f, : photo.shape[1] // f * f]))
    return photos


@torch.inference_mode()
def context_of(network: ContextGenerator, photo: NDArray[np.uint8]) -> Tensor:
    """What the encoder says of a whole photo, (1, K)."""
    context: Tensor = network.encoder(to_tensor(thumbnail(photo)))
    return context


def quantize(network: FastGenerator, photos: Iterable[Tensor]) -> onnx.ModelProto:
    """Return `network` as an ONNX model of int8 arithmetic: `pixels` (1, H, W, 3) uint8 to `stylised`, the same.

    Weights are symmetric int8 for each output channel; activations are uint8 with ranges measured on `photos`, each
    (N, 3, h, w) in [-1, 1]; sums are int32. H, W, h and w are multiples of `network.multiple`. ONNX Runtime and
    OpenVINO fuse the pairs of QuantizeLinear and DequantizeLinear with what stands between them. Pixels stay in their
    own order, colours last: so unshuffling moves rows of bytes, and no float is ever as many as the pixels.

    Source of the scheme: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-
    Only Inference", CVPR 2018.

    Raises:
        ValueError: no photo was given.
    """
    return quantize_folded(network, photos)[0]


def quantize_folded(
    network: FastGenerator, photos: Iterable[Tensor], contexts: Iterable[Tensor] | None = None
) -> tuple[onnx.ModelProto, list["Fold"]]:
    """Quantize as `quantize` does; return the model and where a context goes into it, one by modulated convolution.

    `contexts`: (1, K) for each photo. The model is that of their mean; scales and biases for another are initializers
    to be exchanged.
    """
    given = None if contexts is None else list(contexts)
    steps = _steps(network, ((photo, None) for photo in photos) if given is None else zip(photos, given, strict=True))
    graph, f, margin = _Graph(), network.multiple, network.margin
    turns: Iterator[Turn | None] = repeat(None)
    if given is not None:
        turns = iter(split_context(torch.cat(given).mean(0).numpy(), network.modulated))
    pixel = (UNIT, MIDDLE)
    if not network.residual:
        steps["tail"] = pixel
    # Squares of f × f pixels become the channels of one: rows, columns, colours.
    order = torch.arange(3 * f * f).reshape(3, f, f).permute(1, 2, 0).flatten()
    x = "pixels"
    if margin:
        x = graph.node("Pad", x, graph.integers(0, margin, margin, 0, 0, margin, margin, 0), mode="reflect")
    x = graph.reshape(graph.reshape(x, -1, f, 0, 3), 0, f, -1, 3 * f)
    x = graph.reshape(graph.node("Transpose", x, perm=[0, 2, 1, 3]), 0, 0, 3 * f * f)
    x = graph.node("Transpose", graph.node("Unsqueeze", x, graph.integers(0)), perm=[0, 3, 1, 2])

    weight, bias = _weights(network.head)
    x = graph.convolution(
        x, pixel, weight[:, order], bias + weight.sum((1, 2, 3)) * UNIT / 2, steps["head"], relu=True, turn=next(turns)
    )
    before = steps["head"]
    for index, block in enumerate(network.blocks):
        first, second, after = (steps[f"{index}.{part}"] for part in ("first", "second", "sum"))
        if index == len(network.blocks) - 1:
            after = steps["relu"]  # its steps begin at zero: what is below is cut off as ReLU would
        y = graph.convolution(x, before, *_weights(block[0]), first, relu=True, turn=next(turns))  # type: ignore[index]
        y = graph.convolution(y, first, *_weights(block[2]), second, turn=next(turns))  # type: ignore[index]
        x = graph.quantized(graph.node("Add", graph.real(x, before), graph.real(y, second)), after)
        before = after
    weight, bias = _weights(network.tail)
    shift = 0.0 if network.residual else -UNIT / 2
    x = graph.convolution(x, before, weight[order], bias[order] + shift, steps["tail"], alike=3)

    x = graph.node("Squeeze", graph.node("Transpose", x, perm=[0, 2, 3, 1]), graph.integers(0))
    x = graph.node("Transpose", graph.reshape(x, 0, 0, f, 3 * f), perm=[0, 2, 1, 3])
    x = graph.reshape(graph.reshape(x, 0, 0, -1, 3), 1, -1, 0, 3)
    if margin:
        x = graph.node(
            "Slice", x, graph.integers(margin, margin), graph.integers(-margin, -margin), graph.integers(1, 2)
        )
    if network.residual:
        x = graph.quantized(graph.node("Add", graph.real("pixels", pixel), graph.real(x, steps["tail"])), pixel)
    return graph.model(x), graph.folds


@dataclass(frozen=True)
class Fold:
    """Where a context goes: a modulated convolution of the int8 model, whose kernels q stand for q · `scale`.

    With a scale s and a shift t for each channel of its result, its initializers are `NAME.scale` = scale · s and
    `NAME.bias` = round((bias + t / s) / sums), counted in steps of sums · s.
    """

    name: str
    scale: Floats
    sums: Floats
    bias: Floats

    def values(self, turn: "Turn") -> tuple[Floats, NDArray[np.int32]]:
        """Return the two for (s, t)."""
        scale, shift = turn
        return self.scale * scale, np.rint((self.bias + shift / scale) / self.sums).astype(np.int32)


def split_context(context: Floats, channels: Sequence[int]) -> list[Turn]:
    """Return the scales and shifts of convolutions with so many channels in a context (K,)."""
    scales, shifts = (np.split(half, np.cumsum(channels)[:-1]) for half in np.split(context, 2))
    return [(1 + scale, shift) for scale, shift in zip(scales, shifts, strict=True)]


def folded(folds: Sequence[Fold], context: Tensor) -> dict[str, NDArray[Any]]:
    """Return the initializers that a context (1, K) gives to the int8 model."""
    turns = split_context(context[0].numpy(), [len(fold.scale) for fold in folds]) if folds else []
    return {
        f"{fold.name}.{what}": value
        for fold, turn in zip(folds, turns, strict=True)
        for what, value in zip(("scale", "bias"), fold.values(turn), strict=True)
    }


class _Graph:
    """The nodes and constants of a model under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.folds: list[Fold] = []

    def node(self, operator: str, *inputs: str, **options: Any) -> str:
        name = f"{operator}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **options))
        return name

    def constant(self, values: NDArray[Any] | np.generic) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def reshape(self, x: str, *shape: int) -> str:
        """0 stands for the same size as before, -1 for what is left."""
        return self.node("Reshape", x, self.integers(*shape))

    def quantized(self, x: str, steps: Steps) -> str:
        return self.node("QuantizeLinear", x, *self._steps(steps))

    def real(self, x: str, steps: Steps) -> str:
        return self.node("DequantizeLinear", x, *self._steps(steps))

    def convolution(
        self,
        x: str,
        steps: Steps,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
        out: Steps,
        relu: bool = False,
        turn: Turn | None = None,
        alike: int = 0,
    ) -> str:
        """A 3×3 convolution of whole numbers in `steps` into whole numbers in `out`.

        `turn`: scales and shifts its result, by initializers that may be exchanged. `alike`: results i, i + alike,
        i + 2 · alike ... are the pixels of a square (`EvenConv2d`).
        """
        # The bias too must be a whole number that 32 bits hold.
        least = np.maximum(np.abs(bias), 1e-6) / steps[0] / 2**30
        scale = np.maximum(np.abs(weight).max((1, 2, 3)) / 127, least).astype(np.float32)
        if alike:
            scale = np.tile(scale.reshape(-1, alike).max(0) * np.float32(127 / 126), len(scale) // alike)  # 1 to spare
        whole = weight / scale[:, None, None, None]
        whole = (_round_alike(whole, alike) if alike else np.rint(whole)).astype(np.int8)
        sums = (np.float32(steps[0]) * scale).astype(np.float32)
        if turn is not None:
            fold = Fold(f"convolution{len(self.folds)}", scale, sums, bias)
            self.folds.append(fold)
            ends = [f"{fold.name}.{what}" for what in ("scale", "bias")]
            self.constants += [numpy_helper.from_array(v, n) for v, n in zip(fold.values(turn), ends, strict=True)]
            zero = self.constant(np.zeros(len(scale), np.int8))
            inputs = (*self._steps(steps), self.constant(whole), ends[0], zero, *self._steps(out), ends[1])
            # In operators of its own it could not be given another scale; what is below zero `out` cuts off, as ReLU.
            return self.node("QLinearConv", x, *inputs, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        scales = self.constant(scale), self.constant(np.zeros(len(scale), np.int8))
        w = self.node("DequantizeLinear", self.constant(whole), *scales, axis=0)
        zeros = self.constant(np.zeros(len(scale), np.int32))
        b = self.constant(np.rint(bias / sums).astype(np.int32))
        b = self.node("DequantizeLinear", b, self.constant(sums), zeros, axis=0)
        y = self.node("Conv", self.real(x, steps), w, b, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        return self.quantized(self.node("Relu", y) if relu else y, out)

    def model(self, output: str) -> onnx.ModelProto:
        self.nodes.append(helper.make_node("Identity", [output], ["stylised"]))
        ends = [
            helper.make_tensor_value_info(name, TensorProto.UINT8, [1, height, width, 3])
            for name, height, width in (("pixels", "height", "width"), ("stylised", "out_height", "out_width"))
        ]
        graph = helper.make_graph(self.nodes, "int8", ends[:1], ends[1:], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model

    def _steps(self, steps: Steps) -> tuple[str, str]:
        return self.constant(np.float32(steps[0])), self.constant(np.uint8(steps[1]))


def _round_alike(weight: Floats, alike: int) -> Floats:
    """Round (O, I, 3, 3) up or down so that `EvenConv2d`'s kernels leave no grid as whole numbers either.

    Outputs i, i + alike ... are the pixels of a square, row by row. Of the 512 ways to round a kernel the best is taken
    of those that give its pixels one integer as the sum over the 3×3 places: it moves the first moments least from
    what goes with that sum, then the kernel itself.
    """
    kernels = weight.reshape(-1, alike, weight.shape[1], 9)
    sums = kernels.sum(-1)
    more = np.rint(sums.mean(0)) - sums  # what rounding adds to a kernel in all
    floor = np.floor(kernels)
    rest = kernels - floor
    factor = math.isqrt(len(kernels))
    down, right = ((place + 0.5) / factor - 0.5 for place in np.divmod(np.arange(len(kernels)), factor))
    ones, kx, ky = (shape.flatten().numpy() for shape in moments(torch.zeros(1)))
    ways = (np.arange(512)[:, None] >> np.arange(9) & 1).astype(np.float32)
    error = rest @ (-2 * ways.T) + ways.sum(1)  # squared, but for what all ways have in common
    for shape, part, cost in ((kx, right, MOMENT), (ky, down, MOMENT), (ones, np.ones(len(kernels)), SUM)):
        wanted = rest @ shape + more * part.astype(np.float32)[:, None, None]
        error += cost * np.square(ways @ shape - wanted[..., None])
    whole: Floats = (floor + ways[error.argmin(-1)]).reshape(weight.shape)
    return whole


def _weights(convolution: nn.Module) -> tuple[Floats, Floats]:
    parts = convolution.even if isinstance(convolution, EvenConv2d) else convolution.parameters()
    weight, bias = (part.detach().float().numpy() for part in parts)
    return weight, bias


@torch.inference_mode()
def _steps(network: FastGenerator, photos: Iterable[tuple[Tensor, Tensor | None]]) -> dict[str, Steps]:
    """Measure every activation's range on photos and divide it into 255 steps, one of which falls on zero."""
    seen: dict[str, list[tuple[float, float]]] = {}
    for photo, context in photos:
        for name, values in _activations(network, photo, context):
            values = values.flatten()[:: -(-values.numel() // SAMPLES)]
            count = max(1, round(TAIL * len(values)))
            low, high = values.kthvalue(count).values, values.kthvalue(len(values) + 1 - count).values
            seen.setdefault(name, []).append((float(low), float(high)))
    if not seen:
        raise ValueError("photos is empty: the ranges of the activations are measured on photographs")
    steps = {}
    for name, ranges in seen.items():
        least, most = min(0.0, *(r[0] for r in ranges)), max(0.0, *(r[1] for r in ranges))
        scale = max(most - least, 1e-6) / 255
        steps[name] = (scale, round(-least / scale))
    return steps


def _activations(network: FastGenerator, photo: Tensor, context: Tensor | None) -> Iterable[tuple[str, Tensor]]:
    """Run `network` as its forward does and yield what becomes whole numbers on the way."""
    if network.margin:
        photo = F.pad(photo, 4 * [network.margin], mode="reflect")
    turn = network.turns(context)
    x = F.relu(turn(network.head(F.pixel_unshuffle(photo, network.multiple))))
    yield "head", x
    for index, block in enumerate(network.blocks):
        first = F.relu(turn(block[0](x)))  # type: ignore[index]
        yield f"{index}.first", first
        second = turn(block[2](first))  # type: ignore[index]
        # What the last block takes away below zero, the ReLU behind it would cut off anyway: it needs no steps.
        yield f"{index}.second", torch.maximum(second, -x) if index == len(network.blocks) - 1 else second
        x = x + second
        yield f"{index}.sum", x
    x = F.relu(x)
    yield "relu", x
    yield "tail", network.tail(x)
