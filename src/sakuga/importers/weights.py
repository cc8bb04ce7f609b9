"""Published weights on disk as one dictionary of names and tensors; nothing that lies in a file is ever run."""

import hashlib
import pickle
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.downloaded import NO_ARRAYS, check_whole

Weights = dict[str, Tensor]
"""Tensors by the names that their project gave them; names of nested dictionaries are joined by dots."""

SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".npz")
ADAIN = ("decoder", "vgg_normalised")
"""The one layout that is spread over two files."""
STATISTICS = re.compile(r"\.(running_mean|running_var|num_batches_tracked|filt)$")
"""What is kept beside weights and not needed: averages of old instance norms, filters that are fixed."""


_MAX_DEPTH = 8  # of dictionaries in a file: training tools wrap weights twice or three times


@dataclass(frozen=True)
class Published:
    """Weights and the files they lie in."""

    path: Path
    files: tuple[Path, ...]
    weights: Weights

    @property
    def sha256(self) -> str:
        """SHA-256 of the file; of several files that of what `sha256sum` prints about them, sorted by name."""
        lines = [f"{_digest(file)}  {file.name}\n" for file in self.files]
        return lines[0][:64] if len(lines) == 1 else hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(path: Path) -> Published:
    """Read a file, or a folder: of `.npy` files named like their tensors, of one file, or AdaIN's two.

    Raises:
        UsageError: there is no such file, or the folder does not say which of its files is meant.
        SakugaError: the file is damaged, or holds other things than numbers.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist: name a file of weights, or a folder of them.")
    if path.is_file():
        return Published(path, (path,), _read(path))
    if not path.is_dir():
        raise UsageError(f"{path} is neither a file nor a folder: name a file of weights, or a folder of them.")
    if arrays := sorted(path.glob("*.npy")):
        return Published(path, tuple(arrays), {k: v for f in arrays for k, v in _read(f).items()})
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if {file.stem for file in files} >= set(ADAIN):
        files = [file for file in files if file.stem in ADAIN]
        return Published(path, tuple(files), {f"{f.stem}.{k}": v for f in files for k, v in _read(f).items()})
    if len(files) != 1:
        held = f"holds {len(files)} of them ({shorten([f.name for f in files])})" if files else "holds none"
        raise UsageError(f"{path} is a folder that {held}: name the file of weights ({', '.join(SUFFIXES)}) itself.")
    return Published(path, (files[0],), _read(files[0]))


def fill(network: nn.Module, names: Sequence[str], weights: Weights, title: str) -> None:
    """Put the tensors called `names` into the network, whose own, in their order, they are; `title` names it in errors.

    Raises:
        SakugaError: one is missing, has another shape or holds no numbers; or there are more.
    """
    own = network.state_dict()
    if missing := [name for name in names if name not in weights]:
        raise SakugaError(f"{shorten(missing)} is missing, which {title} has: get a whole copy.")
    surplus = [name for name in weights.keys() - set(names) if not STATISTICS.search(name)]
    if surplus or len(names) != len(own):
        raise SakugaError(
            f"it holds {len(names) + len(surplus)} tensors where {title} has {len(own)}"
            f"{f', among them {shorten(sorted(surplus))}' if surplus else ''}: it is another network."
        )
    for name, target in zip(names, own.values(), strict=True):
        if weights[name].shape != target.shape:
            found = tuple(weights[name].shape)
            raise SakugaError(f"{name} has shape {found}, but {title} needs {tuple(target.shape)}: another network.")
        if not weights[name].isfinite().all():
            raise SakugaError(f"{name} holds values that are no finite numbers: get another copy.")
    network.load_state_dict({key: weights[name] for key, name in zip(own, names, strict=True)})


def in_order(weights: Weights, *prefixes: str) -> list[str]:
    """Names of weights and biases that begin with one of `prefixes`, in the order in which they are computed."""
    names = [name for name in weights if name.startswith(prefixes) and not STATISTICS.search(name)]

    def place(name: str) -> tuple[str, bool]:
        module, _, part = name.rpartition(".")
        return re.sub(r"\d+", lambda number: number[0].zfill(4), module), part == "bias"

    return sorted(names, key=place)


def shape(weights: Weights, name: str) -> tuple[int, ...]:
    """The shape of a tensor, () of one that is not there."""
    return tuple(weights[name].shape) if name in weights else ()


def shorten(names: Sequence[str], most: int = 4) -> str:
    """The first names of a list."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _read(path: Path) -> Weights:
    check_whole(path)
    if path.suffix.lower() == ".onnx":
        raise UsageError(f"{path} is an ONNX file: a style of sakuga needs no importing, use it with -s.")
    readers: dict[str, Callable[[Path], Any]] = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}
    try:
        tree = readers.get(path.suffix.lower(), _torch)(path)
        return {name: tensor.float() for name, tensor in _flatten(tree) if tensor.is_floating_point()}
    except (*NO_ARRAYS, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        reason = str(error).strip().partition("\n")[0]
        if isinstance(error, pickle.UnpicklingError) or "TorchScript" in reason:
            raise SakugaError(
                f"{path} is no file of PyTorch, or holds objects beside its tensors, which only code of its author "
                "could read: save the network's state_dict() in the project that it comes from, and import that."
            ) from error
        raise SakugaError(f"{path} cannot be read as weights ({reason}): get a whole copy of it.") from error


def _torch(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what it then refuses
        return torch.load(path, weights_only=True, map_location="cpu")


def _npy(path: Path) -> dict[str, np.ndarray]:
    return {path.stem: np.load(path, allow_pickle=False)}


def _npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays; one stored in 8 bits, as NAME:q and NAME:scale, is their product."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for name in [name for name in arrays if name.endswith(":q")]:
        plain = name.removesuffix(":q")
        arrays[plain] = arrays.pop(name).astype(np.float32) * arrays.pop(f"{plain}:scale")
    return arrays


def _safetensors(path: Path) -> Any:
    try:
        package = import_module("safetensors.torch")
    except ImportError:
        raise SakugaError(f"{path} needs a package to be read: pip install safetensors") from None
    try:
        return package.load_file(path)
    except Exception as error:  # its own error has no public base class
        raise ValueError(str(error)) from error


def _flatten(tree: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    if isinstance(tree, np.ndarray):
        tree = torch.from_numpy(tree)
    if isinstance(tree, Tensor):
        yield prefix, tree
    elif isinstance(tree, Mapping):
        if depth == _MAX_DEPTH:  # it may hold itself, or the same part many times at each level
            raise ValueError("its dictionaries are nested too deeply")
        for key, value in tree.items():
            yield from _flatten(value, f"{prefix}.{key}" if prefix else str(key), depth + 1)
