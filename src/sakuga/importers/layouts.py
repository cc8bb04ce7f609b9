"""Which layout, and which network of several, a file of weights holds."""

from dataclasses import dataclass
from typing import Protocol

from torch import nn

from sakuga.errors import SakugaError, UsageError
from sakuga.importers import adain, animegan2, cartoongan, cut, cyclegan, fast_neural_style, pix2pix, ugatit
from sakuga.importers.weights import Published, Weights, shape, shorten


class Layout(Protocol):
    """A module of this package that reads one project's weights."""

    def recognise(self, weights: Weights, /) -> str | None:
        """Say what the weights are, if they are of this layout."""

    def read(self, weights: Weights, /) -> nn.Module:
        """Return the network."""


LAYOUTS: dict[str, Layout] = {
    "cartoongan": cartoongan,
    "fast-neural-style": fast_neural_style,
    "animegan2": animegan2,
    "cyclegan": cyclegan,
    "cut": cut,
    "pix2pix": pix2pix,
    "ugatit": ugatit,
    "adain": adain,
}


@dataclass(frozen=True)
class Found:
    """One network of a file: its layout, what it is in words, its name in the file, its weights."""

    layout: str
    title: str
    network: str
    weights: Weights
    others: tuple[str, ...] = ()
    """Names of further generators in the file."""


def choose(published: Published, layout: str | None, network: str | None) -> Found:
    """Return the network to import: the one called `network`, or the first generator that any layout recognises.

    Raises:
        UsageError: an unknown layout; no such network; or nothing that can be imported, or by another layout than
            `layout`; it says what the file looks like instead.
    """
    path, weights = published.path, published.weights
    if layout is not None and layout not in LAYOUTS:
        raise UsageError(f"there is no layout {layout!r}: choose one of {', '.join(LAYOUTS)}, or leave it out.")
    if network is not None:
        weights = _part(weights, f"{network}.")
        if not weights:
            held = shorten(sorted({name.split(".")[0] for name in published.weights}), 8)
            raise UsageError(f"{path} holds no network called {network!r}: its names begin with {held}.")
    found = _search(weights)
    if not found:
        raise UsageError(f"{path} {_explain(weights)}")
    first, *others = found
    if layout not in (None, first.layout):
        raise UsageError(f"{path} looks like {first.title}: use `sakuga import {first.layout}`.")
    name = ".".join(part for part in (network, first.network) if part)
    return Found(first.layout, first.title, name, first.weights, tuple(other.network for other in others))


def build(published: Published, found: Found) -> nn.Module:
    """Return the network, ready to run.

    Raises:
        SakugaError: the weights are damaged, or not wholly of their layout.
    """
    try:
        return LAYOUTS[found.layout].read(found.weights).eval().requires_grad_(False)
    except SakugaError as error:
        raise SakugaError(f"{published.path}, which looks like {found.title}, cannot be imported: {error}") from error


def _search(weights: Weights) -> list[Found]:
    """The recognised networks at the outermost level that has any: the file itself, its dictionaries, theirs."""
    prefixes = [""]
    while prefixes:
        parts = {prefix: _part(weights, prefix) for prefix in prefixes}
        found = [
            Found(name, title, prefix.rstrip("."), part)
            for prefix, part in parts.items()
            for name, layout in LAYOUTS.items()
            if (title := layout.recognise(part))
        ]
        if found:
            return found
        inner = (f"{prefix}{name.partition('.')[0]}." for prefix, part in parts.items() for name in part if "." in name)
        prefixes = list(dict.fromkeys(inner))  # each once, in the order of the file
    return []


def _part(weights: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}


def _explain(weights: Weights) -> str:
    """Say what weights look like that nothing recognises."""
    if not weights:
        return "holds no tensors: it is no file of weights."
    if any(name.endswith("gap_fc.weight_orig") for name in weights):
        return "looks like a discriminator of U-GAT-IT: only generators (genA2B, genB2A) become styles."
    if shape(weights, "model.0.weight")[2:] == (4, 4):
        return "looks like a discriminator of pix2pix or CycleGAN: import the generator, latest_net_G*.pth."
    if len(shape(weights, "features.0.weight")) == 4:
        return "looks like a classifier such as VGG, which paints nothing."
    if shape(weights, "2.weight") == (64, 3, 3, 3):
        return "looks like AdaIN's encoder: name the folder that holds it and decoder.pth."
    if any(name.startswith("average.") for name in weights):
        return "looks like a training of sakuga: use `sakuga export RUN`."
    held = list(dict.fromkeys(name.split(".")[0] for name in weights))
    return (
        f"is of no layout that can be imported ({', '.join(LAYOUTS)}): "
        f"its tensors are {shorten(list(weights))}, their names begin with {shorten(held, 8)}."
    )
