"""Super-resolution by a perceptual loss, the second task of Johnson, Alahi, Fei-Fei (ECCV 2016)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal

import numpy as np
import torch
from PIL import Image
from scipy import ndimage

from sakuga.data.columns import Derived
from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.images import to_tensor, to_uint8
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.losses import content, l2
from sakuga.networks.features import FeatureNetwork
from sakuga.networks.superresolution import SuperResolution as Enlarger
from sakuga.systems.artefact import Artefact, translation
from sakuga.systems.base import Batch, Config, Preview, System, Terms
from sakuga.systems.fields import AtLeast, Weight


@dataclass
class SuperResolutionConfig(Config):
    """What `sakuga train super_resolution` can be told; the paper's values."""

    factor: Literal[4, 8] = 4
    """How many times larger the result is."""
    crop: int = 288
    """Side of the large pictures."""
    batch: int = 4
    lr: float = 1e-3
    steps: int = 200_000
    feature: Weight = 1.0
    """Weight of the feature reconstruction at relu2_2."""
    pixel: Weight = 0.0
    """Weight of the squared pixel distance, the paper's baseline."""
    norm: Literal["batch", "instance"] = "batch"
    """The paper's norms, which are folded away in the style, or the official code's later ones."""
    upsample: Literal["deconv", "resize"] = "deconv"
    """How the network enlarges: as published, or by resizing first, against checkerboards."""
    histogram: bool = True
    """The finished style gives its result the small picture's histogram, as in the paper."""
    blocks: Annotated[int, AtLeast(0)] = 4
    """Residual blocks."""
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of the network."""
    features_weights: str | None = None
    """VGG-16 weights: a path, or `random:SEED`; by default what `sakuga download vgg16` fetched."""


class SuperResolution(System):
    """A picture that was blurred (σ = 1) and reduced by cubic interpolation is enlarged again.

    L = ‖φ(G(x)) - φ(y)‖² / CHW, φ = relu2_2 of VGG-16. The result looks sharper, and scores lower in PSNR, than that of
    a squared pixel distance.

    Source: Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016,
    section 4.2.
    """

    name = "super_resolution"
    players = {"G": ["generator"]}  # noqa: RUF012
    Config = SuperResolutionConfig

    def __init__(self, config: SuperResolutionConfig):
        super().__init__(config)
        if config.crop % config.factor:
            raise UsageError(f"--crop {config.crop} must be a multiple of --factor {config.factor}")
        if config.crop < 5 * config.factor:
            raise UsageError(
                f"--crop {config.crop} must be {5 * config.factor} or more with --factor {config.factor}: "
                "the network reflects four pixels of the small picture at its edges"
            )
        if not config.feature and not config.pixel:
            raise UsageError("--feature 0 and --pixel 0 leave nothing to learn from; give one of them a weight")
        self.generator = Enlarger(
            config.factor, width=config.width, blocks=config.blocks, norm=config.norm, upsample=config.upsample
        )
        self.features: FeatureNetwork | None = None

    def prepare(self) -> None:
        """Load the feature network."""
        if self.config.feature:
            self.features = FeatureNetwork("vgg16", ("relu2_2",), weights=self.config.features_weights)

    def data(self) -> Dataset:
        """Crops of photos, small and large."""
        photos = Pictures(self.config.photos)
        small = Derived(partial(reduced, factor=self.config.factor), photos)
        return Dataset({"small": small, "large": photos}, self.config)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """One player."""
        c, large = self.config, batch["large"]
        enlarged = self.generator(batch["small"])
        terms = {}
        if self.features is not None:
            with torch.no_grad():
                target = self.features(large)
            terms["feature"] = c.feature * content(self.features(enlarged), target, norm="l2")
        if c.pixel:
            terms["pixel"] = c.pixel * l2(enlarged, large)
        yield "G", terms

    def artefact(self, network: str | None = None) -> Artefact:
        """The network, which enlarges, and whether its results' histograms are to be matched."""
        return replace(translation(self.generator), scale=self.config.factor, match_histogram=self.config.histogram)

    def preview(self) -> Preview:
        """Four small pictures."""
        large, factor = sample_squares(self.dataset.pictures("large")), self.config.factor
        side = min(self.config.crop, large.shape[-1] // factor * factor)
        pictures = to_uint8(large[..., :side, :side])
        return Preview({"image": to_tensor(np.stack([reduced(picture, factor) for picture in pictures]))})


def reduced(picture: np.ndarray, factor: int) -> np.ndarray:
    """Blur (H, W, 3) uint8 with σ = 1 and reduce it by cubic interpolation, to (H / factor, W / factor, 3)."""
    blurred = ndimage.gaussian_filter(picture.astype(np.float32), sigma=(1, 1, 0), mode="nearest")
    size = (picture.shape[1] // factor, picture.shape[0] // factor)
    rounded = blurred.round().astype(np.uint8)
    return np.asarray(Image.fromarray(rounded).resize(size, Image.Resampling.BICUBIC))
