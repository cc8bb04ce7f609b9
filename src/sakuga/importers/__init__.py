"""Published checkpoints of other projects, read safely into our networks: one module for each layout.

A layout is a module with two functions: `recognise(weights)` says in words what the weights are, or None when they are
of another layout; `read(weights)` returns the network.
"""

from pathlib import Path

from torch import nn

from sakuga.importers.layouts import LAYOUTS as LAYOUTS
from sakuga.importers.layouts import build, choose
from sakuga.importers.weights import load


def read(path: str | Path, layout: str | None = None, *, network: str | None = None) -> nn.Module:
    """Return a published generator, (N, 3, H, W) in [-1, 1] to the same; of `adain` a `networks.adain.Painter`.

    Args:
        path: the file or folder of weights.
        layout: a key of `LAYOUTS`; by default recognised by the names in the file.
        network: which, of a file that holds several, by its name there; by default the first generator.

    Raises:
        UsageError: no such file, layout or network, or weights of another layout.
        SakugaError: the weights are damaged or not wholly of their layout.
    """
    published = load(Path(path))
    return build(published, choose(published, layout, network))
