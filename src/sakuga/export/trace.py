"""An artefact becomes an ONNX model, and the two are compared."""

import copy
import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sakuga.errors import SakugaError
from sakuga.systems.artefact import Artefact

TOLERANCE = 1e-4
SIZES = ((64, 64), (96, 160), (192, 128))

Size = tuple[int, int]


class Clipped(nn.Module):
    """A style's output lies in [-1, 1], whatever its network's last layer is."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        """Run the network."""
        stylised: Tensor = self.network(*inputs)
        return stylised.clamp(-1, 1)


def sizes(artefact: Artefact) -> list[Size]:
    """Return three sizes (height, width) of pictures that an artefact can be run on; a fixed one thrice."""
    if artefact.size:
        return [artefact.size] * len(SIZES)
    multiple, scale = artefact.multiple, artefact.scale
    if multiple > 64:  # to which those of SIZES would all be rounded up
        return [(multiple, multiple), (multiple, 2 * multiple), (2 * multiple, multiple)]
    height, width = ([-(-side // scale // multiple) * multiple for side in sides] for sides in zip(*SIZES, strict=True))
    return list(zip(height, width, strict=True))


def example(artefact: Artefact, size: Size, seed: int = 0) -> dict[str, Tensor]:
    """Return random values of an artefact's inputs by name; `size` (height, width) of the photo, a reference across."""
    rng = torch.Generator().manual_seed(seed)
    pictures = [size, size[::-1] if artefact.size is None else size]
    values: dict[str, Tensor] = {}
    for one in artefact.inputs:
        uniform = torch.rand((1, 3, *pictures.pop(0)) if one.kind == "picture" else one.shape, generator=rng)
        match one.kind:
            case "noise":
                value = torch.randn(one.shape, generator=rng)
            case "choice":
                value = (uniform == uniform.max()).float()
            case "choices":
                value = uniform.round()
            case "number":
                value = one.minimum + uniform * (one.maximum - one.minimum)
            case "points":
                value = uniform * torch.tensor(size[::-1])
            case "text":
                value = (uniform * len(one.names)).long()
            case _:
                value = uniform * 2 - 1
        values[one.name] = value
    return values


def trace(artefact: Artefact, size: Size = SIZES[0], **defaults: Tensor) -> onnx.ModelProto:
    """Return an artefact as an ONNX model for one picture of any size; `size` is one it can be run on.

    Its inputs have their own names, its output is `stylised`, (1, 3, H, W) in [-1, 1]. `defaults`: further inputs of
    its module by name, which may be left out, and what they then are.
    """
    pictures = [one.name for one in artefact.inputs if one.kind == "picture" and artefact.size is None]
    ends = [*pictures, "stylised"] if pictures else []
    model = to_onnx(
        Clipped(artefact.module).eval(),
        {**example(artefact, size), **defaults},
        ["stylised"],
        {name: {2: f"{name}_height", 3: f"{name}_width"} for name in ends},
        fold=not artefact.named,
    )
    for name, default in defaults.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(default.numpy(), name))
    return model


def to_onnx(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    axes: dict[str, dict[int, str]],
    *,
    fold: bool = True,
) -> onnx.ModelProto:
    """Trace a network on examples of its inputs; `axes` names the dimensions of any length.

    Without `fold` weights stay what they are, under their names, and what is computed of them alone is left to whoever
    runs the model.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        torch.onnx.export(
            network,  # in eval mode: the exporter puts its mode back into every part of it
            tuple(inputs.values()),
            buffer,  # type: ignore[arg-type]
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=17,
            do_constant_folding=fold,
            dynamo=False,
        )
    return onnx.load_model_from_string(buffer.getvalue())


def check_parity(model: onnx.ModelProto, artefact: Artefact) -> None:
    """Demand that ONNX Runtime comes within 1e-4 of the network in double precision, or as near as torch itself does.

    A network whose last layer is linear may reach values of hundreds on noise, of which single precision knows no more.
    Raises SakugaError, naming the size, where it does not.
    """
    session = open_model(model)
    network = Clipped(artefact.module).eval()
    for seed, size in enumerate(sizes(artefact)):
        values = example(artefact, size, seed)
        feeds = {name: value.numpy() for name, value in values.items()}
        with torch.inference_mode():
            single = network(*values.values()).numpy()
        results = session.run(["stylised"], feeds)
        if len(session.get_outputs()) > 1:  # given its own statistics, it must make the same
            _, given = session.run(None, {**feeds, "measure": np.array(True)})
            results += session.run(["stylised"], {**feeds, "frozen": np.array(True), "given": given})
        # Then doubles need not be asked: where torch is off by e, this is off by e + TOLERANCE / 2 at most, which is no
        # more than the larger of TOLERANCE and 2 e.
        if all(_within(TOLERANCE / 2, one, single) for one in results):
            continue
        with torch.inference_mode():
            doubled = (v.double() if v.is_floating_point() else v for v in values.values())
            target = copy.deepcopy(network).double()(*doubled).numpy()
        limit = max(TOLERANCE, 2 * float(np.abs(single - target).max()))
        if not all(_within(limit, one, target) for one in results):
            where = f" at {size[1]}x{size[0]}" if any(one.kind == "picture" for one in artefact.inputs) else ""
            raise SakugaError(f"the exported network differs from the trained one{where}: it is not exported")


def _within(limit: float, one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether no value is farther apart; none that is no number is near to anything."""
    return one.shape == other.shape and bool(np.abs(one - other).max() <= limit)


def open_model(model: onnx.ModelProto, *, optimize: bool = True) -> onnxruntime.InferenceSession:
    """Return a session for a model, without the warning that inputs with a default cannot be folded into constants."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it is run a few times, beside torch
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
