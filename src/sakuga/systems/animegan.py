"""AnimeGAN and AnimeGANv2: light generators, strokes without colour (Chen, Liu, Chen, ISICA 2019)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from sakuga.data.columns import Derived
from sakuga.data.dataset import Dataset
from sakuga.data.derived.edges import smooth_edges
from sakuga.losses import color_reconstruction, content, gray_adversarial, gray_style, grayscale, total_variation
from sakuga.networks.animegan import AnimeGANDiscriminator, AnimeGANGenerator, AnimeGANv2Generator
from sakuga.systems.base import Batch, Terms, forward_concatenated, frozen
from sakuga.systems.fields import AtLeast, Weight
from sakuga.systems.parts.augment import diff_augment
from sakuga.systems.parts.content import Backbone, ContentFeatures
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig, load_sides


@dataclass
class AnimeGANConfig(UnpairedConfig):
    """What `sakuga train animegan` can be told; version 1's values, its 5 + 96 epochs of 6,656 photos."""

    version: Literal[1, 2] = 1
    """Networks: instance norm and separable convolutions (1), or layer norm and inverted residuals (2), whose rates and
    weights come with the presets."""
    load: int = 256
    batch: int = 6
    lr: float = 8e-5
    """Learning rate of G."""
    lr_d: Weight = 1.6e-4
    """Learning rate of D."""
    steps: int = 112_000
    warmup: Annotated[int, AtLeast(0)] = 5_500
    """Steps at the beginning in which G learns from content alone."""
    warmup_lr: Weight = 1e-4
    """Learning rate of those steps."""
    adversarial: Weight = 300.0
    """Weight of both players' adversarial terms."""
    content: Weight = 1.5
    """Weight of the distance to the photo's features."""
    style_weight: Weight = 3.0
    """Weight of the grey style term; 1.1 to 1.3 where colours fade."""
    color: Weight = 10.0
    """Weight of the colour reconstruction."""
    smooth: Weight = 0.0
    """Weight of the total variation."""
    d_weights: Annotated[tuple[float, float, float, float], AtLeast(0)] = (1.0, 1.0, 1.0, 0.1)
    """How much D minds anime, fakes, grey anime and grey anime with smoothed edges."""
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of version 1's first layer, twice those of version 2's and of D's."""
    features: Backbone = "vgg19"
    """Network of content and style."""
    features_weights: str | None = None
    """Its weights: a path, or `random:SEED`; by default what `sakuga download` fetched."""


def _second(content: float, style: float, color: float, smooth: float, d: tuple[float, ...]) -> dict[str, object]:
    """The official AnimeGANv2 code's values for one style; 10 + 91 epochs in batches of 12."""
    shared = {"version": 2, "batch": 12, "lr": 2e-5, "lr_d": 4e-5, "warmup": 5_500, "warmup_lr": 2e-4, "steps": 56_000}
    weights = {"content": content, "style_weight": style, "color": color, "smooth": smooth, "d_weights": d}
    return shared | weights


class AnimeGAN(Unpaired):
    """Strokes from the Gram matrices of grey anime, colours from the photo, edges from D's dislike of smoothed ones.

    L_G = λ (D(G(p)) - 1)² + ω_c |φ(G(p)) - φ(p)| + ω_s |Gram φ(G(p)) - Gram φ(gray a)| + ω_col L_YUV(G(p), p)
          + ω_tv ½ TV(G(p)),
    L_D = λ (w_a (D(a) - 1)² + w_f D(G(p))² + w_g D(gray a)² + w_s D(gray smoothed a)²), means throughout, φ = conv4_4
    of VGG-19 before the activation. First G alone learns content.

    Source: Chen, Liu, Chen, "AnimeGAN: A Novel Lightweight GAN for Photo Animation", ISICA 2019; batch, lengths and
    version 2 (presets hayao, shinkai, paprika) as in the official codes.
    """

    name = "animegan"
    players = {"warmup": ["generator"], "D": ["discriminator"], "G": ["generator"]}  # noqa: RUF012
    presets = {  # noqa: RUF012
        "hayao": _second(1.5, 2.5, 15, 1, (1.2, 1.2, 1.2, 0.8)),
        "shinkai": _second(1.2, 2.0, 10, 1, (1.7, 1.7, 1.7, 1.0)),
        "paprika": _second(2.0, 0.6, 50, 0.1, (1.0, 1.0, 1.0, 0.005)),
    }
    Config = AnimeGANConfig

    def __init__(self, config: AnimeGANConfig):
        super().__init__(config)
        self.generator: nn.Module
        if config.version == 1:
            self.generator = AnimeGANGenerator(width=config.width)
            self.discriminator = AnimeGANDiscriminator(norm="instance", width=config.width // 2)
        else:
            self.generator = AnimeGANv2Generator(width=config.width // 2)
            self.discriminator = AnimeGANDiscriminator(norm="layer", width=config.width // 2)
        self.features: ContentFeatures | None = None

    def prepare(self) -> None:
        """Load the feature network."""
        self.features = ContentFeatures(self.config.features, weights=self.config.features_weights)

    def data(self) -> Dataset:
        """Crops of either side, and the style's with smoothed edges, which takes milliseconds: nothing is stored."""
        photos, style = load_sides(self.config)
        edges = Derived(smooth_edges, style)
        return Dataset({"photo": photos}, self.config) | Dataset({"style": style, "edges": edges}, self.config)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """D on this step's fakes, then G on the same; in the warm-up G alone, from content."""
        c, photo, anime = self.config, batch["photo"], batch["style"]
        assert self.features is not None
        fake = self.generator(photo)
        if t < c.warmup:
            with torch.no_grad():
                target = self.features(photo)
            yield "warmup", {"content": c.content * content(self.features(fake), target)}
            return
        gray, smoothed = (grayscale(image, channels=3) for image in (anime, batch["edges"]))
        shown = [self.augment(image) for image in (anime, fake.detach(), gray, smoothed)]
        scores = forward_concatenated(self.discriminator, *shown)
        yield "D", {"gray": c.adversarial * gray_adversarial.d(*scores, weights=c.d_weights)}

        with frozen(self.discriminator):
            fooled = gray_adversarial.g(self.discriminator(self.augment(fake)))
        with torch.no_grad():
            both = self.features(torch.cat([photo, gray]))
        target, strokes = ({k: v.chunk(2)[i] for k, v in both.items()} for i in (0, 1))
        stylized = self.features(fake)
        terms = {
            "adversarial": c.adversarial * fooled,
            "content": c.content * content(stylized, target),
            "style": c.style_weight * gray_style(stylized, strokes),
            "color": c.color * color_reconstruction(fake, photo),
        }
        if c.smooth:
            terms["smooth"] = c.smooth * total_variation(fake) / 2
        yield "G", terms

    def augment(self, image: Tensor) -> Tensor:
        """What D is shown of an image: gray must stay grey, and nothing else become it."""
        return diff_augment(image, saturation=False) if self.config.augment else image

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β₁ = ½, a new one for G after the warm-up, twice as fast for D."""
        c = self.config
        return {
            player: torch.optim.Adam(self.weights(player), rate, betas=(0.5, 0.999))
            for player, rate in (("warmup", c.warmup_lr), ("D", c.lr_d), ("G", c.lr))
        }
