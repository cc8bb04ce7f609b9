"""What this machine is: its processor, its memory, its graphics cards."""

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import psutil

from sakuga.runtime.memory import available
from sakuga.runtime.parallel import cores

INSTRUCTIONS = {
    "AVX2": ["AVX2"],
    "AVX-512": ["AVX512F"],
    "VNNI": ["AVX512VNNI", "avx512_vnni", "avx_vnni"],  # bytes multiplied and added: int8
    "BF16": ["AVX512BF16", "avx512_bf16"],
    "AMX": ["amx_int8", "amx_bf16"],  # matrices of bytes and of bfloat16
    "NEON": ["NEON", "ASIMD"],
    "NEON dot product": ["ASIMDDP"],  # ARM's of bytes
    "SVE": ["SVE"],
}
"""Instruction sets that matter for networks, each with the names by which NumPy and Linux know it."""


def processor() -> str:
    """Return the processor's name for people."""
    if sys.platform == "darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    if sys.platform == "win32":
        return os.environ.get("PROCESSOR_IDENTIFIER") or platform.processor()
    named = re.search(r"^model name\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return named[1].strip() if named else platform.processor() or platform.machine()


def core_counts() -> dict[str, int]:
    """Return how many cores the machine has (of those two threads may share one), and how many this process may use."""
    counts = {"threads": os.cpu_count() or 1, "usable": cores()}
    physical = psutil.cpu_count(logical=False)
    return {"cores": physical, **counts} if physical else counts


def instructions() -> list[str]:
    """Return those of INSTRUCTIONS that the processor has.

    NumPy's table, which is of the processor it runs on: NumPy chooses its own loops by it. It does not know AMX and the
    VNNI of processors without AVX-512, so what Linux says is added.
    """
    core = "_core" if find_spec("numpy._core") else "core"  # the latter in NumPy 1
    table = import_module(f"numpy.{core}._multiarray_umath").__cpu_features__
    flags = re.search(r"^flags\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    present = {name for name, has in table.items() if has} | set(flags[1].split() if flags else ())
    return [name for name, known in INSTRUCTIONS.items() if present.intersection(known)]


def memory() -> dict[str, float]:
    """Return gibibytes of memory, in all and not in use."""
    sizes = {"GiB": psutil.virtual_memory().total, "GiB available": available()}
    return {name: round(size / 2**30, 1) for name, size in sizes.items()}


def graphics_cards() -> list[str]:
    """Return the names of the cards that NVIDIA's driver knows; no other driver has a program for it everywhere."""
    return _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").splitlines()


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _output(*command: str) -> str:
    """Return what a program prints; nothing where it is missing or fails."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
