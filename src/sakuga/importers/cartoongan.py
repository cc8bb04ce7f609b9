"""The four original CartoonGAN generators, one `.npy` per tensor."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sakuga.errors import SakugaError
from sakuga.networks.cartoongan import CartoonGANGenerator


def cartoongan(folder: str | Path) -> CartoonGANGenerator:
    """Read one of the four original CartoonGAN generators from a folder with one `.npy` per tensor.

    The published names are `conv01_1.weight`, `in01_1.scale`, `deconv01_1.bias` and so on; in order they are exactly
    the layers of `CartoonGANGenerator`, so they are matched by kind, position and shape.

    Raises:
        SakugaError: the folder lacks a tensor, or one has another shape than the generator's.
    """
    folder = Path(folder)
    try:
        tensors = {path.stem: np.load(path, allow_pickle=False) for path in sorted(folder.glob("*.npy"))}
    except (OSError, EOFError, ValueError) as error:
        raise SakugaError(f"{folder} holds a file that is no tensor ({error}); get a whole copy of it.") from error
    network = CartoonGANGenerator(bgr=True).eval()
    for name, module in zip(_cartoongan_layers(), _weighted(network), strict=True):
        first, second = ("scale", "shift") if name.startswith("in") else ("weight", "bias")
        _fill(module, "weight", tensors, f"{name}.{first}", folder)
        _fill(module, "bias", tensors, f"{name}.{second}", folder)
    return network


def _cartoongan_layers() -> list[str]:
    """The published layer names in the order of computation."""
    names = ["conv01_1", "in01_1", "conv02_1", "conv02_2", "in02_1", "conv03_1", "conv03_2", "in03_1"]
    for block in range(4, 12):
        names += [f"conv{block:02}_1", f"in{block:02}_1", f"conv{block:02}_2", f"in{block:02}_2"]
    return [*names, "deconv01_1", "deconv01_2", "in12_1", "deconv02_1", "deconv02_2", "in13_1", "deconv03_1"]


def _weighted(network: nn.Module) -> list[nn.Module]:
    """The modules that own a weight, in order of definition, which is the order of computation."""
    return [m for m in network.modules() if isinstance(getattr(m, "weight", None), nn.Parameter)]


def _fill(module: nn.Module, part: str, tensors: Mapping[str, np.ndarray], name: str, source: Path) -> None:
    if name not in tensors:
        raise SakugaError(f"{source} is not a CartoonGAN checkpoint: it has no {name}.npy.")
    parameter = getattr(module, part)
    if tensors[name].shape != tuple(parameter.shape):
        raise SakugaError(
            f"{source}/{name}.npy has shape {tensors[name].shape}; "
            f"CartoonGAN's generator needs {tuple(parameter.shape)}."
        )
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(tensors[name]))
