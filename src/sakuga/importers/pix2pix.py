"""U-Net generators of pytorch-CycleGAN-and-pix2pix."""

from sakuga.importers.weights import Weights, fill, shape
from sakuga.networks.unet import UNet, per_picture

OUTER = "model."
INNER = "model.model.1."


def recognise(weights: Weights) -> str | None:
    """Say what the weights are, if they are of this layout."""
    if shape(weights, f"{OUTER}model.0.weight")[2:] != (4, 4) or f"{INNER}model.1.weight" not in weights:
        return None
    return f"pix2pix's U-Net generator with {len(_blocks(weights))} levels"


def read(weights: Weights) -> UNet:
    """Return the U-Net without its dropout; batch norms measure the picture at hand, as when pix2pix was tested."""
    blocks = _blocks(weights)
    batch = f"{INNER}model.2.weight" in weights
    width = shape(weights, f"{OUTER}model.0.weight")[0]
    network = UNet(width=width, levels=len(blocks), norm="batch" if batch else "instance", dropout=())
    conv = ["weight"] if batch else ["weight", "bias"]
    norm = ["weight", "bias"] if batch else []

    def names(at: str, *parts: list[str]) -> list[str]:
        return [f"{at}{i}.{name}" for i, part in enumerate(parts) for name in part]

    # A block is named after the one around it: its convolution and norm, the block inside, its deconvolution and norm.
    down = names(f"{OUTER}model.", conv)
    up = names(f"{OUTER}model.", [], [], [], ["weight", "bias"])
    for at in blocks[1:-1]:
        down += names(f"{at}model.", [], conv, norm)
        up = names(f"{at}model.", [], [], [], [], [], conv, norm) + up
    innermost = f"{blocks[-1]}model."
    down += names(innermost, [], conv)
    up = names(innermost, [], [], [], conv, norm) + up
    if batch:
        per_picture(network)
    fill(network, down + up, weights, f"a U-Net with {len(blocks)} levels")
    return network


def _blocks(weights: Weights) -> list[str]:
    """The prefixes of the nested blocks, outermost first."""
    blocks, inner = [OUTER], INNER
    while f"{inner}model.1.weight" in weights:
        blocks.append(inner)
        inner += "model.3."
    return blocks
