"""Which arithmetic runs a style on this machine: on a GPU, in whole numbers, in half or in full precision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakuga.errors import UsageError
from sakuga.picture.pixels import Array
from sakuga.runtime.machine import instructions
from sakuga.style.providers import PRECISIONS, Precision, providers

if TYPE_CHECKING:
    from sakuga.style import Style

DOT_PRODUCTS = {"VNNI", "NEON dot product"}
"""Instructions that multiply bytes and add them up at once. Without one, int8 is no faster, and on AVX2 inexact."""


@dataclass(frozen=True)
class Engine:
    """Something that runs a network: `run` maps (3, H, W) float32 in [-1, 1] to (3, s·H, s·W).

    With `whole` it maps (H, W, 3) uint8 to (s·H, s·W, 3) uint8 instead. `name` is for people. Threads may share it.
    """

    name: str
    precision: Precision
    run: Callable[[Array], Array]
    whole: bool = False
    fix: Callable[[Array], "Engine"] | None = None
    """Of a style that knows the whole picture: returns the engine for one, (H, W, 3). This one takes an average."""


def pick(
    style: "Style",
    precision: Precision = "auto",
    threads: int | None = None,
    given: Mapping[str, Array] | None = None,
) -> Engine:
    """Return what runs `style` here.

    `precision`: "fp32" and "int8" in ONNX Runtime, "bf16" in OpenVINO. "auto" takes a GPU if ONNX Runtime has a
    provider for one; else int8, if the style carries it and the processor is made for it; else fp32. `threads`: None,
    one for each core.

    Raises UsageError for another precision, for int8 of a style that has none, for bf16 without OpenVINO, for a style
    that takes no picture.
    """
    photo, given = style.card.photo, given or {}
    if photo is None:
        raise UsageError(f"style {style.name} takes no picture, it makes its own: use `sakuga generate STYLE`")
    if precision not in PRECISIONS:
        raise UsageError(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
    if precision == "auto":
        precision = _best(style)
    if precision == "int8":
        if style.int8 is None:
            raise UsageError(f"style {style.name} has no int8 variant: choose --precision fp32, or export it again")
        run = _runner(style.session(threads, int8=True), "pixels", given)
        engine = Engine("ONNX Runtime, CPU", "int8", run, whole=True)

        def fix(rgb: Array) -> Engine:
            return replace(engine, run=_runner(style.open_int8(rgb, threads), "pixels", given), fix=None)

    else:
        if precision == "bf16":
            name, run = "OpenVINO, CPU", _openvino(style.path, threads, photo, given)
        else:
            session = style.session(threads)
            provider = session.get_providers()[0].removesuffix("ExecutionProvider")
            name, run = f"ONNX Runtime, {provider}", _runner(session, photo, given)
        engine = Engine(name, precision, run)

        def fix(rgb: Array) -> Engine:
            return replace(engine, run=partial(run, **style.look_at(rgb)), fix=None)

    return replace(engine, fix=fix if style.context else None)


@cache
def fast_int8() -> bool:
    """Return whether the processor has one of DOT_PRODUCTS."""
    return not DOT_PRODUCTS.isdisjoint(instructions())


def _best(style: "Style") -> Precision:
    on_gpu = len(providers()) > 1
    return "int8" if style.int8 is not None and fast_int8() and not on_gpu else "fp32"


def _runner(session: Any, name: str, given: Mapping[str, Array]) -> Callable[..., Array]:
    output = session.get_outputs()[0].name

    def run(x: Array, **context: Array) -> Array:
        result: Array = session.run([output], {name: x[None], **given, **context})[0][0]
        return result

    return run


def _openvino(path: Path, threads: int | None, photo: str, given: Mapping[str, Array]) -> Callable[..., Array]:
    try:
        import openvino
    except ImportError:
        raise UsageError('--precision bf16 needs OpenVINO: pip install "sakuga[openvino]"') from None
    config = {"INFERENCE_PRECISION_HINT": "bf16", "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        config["INFERENCE_NUM_THREADS"] = str(threads)
    core = openvino.Core()
    model, default = core.read_model(path), {}
    for constant in (node for node in model.get_ops() if node.get_friendly_name() == "context"):
        # OpenVINO makes constants of inputs that have a default.
        parameter = openvino.opset13.parameter(constant.shape, name="context")
        parameter.output(0).set_names({"context"})
        default = {"context": constant.get_data()}
        constant.output(0).replace(parameter.output(0))
        model.add_parameters([parameter])
    network = core.compile_model(model, "CPU", config)

    def run(x: Array, **context: Array) -> Array:
        request = network.create_infer_request()
        result: Array = request.infer({photo: x[None], **given, **(context or default)})[network.outputs[0]][0]
        return result

    return run
