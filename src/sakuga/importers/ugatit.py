"""U-GAT-IT's generators as the authors' PyTorch code, UGATIT-pytorch, saves them: `genA2B` and `genB2A` of a file."""

import re
from math import isqrt

from sakuga.importers.weights import Weights, fill, in_order, shape
from sakuga.networks.ugatit import UGATITGenerator


def recognise(weights: Weights) -> str | None:
    """Say what the weights are, if they are of this layout."""
    if not {"gap_fc.weight", "UpBlock2.2.weight"} <= weights.keys() or len(shape(weights, "FC.0.weight")) != 2:
        return None
    return f"U-GAT-IT's generator, the {'light' if _grid(weights) == 1 else 'full'} version"


def read(weights: Weights) -> UGATITGenerator:
    """Return the generator: light or full, and of which size, is seen from its first linear layer."""
    blocks = sum(re.fullmatch(r"UpBlock1_\d+\.norm1\.rho", name) is not None for name in weights)
    grid = _grid(weights)
    width = shape(weights, "DownBlock.1.weight")[0]
    network = UGATITGenerator(width=width, blocks=blocks, light=grid == 1, size=4 * grid)
    names = in_order(weights, "DownBlock.")
    names += ["gap_fc.weight", "gmp_fc.weight", "conv1x1.weight", "conv1x1.bias"]
    names += ["FC.0.weight", "FC.2.weight", "gamma.weight", "beta.weight"]
    for block in range(1, blocks + 1):
        names += [f"UpBlock1_{block}.{part}" for part in ("conv1.weight", "conv2.weight", "norm1.rho", "norm2.rho")]
    for conv in (2, 7):
        names += [f"UpBlock2.{conv}.weight", *(f"UpBlock2.{conv + 1}.{part}" for part in ("rho", "gamma", "beta"))]
    fill(network, [*names, "UpBlock2.11.weight"], weights, "U-GAT-IT's generator")
    return network


def _grid(weights: Weights) -> int:
    """Side of the features from which γ and β are computed; 1 where they are averaged."""
    out, columns = shape(weights, "FC.0.weight")
    return isqrt(columns // out)
