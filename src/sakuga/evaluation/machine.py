"""What figures depend on besides the pictures: versions and the machine."""

import importlib.metadata
import os
import platform

from sakuga.runtime.machine import processor

PACKAGES = ("sakuga", "numpy", "Pillow", "onnxruntime", "torch", "scipy", "scikit-image")


def versions() -> dict[str, str]:
    """Python's and that of every package a figure goes through."""
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}


def machine() -> dict[str, str | int | None]:
    """Return the system, the processor's name where it is known, and its number of cores."""
    return {"system": platform.system(), "processor": processor(), "cores": os.cpu_count()}
