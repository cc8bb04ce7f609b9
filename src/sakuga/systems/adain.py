"""AdaIN: any painting's style, by one decoder (Huang, Belongie, ICCV 2017)."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch

from sakuga.data.dataset import Dataset, by_area, place_crops, sample_squares
from sakuga.data.images import load_image, to_tensor
from sakuga.errors import UsageError
from sakuga.losses import content, mean_std_style
from sakuga.networks.adain import Decoder, Encoder, FixedStyle, Painter, adain
from sakuga.networks.features import FeatureNetwork
from sakuga.systems.artefact import Artefact, translation
from sakuga.systems.base import Batch, Config, Preview, System, Terms
from sakuga.systems.fields import AtLeast, AtMost, Count, Role, Weight, sources
from sakuga.systems.parts.content import Backbone
from sakuga.systems.parts.unpaired import load_sides

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
MEASURED = 128
"""Crops, half of photos and half of paintings, over which the encoder's activations are measured."""


@dataclass
class AdaINConfig(Config):
    """What `sakuga train adain` can be told; the paper's values."""

    style: Annotated[tuple[Path, ...], Role("style", required=True)] = ()
    """Folders of pictures in many styles."""
    load: Count = 512
    """Shorter side to which all pictures are scaled before they are cropped, pixels."""
    batch: int = 8
    lr: float = 1e-4
    steps: int = 160_000
    content: Weight = 1.0
    """Weight of the distance to the transformed features."""
    style_weight: Weight = 10.0
    """Weight of the distance of means and deviations, λ."""
    picture: Annotated[tuple[Path, ...], Role("the style", training=False)] = ()
    """Pictures whose style the finished file paints; `sakuga export RUN --set picture=FILE` names them later.

    They are scaled to a shorter side of `load`, as those of the training."""
    blend: tuple[float, ...] = ()
    """Weights of several such pictures; equal by default."""
    strength: Annotated[float, AtLeast(0), AtMost(1)] = 1.0
    """How far the finished file goes from the photo, 0, to the style, 1."""
    features: Backbone = "vgg19"
    """The encoder, which is also the network of the losses."""
    features_weights: str | None = None
    """Its weights: a path, or `random:SEED`; by default what `sakuga download` fetched. A run that goes on keeps those
    that it began with."""

    @property
    def short_side(self) -> int:
        """Shorter side of all pictures, pixels."""
        return max(self.load, self.crop)


class AdaIN(System):
    """A frozen encoder, the style's mean and deviation put on the photo's features, and a decoder that learns to paint.

    With t = AdaIN(f(x), f(s)): L = mean (f(g(t)) - t)² + λ Σ_l mean (μ_l(g(t)) - μ_l(s))² + mean (σ_l(g(t)) - σ_l(s))²
    over relu1_1, 2_1, 3_1 and 4_1.

    A trained decoder paints any picture's style: `sakuga export RUN -o wave.onnx --set picture=wave.jpg`, several with
    `--set "picture=['a.jpg', 'b.jpg']" --set "blend=[0.7, 0.3]"`.

    Source: Huang, Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization", ICCV 2017,
    equations 8 to 14; weights and rate as in the reference codes. Here the encoder's channels are scaled to a mean
    activation of one on crops of both sides, as the paper's was on ImageNet.
    """

    name = "adain"
    players = {"G": ["painter.decoder"]}  # noqa: RUF012
    averaged = exportable = ("painter",)
    Config = AdaINConfig

    def __init__(self, config: AdaINConfig):
        super().__init__(config)
        with warnings.catch_warnings():
            # Only the shape: the weights come in `prepare`, or out of a checkpoint.
            warnings.simplefilter("ignore")
            encoder = Encoder(FeatureNetwork(config.features, LAYERS, weights="random:0"))
        self.painter = Painter(encoder, Decoder(config.features))

    def prepare(self) -> None:
        """Load the encoder and scale it to the pictures."""
        c = self.config
        if c.blend and len(c.blend) != max(1, len(c.picture)):
            raise UsageError(f"blend {list(c.blend)} does not fit {max(1, len(c.picture))} pictures")
        for path in c.picture:
            load_image(path, short_side=c.load)
        encoder = Encoder(FeatureNetwork(c.features, LAYERS, weights=c.features_weights))
        # Few pictures, or photos alone, leave channels that they hardly excite: scaled up, those would rule the losses.
        batches = (self.dataset.batch(t) for t in range(max(1, MEASURED // (2 * c.batch))))
        encoder.normalise(crops for batch in batches for crops in batch.values())
        self.painter.encoder = encoder

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """One player."""
        c, encoder = self.config, self.painter.encoder
        with torch.no_grad():
            style = encoder(batch["style"])
            target = adain(encoder(batch["photo"], LAYERS[-1:])[LAYERS[-1]], style[LAYERS[-1]])
        stylized = encoder(self.painter.decoder(target))
        yield (
            "G",
            {
                "content": c.content * content({"relu4_1": stylized["relu4_1"]}, {"relu4_1": target}, norm="l2"),
                "style": c.style_weight * mean_std_style(stylized, style),
            },
        )

    def data(self) -> Dataset:
        """Crops of photos, and of pictures whose style is put on them."""
        photos, style = load_sides(self.config)
        return Dataset({"photo": photos}, self.config) | Dataset({"style": style}, self.config)

    @property
    def _painted(self) -> Sequence[Path]:
        """Pictures whose style the finished file paints; while training the first of all, for the samples."""
        return self.config.picture or (self.dataset.pictures("style").paths[:1] if "dataset" in vars(self) else ())

    def _pictures(self) -> list[np.ndarray]:
        return [load_image(path, short_side=self.config.load) for path in self._painted]

    def sources(self) -> list[dict[str, str]]:
        """Return what it was trained on, and the pictures whose style is painted."""
        return sources(replace(self.config, picture=tuple(self._painted)))

    def preview(self) -> Preview:
        """Four photos, and crops of the pictures whose style is put on them."""
        pictures = self._pictures()
        sizes, rng = [picture.shape[:2] for picture in pictures], np.random.default_rng(0)
        size = min(self.config.crop, *(side for sides in sizes for side in sides))
        crops = place_crops(by_area(sizes, 64, rng), sizes, size=size, rng=rng, mirror=self.config.mirror)
        references = to_tensor(np.stack([crop.cut(pictures[crop.index]) for crop in crops]))
        return Preview({"image": sample_squares(self.dataset.pictures("photo"))}, references)

    def rate(self, t: int, player: str) -> float:
        """Falling as 1 / (1 + 5e-5 t)."""
        return 1 / (1 + 5e-5 * t)

    def artefact(self, network: str | None = None) -> Artefact:
        """The painter for the pictures that the config names."""
        c = self.config
        if not self._painted:
            raise UsageError("name the picture whose style to paint: --set picture=FILE")
        device = next(self.painter.parameters()).device
        pictures = [to_tensor(picture).to(device) for picture in self._pictures()]
        try:
            return translation(
                FixedStyle(
                    self.painter.encoder,
                    self.painter.decoder,
                    pictures,
                    weights=c.blend or None,
                    alpha=c.strength,
                )
            )
        except ValueError as error:
            raise UsageError(f"blend {list(c.blend)} does not fit {len(pictures)} pictures: {error}") from error
