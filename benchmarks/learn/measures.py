"""Figures that say whether a network has learned. All are distances: smaller is better."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from sakuga.data.images import to_tensor
from sakuga.losses import gram, l1, lpips
from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork

GRAMS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
Pictures = Sequence[np.ndarray]


class Measures:
    """Distances of pictures by VGG-16 and AlexNet, whose published LPIPS heads no training here has seen."""

    def __init__(self) -> None:
        self.vgg = FeatureNetwork("vgg16", LPIPS_LAYERS["vgg16"])
        self.alex = FeatureNetwork("alexnet", LPIPS_LAYERS["alexnet"])

    @torch.inference_mode()
    def grams(self, pictures: Pictures) -> dict[str, Tensor]:
        """The mean over the pictures of each layer's Gram matrix."""
        found = [self.vgg(to_tensor(picture), GRAMS) for picture in pictures]
        return {layer: torch.cat([gram(one[layer]) for one in found]).mean(0) for layer in GRAMS}

    def style(self, pictures: Pictures, wanted: Pictures) -> float:
        """Mean over layers of ‖Ḡ(a) - Ḡ(b)‖² / ‖Ḡ(b)‖², Ḡ the mean Gram matrix of a set of pictures."""
        a, b = self.grams(pictures), self.grams(wanted)
        return float(np.mean([float((a[k] - b[k]).square().sum() / b[k].square().sum()) for k in GRAMS]))

    def gray_style(self, pictures: Pictures, wanted: Pictures) -> float:
        """The same of the pictures without their colours."""
        return self.style([_gray(picture) for picture in pictures], [_gray(picture) for picture in wanted])

    def content(self, pictures: Pictures, photos: Pictures) -> float:
        """LPIPS by VGG-16 between each picture and its photo."""
        return self._lpips(self.vgg, pictures, photos)

    def sharpness(self, pictures: Pictures, wanted: Pictures) -> float:
        """LPIPS by AlexNet, the one usual in super-resolution."""
        return self._lpips(self.alex, pictures, wanted)

    @staticmethod
    @torch.inference_mode()
    def _lpips(network: FeatureNetwork, pictures: Pictures, wanted: Pictures) -> float:
        pairs = zip(pictures, wanted, strict=True)
        return float(
            np.mean([float(lpips(network(to_tensor(x)), network(to_tensor(y)), network.heads)) for x, y in pairs])
        )


def distance(pictures: Pictures, wanted: Pictures) -> float:
    """Mean absolute difference, pixels in 0..1."""
    return float(np.mean([np.abs(x / 255.0 - y / 255.0).mean() for x, y in zip(pictures, wanted, strict=True)]))


@torch.inference_mode()
def cycle(there: nn.Module, back: nn.Module, photos: Pictures) -> float:
    """‖F(G(x)) - x‖₁, pixels in 0..1; sides are cut to multiples of 4."""
    there, back = there.eval(), back.eval()
    cut = [to_tensor(photo[: len(photo) // 4 * 4, : photo.shape[1] // 4 * 4]) for photo in photos]
    return float(np.mean([float(l1(back(there(x)), x)) / 2 for x in cut]))


def _gray(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).convert("L").convert("RGB"))
