"""The frozen networks by which pictures are compared."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sakuga.errors import UsageError
from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork
from sakuga.networks.inception import Inception

NETWORKS = ("vgg16", "vgg19", "alexnet", "inception")
GRAMS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
CONTENT = "relu4_3"


@dataclass
class Seen:
    """What the networks see in pictures: features by layer of VGG-16 and AlexNet, and a row of features each (N, d)."""

    vgg: dict[str, Tensor]
    alex: dict[str, Tensor]
    row: Tensor | None


class FeatureExtractors:
    """VGG-16 and AlexNet, whose features are compared picture by picture, and the network that compares sets.

    A network without weights is left out; `notes` then says what is missing and how to get it.

    Args:
        features: the network for FID and KID, one of NETWORKS; VGG and AlexNet are averaged over the positions of their
            last activation.
        weights: of that network, as `FeatureNetwork` takes them; None: those in the cache. `inception` needs a file.

    Attributes:
        set_name: of the figures of sets: empty for FID's own Inception weights, else the network's name in brackets.
        sources: in words, the weights of each network.

    Raises:
        UsageError, SakugaError: `features` is unknown, or `weights` are not its weights.
    """

    def __init__(self, features: str = "vgg16", weights: str | Path | None = None):
        if features not in NETWORKS:
            raise UsageError(f"unknown feature network {features!r}; choose {', '.join(NETWORKS)}.")
        self.notes: list[str] = []
        self.sources: dict[str, str] = {}
        self.features = features
        self.vgg = self._network("vgg16", LPIPS_LAYERS["vgg16"], weights if features == "vgg16" else None)
        self.alex = self._network("alexnet", LPIPS_LAYERS["alexnet"], weights if features == "alexnet" else None)
        self.set_network: FeatureNetwork | Inception | None = {"vgg16": self.vgg, "alexnet": self.alex}.get(features)
        if features == "vgg19":
            self.set_network = self._network("vgg19", ("relu5_4",), weights)
        elif features == "inception":
            if weights is None:
                raise UsageError("--features inception needs --weights pt_inception-2015-12-05-6726825d.pth.")
            self.set_network = Inception(weights)
            self.sources["inception"] = self.set_network.source
        random = "random" in self.sources.get(features, "")
        official = isinstance(self.set_network, Inception) and self.set_network.official
        self.set_name = "" if official else f"[{features}{'-random' if random else ''}]"

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> Seen:
        """Look at pictures (N, 3, H, W) in [-1, 1]."""
        features = Seen(self.vgg(image) if self.vgg else {}, self.alex(image) if self.alex else {}, None)
        if isinstance(self.set_network, Inception):
            features.row = self.set_network(image)
        elif self.set_network is not None:
            known = {"vgg16": features.vgg, "alexnet": features.alex}.get(self.features)
            last = self.set_network.layers[-1]
            features.row = (known or self.set_network(image))[last].mean((2, 3))
        return features

    def _network(self, name: str, layers: tuple[str, ...], weights: str | Path | None) -> FeatureNetwork | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of random weights, which the figures' names announce
                network = FeatureNetwork(name, layers, weights=weights)
        except UsageError:
            if weights is not None:
                raise
            self.notes.append(f"what needs {name} is left out: its weights are not here; run `sakuga download {name}`.")
            return None
        self.sources[name] = network.source
        if name in LPIPS_LAYERS and not network.heads:
            self.notes.append(f"LPIPS[{name}] is left out: {network.source} has no published heads.")
        return network
