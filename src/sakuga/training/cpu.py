"""What makes training on a processor faster without changing a number of it."""

import ctypes
import functools
import platform
import warnings

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names and values of glibc's <malloc.h>."""
NEVER = 2_000_000_000


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
