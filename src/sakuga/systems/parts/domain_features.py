"""Features of faces by networks that were trained on faces, for losses that are to know them."""

from pathlib import Path

from torch import Tensor, nn

from sakuga.networks.features import FeatureNetwork
from sakuga.networks.resnet18 import ResNet18
from sakuga.runtime.console import say
from sakuga.systems.parts.trained import read_classifier

VGG_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
LAYER_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Of the five layers of a network, shallow to deep: pix2pixHD's."""


class DomainFeatures(nn.Module):
    """Features of pictures (N, 3, H, W) at five depths of each of several frozen networks, and their weights in a loss.

    Args:
        runs: by option, runs of `cam_classifier` on faces: on a folder for each person, on attributes. What is None is
            left out and said to be; without any, VGG-19 that knows objects stands in.
        weights: of VGG-19: a path, `random:SEED`, or None for what `sakuga download vgg19` fetched.

    Raises what `read_classifier` and `FeatureNetwork` raise.
    """

    def __init__(self, runs: dict[str, Path | None], *, weights: str | None):
        super().__init__()
        given = {option: run for option, run in runs.items() if run is not None}
        networks: list[nn.Module] = [read_classifier(run, option)[0] for option, run in given.items()]
        if len(given) < len(runs):
            networks.append(FeatureNetwork("vgg19", VGG_LAYERS, weights=weights))
            absent = " and ".join(option for option in runs if option not in given)
            say(f"features of VGG-19, trained on objects, stand in for those of faces: {absent} names no run")
        self.networks = nn.ModuleList(networks)
        self.eval().requires_grad_(False)
        shares = [1 / len(runs)] * len(given) + [1 - len(given) / len(runs)] * (len(given) < len(runs))
        self.weights = {
            f"{number}.{depth}": share * weight
            for number, share in enumerate(shares)
            for depth, weight in enumerate(LAYER_WEIGHTS)
        }

    def train(self, mode: bool = True) -> "DomainFeatures":
        """Stay as trained: batch norms keep their statistics."""
        return super().train(False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the features by network and depth."""
        return {
            f"{number}.{depth}": maps
            for number, network in enumerate(self.networks)
            for depth, maps in enumerate(_maps(network, image))
        }


def _maps(network: nn.Module, image: Tensor) -> list[Tensor]:
    return network.stages(image) if isinstance(network, ResNet18) else [*network(image).values()]
