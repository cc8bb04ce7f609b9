"""What figures depend on besides the pictures: versions and the machine."""

import importlib.metadata
import os
import platform
from pathlib import Path

PACKAGES = ("sakuga", "numpy", "Pillow", "onnxruntime", "torch", "scipy", "scikit-image")


def versions() -> dict[str, str]:
    """Python's and that of every package a figure goes through."""
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}


def machine() -> dict[str, str | int | None]:
    """Return the system, the processor's name where it is known, and its number of cores."""
    return {"system": platform.system(), "processor": _processor(), "cores": os.cpu_count()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
