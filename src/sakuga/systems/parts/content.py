"""The features by which the cartoon systems compare content: the last convolution of VGG's fourth stage."""

from pathlib import Path
from typing import Literal

from torch import Tensor

from sakuga.networks.features import FeatureNetwork

Backbone = Literal["vgg19", "vgg16"]
LAYERS = {"vgg19": "conv4_4", "vgg16": "conv4_3"}
"""Before the activation, as in the official codes."""

CAFFE = 255 * 0.226
"""Features of Caffe's VGG, for which the papers' weights were found, are taken for so many times torchvision's.

Caffe's network is given pixels of 0 to 255 less their mean, torchvision's the same divided by 255 times a standard
deviation of 0.226, and a network of convolutions and ReLUs is homogeneous but for its biases. The two were trained
apart, so this gives the order of magnitude; Caffe's own weights (`--features-weights`) make the papers' weights exact.
"""


class ContentFeatures(FeatureNetwork):
    """Features in Caffe's units; the layers of `FeatureNetwork`, by default `LAYERS`.

    Gram matrices of them are larger by the square of `CAFFE`. The official codes of the cartoon systems pool with
    TensorFlow's "SAME" padding, which rounds up; here pooling rounds down: crops whose sides are multiples of 8 have
    the same features, others one row or column fewer.
    """

    def __init__(self, name: Backbone, layers: tuple[str, ...] = (), *, weights: str | Path | None = None):
        super().__init__(name, layers or (LAYERS[name],), weights=weights)

    def forward(self, image: Tensor, layers: tuple[str, ...] | None = None) -> dict[str, Tensor]:  # type: ignore[override]
        """Features of (N, 3, H, W) in [-1, 1]."""
        unit = 1.0 if self.inputs == "caffe" else CAFFE
        return {layer: unit * found for layer, found in super().forward(image, layers).items()}
