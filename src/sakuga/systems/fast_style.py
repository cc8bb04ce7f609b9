"""Fast neural style: one painting becomes a style (Johnson, Alahi, Fei-Fei, ECCV 2016)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.images import load_image, to_tensor
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.losses import checkerboard, content, gram, gram_style, total_variation
from sakuga.networks.fast import FastGenerator
from sakuga.networks.features import FeatureNetwork
from sakuga.networks.johnson import TransformNet
from sakuga.systems.base import Batch, Config, Preview, System, Terms
from sakuga.systems.fields import AtLeast, Count, Role, Weight


@dataclass
class FastStyleConfig(Config):
    """What `sakuga train fast_style` can be told; rate, batch, crop, steps and layers are the paper's by default."""

    style: Annotated[Path | None, Role("style", required=True, of="picture")] = None
    """The painting."""
    style_side: Count = 384
    """Longer side of the painting as the losses see it, pixels: larger gives larger strokes."""
    body: Literal["johnson", "fast"] = "johnson"
    """The paper's network, or the fast generator, which runs in real time and in exact tiles."""
    side: Count = 640
    """Photos are reduced to this longer side."""
    crop: int = 256
    batch: int = 4
    steps: int = 40_000
    lr: float = 1e-3
    content: Weight = 1.0
    """Weight of the feature reconstruction at `content_layer`."""
    style_weight: Weight = 5.0
    """Weight of the Gram distances."""
    smooth: Weight = 0.0
    """Weight of the squared total variation of the output in [-1, 1]."""
    checkerboard: Weight = 0.0
    """Weight of the penalty on patterns of four pixels' period; the fast body wants about 100."""
    content_layer: str = "relu3_3"
    """Where the content is compared."""
    style_layers: tuple[str, ...] = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
    """Where Gram matrices are compared."""
    calibrate: bool = True
    """Measure each layer once: distances count in units of the photos' own features and the painting's own Grams, so
    the weights hold for any feature weights."""
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of the fast body."""
    blocks: Annotated[int, AtLeast(0)] = 4
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
        super().__init__(config)
        if not config.style_layers:
            raise UsageError("--style-layers is empty; name layers of VGG-16")
        self.generator: nn.Module
        if config.body == "fast":
            self.generator = FastGenerator(width=config.width, blocks=config.blocks, reflect=True)
            if config.crop <= self.generator.margin:
                raise UsageError(
                    f"--crop {config.crop} must be more than {self.generator.margin} with --blocks {config.blocks}: "
                    "so many pixels are reflected at the edges"
                )
        else:
            self.generator = TransformNet()
        self.features: FeatureNetwork | None = None
        self._grams: dict[str, Tensor] = {}
        self._scale: dict[str, float] = {}

    def prepare(self) -> None:
        """Load the painting and the feature network; measure the painting's Gram matrices and the photos' features."""
        c = self.config
        painting = to_tensor(load_image(c.style, max_side=c.style_side))
        if min(painting.shape[2:]) < 16:
            raise UsageError(f"--style {c.style} is smaller than 16 pixels; name a larger painting")
        layers = dict.fromkeys((*c.style_layers, c.content_layer))
        self.features = FeatureNetwork("vgg16", tuple(layers), weights=c.features_weights)
        with torch.no_grad():
            features = self.features(painting)
            self._grams = {name: gram(features[name]) for name in c.style_layers}
            self._scale = dict.fromkeys((*c.style_layers, "content"), 1.0)
            if c.calibrate:
                self._scale = {name: float(g.square().sum()) for name, g in self._grams.items()}
                photo = self.features(self.dataset.batch(0)["photo"])[c.content_layer]
                self._scale["content"] = float(photo.square().mean())

    def data(self) -> Dataset:
        """Crops of photos."""
        return Dataset({"photo": Pictures(self.config.photos, max_side=self.config.side)}, self.config)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """One player."""
        c, photo = self.config, batch["photo"]
        assert self.features is not None
        fake = _bounded(self.generator(photo))
        features = self.features(fake)
        with torch.no_grad():
            target = self.features(photo, (c.content_layer,))[c.content_layer]
        layer = c.content_layer
        kept = content({layer: features[layer]}, {layer: target}, norm="l2") / self._scale["content"]
        styled = [
            gram_style({n: features[n]}, {n: self._grams[n].to(fake.device)}) / self._scale[n] for n in c.style_layers
        ]
        terms = {"content": c.content * kept, "style": c.style_weight * torch.stack(styled).sum()}
        if c.smooth:
            terms["smooth"] = c.smooth * total_variation(fake)
        if c.checkerboard:
            terms["checkerboard"] = c.checkerboard * checkerboard(fake - photo)
        yield "G", terms

    def preview(self) -> Preview:
        """Four photos from all over the collection."""
        return Preview({"image": sample_squares(self.dataset.pictures("photo"))})


def _bounded(image: Tensor) -> Tensor:
    """Show the losses what users will see, clipped to [-1, 1], with a tenth of the excess left for a gradient."""
    inside = image.clamp(-1, 1)
    return inside + 0.1 * (image - inside)
