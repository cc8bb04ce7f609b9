"""What a device computes with, and what makes training on a processor faster without changing a number of it."""

import ctypes
import functools
import platform
import warnings
from typing import Literal

import torch
from lightning_fabric import Fabric

from sakuga.systems.base import System

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names and values of glibc's <malloc.h>."""
NEVER = 2_000_000_000


def choose_precision(accelerator: str) -> Literal["32-true", "bf16-mixed"]:
    """bfloat16 autocast where the device computes with it, 32 bits elsewhere.

    Emulated bfloat16 is slower than 32 bits, so a processor must have AVX-512 BF16 or AMX, a GPU its own units.
    """
    if accelerator in ("auto", "cuda") and torch.cuda.is_available():
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    elif accelerator == "mps" or (accelerator == "auto" and torch.backends.mps.is_available()):
        fast = False
    else:
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if fast else "32-true"


@functools.cache
def tune() -> list[object]:
    """Set this process up for training on a processor; the result keeps the settings alive. Further calls do nothing.

    - glibc hands every large tensor back to the system when it is freed and asks for zeroed pages for the next one. A
      step frees and asks for the same sizes again and again: the memory is kept instead.
    - PyTorch's autocast computes reflection padding, which only copies numbers, in 32 bits, and the convolution after
      it converts back: padding is taken off autocast's list.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for setting in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            libc.mallopt(setting, NEVER)
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a kernel is replaced, which is the purpose
        library.impl("reflection_pad2d", torch.library.fallthrough_kernel, "AutocastCPU")  # type: ignore[no-untyped-call]
    return [library]


def to_channels_last(system: System, fabric: Fabric) -> None:
    """Order a system's weights channels last, in place, where a processor convolves in 16 bits and that is faster.

    Convolutions by such weights return pictures in the same order, which saves oneDNN to turn every picture around, and
    reflected borders are several times faster. In 32 bits the gradients of weights take longer so.
    """
    with fabric.autocast():
        half = torch.is_autocast_enabled("cpu")
    if system.channels_last and half and fabric.device.type == "cpu":
        system.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def order_state(optimizer: torch.optim.Optimizer) -> None:
    """Order an optimiser's state in memory as its weights: a fused step walks through both without looking."""
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if value.shape == weight.shape:
                state[name] = torch.empty_like(weight).copy_(value)
