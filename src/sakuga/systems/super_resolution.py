"""Super-resolution by a perceptual loss, the second task of Johnson, Alahi, Fei-Fei (ECCV 2016)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor

from sakuga.data.images import sample_squares, to_tensor
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.losses import content, l2
from sakuga.networks.features import FeatureNetwork
from sakuga.networks.superresolution import SuperResolution as Enlarger
from sakuga.systems.artefact import Artefact, translation
from sakuga.systems.base import Batch, Config, System, Terms, source


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
    feature: float = 1.0
    """Weight of the feature reconstruction at relu2_2."""
    pixel: float = 0.0
    """Weight of the squared pixel distance, the paper's baseline."""
    norm: Literal["batch", "instance"] = "batch"
    """The paper's norms, which are folded away in the style, or the official code's later ones."""
    upsample: Literal["deconv", "resize"] = "deconv"
    """How the network enlarges: as published, or by resizing first, against checkerboards."""
    histogram: bool = True
    """The finished style gives its result the small picture's histogram, as in the paper."""
    blocks: int = 4
    """Residual blocks."""
    width: int = 64
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
        super().__init__()
        if config.crop % config.factor:
            raise UsageError(f"--crop {config.crop} must be a multiple of --factor {config.factor}.")
        if config.crop < 5 * config.factor:
            raise UsageError(
                f"--crop {config.crop} must be {5 * config.factor} or more with --factor {config.factor}: "
                "the network reflects four pixels of the small picture at its edges."
            )
        if not config.feature and not config.pixel:
            raise UsageError("--feature 0 and --pixel 0 leave nothing to learn from; give one of them a weight.")
        self.config = config
        self.generator = Enlarger(
            config.factor, width=config.width, blocks=config.blocks, norm=config.norm, upsample=config.upsample
        )
        self.features: FeatureNetwork | None = None
        self._photos: Sequence[np.ndarray] = []

    def prepare(self) -> None:
        """Find the photos, load the feature network."""
        self._photos = Pictures(self.config.photos)
        if self.config.feature:
            self.features = FeatureNetwork("vgg16", ("relu2_2",), weights=self.config.features_weights)

    def batch(self, step: int, rank: int, world: int) -> Batch:
        """Crops of photos, small and large."""
        crops = self.crops(self._photos, np.random.default_rng((self.config.seed, step)), rank, world)
        large = [crop.cut(self._photos[crop.index]) for crop in crops]
        small = [reduced(picture, self.config.factor) for picture in large]
        return {"small": to_tensor(np.stack(small)), "large": to_tensor(np.stack(large))}

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """One player."""
        c, large = self.config, batch["large"]
        enlarged = self.generator(batch["small"])
        terms = {}
        if self.features is not None:
            with torch.no_grad():
                wanted = self.features(large)
            terms["feature"] = c.feature * content(self.features(enlarged), wanted, norm="l2")
        if c.pixel:
            terms["pixel"] = c.pixel * l2(enlarged, large)
        yield "G", terms

    def artefact(self, network: str | None = None) -> Artefact:
        """The network, which enlarges, and whether its results' histograms are to be matched."""
        return replace(translation(self.generator), scale=self.config.factor, match_histogram=self.config.histogram)

    def samples(self) -> Tensor | None:
        """Four small pictures."""
        if not self._photos:
            return None
        large = sample_squares(self._photos)
        side = min(self.config.crop, large.shape[-1] // self.config.factor * self.config.factor)
        pictures = large[..., :side, :side].add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).numpy()
        return to_tensor(np.stack([reduced(picture, self.config.factor) for picture in pictures]))

    def sources(self) -> list[dict[str, str]]:
        """Return the folders of photos."""
        return [source(p, "photos") for p in self.config.photos]


def reduced(picture: np.ndarray, factor: int) -> np.ndarray:
    """Blur (H, W, 3) uint8 with σ = 1 and reduce it by cubic interpolation, to (H / factor, W / factor, 3)."""
    blurred = ndimage.gaussian_filter(picture.astype(np.float32), sigma=(1, 1, 0), mode="nearest")
    size = (picture.shape[1] // factor, picture.shape[0] // factor)
    rounded = blurred.round().astype(np.uint8)
    return np.asarray(Image.fromarray(rounded).resize(size, Image.Resampling.BICUBIC))
