"""What ONNX Runtime can run a network on here."""

from functools import cache

GPUS = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider")
"""ONNX Runtime's providers that are better than the processor, the best first; each comes with a package of its own."""


@cache
def providers() -> list[str]:
    """Return the providers that sessions are opened with, the best first."""
    import onnxruntime as ort

    present = ort.get_available_providers()
    return [name for name in GPUS if name in present] + ["CPUExecutionProvider"]
