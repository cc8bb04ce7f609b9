"""The original CartoonGAN generators (Chen, Lai, Liu, CVPR 2018) as converted from Torch: `.npy` files or a `.pth`."""

from sakuga.importers.weights import Weights, fill, shape
from sakuga.networks.cartoongan import CartoonGANGenerator

TITLE = "CartoonGAN's generator"


def recognise(weights: Weights) -> str | None:
    """Say what the weights are, if they are of this layout."""
    return TITLE if "conv01_1.weight" in weights and "in01_1.scale" in weights else None


def read(weights: Weights) -> CartoonGANGenerator:
    """Return the generator; it sees and paints BGR inside."""
    network = CartoonGANGenerator(width=shape(weights, "conv01_1.weight")[0], bgr=True)
    names = []
    for layer in _layers():
        parts = ("scale", "shift") if layer.startswith("in") else ("weight", "bias")
        names += [f"{layer}.{part}" for part in parts]
    fill(network, names, weights, TITLE)
    return network


def _layers() -> list[str]:
    """The published layer names in the order of computation."""
    names = ["conv01_1", "in01_1", "conv02_1", "conv02_2", "in02_1", "conv03_1", "conv03_2", "in03_1"]
    for block in range(4, 12):
        names += [f"conv{block:02}_1", f"in{block:02}_1", f"conv{block:02}_2", f"in{block:02}_2"]
    return [*names, "deconv01_1", "deconv01_2", "in12_1", "deconv02_1", "deconv02_2", "in13_1", "deconv03_1"]
