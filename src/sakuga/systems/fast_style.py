"""Fast neural style: one painting becomes a style (Johnson, Alahi, Fei-Fei, ECCV 2016)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from sakuga.data.images import cut_crops, load_image, sample_squares, to_tensor
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.losses import checkerboard, content, gram, gram_style, total_variation
from sakuga.networks.fast import FastGenerator
from sakuga.networks.features import FeatureNetwork
from sakuga.networks.johnson import TransformNet
from sakuga.systems.base import Batch, Config, System, Terms, source


@dataclass
class FastStyleConfig(Config):
    """What `sakuga train fast_style` can be told; rate, batch, crop, steps and layers are the paper's by default."""

    style: Path | None = None
    """The painting."""
    style_side: int = 384
    """Longer side of the painting as the losses see it, pixels: larger gives larger strokes."""
    body: Literal["johnson", "fast"] = "johnson"
    """The paper's network, or the fast generator, which runs in real time and in exact tiles."""
    side: int = 640
    """Photos are reduced to this longer side."""
    crop: int = 256
    batch: int = 4
    steps: int = 40_000
    lr: float = 1e-3
    content: float = 1.0
    """Weight of the feature reconstruction at `content_layer`."""
    style_weight: float = 5.0
    """Weight of the Gram distances."""
    smooth: float = 0.0
    """Weight of the squared total variation of the output in [-1, 1]."""
    checkerboard: float = 0.0
    """Weight of the penalty on patterns of four pixels' period; the fast body wants about 100."""
    content_layer: str = "relu3_3"
    """Where the content is compared."""
    style_layers: tuple[str, ...] = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
    """Where Gram matrices are compared."""
    calibrate: bool = True
    """Measure each layer once: distances count in units of the photos' own features and the painting's own Grams, so
    the weights hold for any feature weights."""
    width: int = 64
    """Channels of the fast body."""
    blocks: int = 4
    """Residual blocks of the fast body."""
    features_weights: str | None = None
    """VGG-16 weights: a path, or `random:SEED`; by default what `sakuga download vgg16` fetched."""


class FastStyle(System):
    """One painting, one network: content from the photo, Gram matrices from the painting.

    L = λc ‖φ(G(x)) - φ(x)‖² / CHW + λs Σ_l ‖Gram_l(G(x)) - Gram_l(s)‖²_F + λt TV(G(x)), features of VGG-16.

    The official code's weights (1 and 5) belong to its Caffe features and to Gram distances averaged, not summed, over
    the C² entries; they mean nothing on other weights. With `calibrate` the content distance is divided by the photos'
    mean squared feature and every Gram distance by the painting's ‖Gram_l‖²_F, which makes them numbers of order one.

    Source: Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016,
    equations 2 to 5; layers and lr from section 4.1.
    """

    name = "fast_style"
    players = {"G": ["generator"]}  # noqa: RUF012
    Config = FastStyleConfig

    def __init__(self, config: FastStyleConfig):
        super().__init__()
        if not config.style_layers:
            raise UsageError("--style-layers is empty; name layers of VGG-16.")
        self.config = config
        self.generator: nn.Module
        if config.body == "fast":
            self.generator = FastGenerator(width=config.width, blocks=config.blocks, reflect=True)
            if config.crop <= self.generator.margin:
                raise UsageError(
                    f"--crop {config.crop} must be more than {self.generator.margin} with --blocks {config.blocks}: "
                    "so many pixels are reflected at the edges."
                )
        else:
            self.generator = TransformNet()
        self.features: FeatureNetwork | None = None
        self._photos: Sequence[np.ndarray] = []
        self._grams: dict[str, Tensor] = {}
        self._scale: dict[str, float] = {}

    def prepare(self) -> None:
        """Load the photos and the painting; measure the painting's Gram matrices."""
        c = self.config
        if c.style is None:
            raise UsageError("--style is missing: name the painting.")
        self._photos = Pictures(c.photos, max_side=c.side)
        layers = dict.fromkeys((*c.style_layers, c.content_layer))
        self.features = FeatureNetwork("vgg16", tuple(layers), weights=c.features_weights)
        painting = to_tensor(load_image(c.style, max_side=c.style_side))
        if min(painting.shape[2:]) < 16:
            raise UsageError(f"--style {c.style} is smaller than 16 pixels; name a larger painting.")
        with torch.no_grad():
            seen = self.features(painting)
            self._grams = {name: gram(seen[name]) for name in c.style_layers}
            self._scale = dict.fromkeys((*c.style_layers, "content"), 1.0)
            if c.calibrate:
                self._scale = {name: float(g.square().sum()) for name, g in self._grams.items()}
                photo = self.features(self.batch(0, 0, 1)["photo"])[c.content_layer]
                self._scale["content"] = float(photo.square().mean())

    def batch(self, step: int, rank: int, world: int) -> Batch:
        """Crops of photos."""
        rng = np.random.default_rng((self.config.seed, step))
        return {"photo": cut_crops(self._photos, self.crops(self._photos, rng, rank, world))}

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """One player."""
        c, photo = self.config, batch["photo"]
        assert self.features is not None
        fake = _bounded(self.generator(photo))
        seen = self.features(fake)
        with torch.no_grad():
            wanted = self.features(photo, (c.content_layer,))[c.content_layer]
        layer = c.content_layer
        kept = content({layer: seen[layer]}, {layer: wanted}, norm="l2") / self._scale["content"]
        styled = [
            gram_style({n: seen[n]}, {n: self._grams[n].to(fake.device)}) / self._scale[n] for n in c.style_layers
        ]
        terms = {"content": c.content * kept, "style": c.style_weight * torch.stack(styled).sum()}
        if c.smooth:
            terms["smooth"] = c.smooth * total_variation(fake)
        if c.checkerboard:
            terms["checkerboard"] = c.checkerboard * checkerboard(fake - photo)
        yield "G", terms

    def samples(self) -> Tensor | None:
        """Four photos from all over the collection."""
        return sample_squares(self._photos)

    def sources(self) -> list[dict[str, str]]:
        """Return the folders of photos and the painting."""
        return [*(source(p, "photos") for p in self.config.photos), source(str(self.config.style), "style")]


def _bounded(image: Tensor) -> Tensor:
    """Show the losses what users will see, clipped to [-1, 1], with a tenth of the excess left for a gradient."""
    inside = image.clamp(-1, 1)
    return inside + 0.1 * (image - inside)
