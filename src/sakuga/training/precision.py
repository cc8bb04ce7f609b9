"""Which numbers to compute with when nobody says."""

from typing import Literal

import torch


def choose(accelerator: str) -> Literal["32-true", "bf16-mixed"]:
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
