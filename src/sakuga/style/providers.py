"""In what arithmetic, and on what, networks are run here."""

from functools import cache
from typing import Literal, get_args

Precision = Literal["auto", "fp32", "int8", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)
"""What a style can be run in: `sakuga.style.engine.pick` says how."""

GPUS = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider")
"""ONNX Runtime's providers that are better than the processor, the best first; each comes with a package of its own."""


@cache
def providers() -> list[str]:
    """Return the providers that sessions are opened with, the best first."""
    import onnxruntime as ort

    present = ort.get_available_providers()
    return [name for name in GPUS if name in present] + ["CPUExecutionProvider"]
