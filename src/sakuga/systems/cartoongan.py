"""CartoonGAN: photos to cartoons with clear edges (Chen, Lai, Liu, CVPR 2018)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch

from sakuga.data.columns import Derived
from sakuga.data.dataset import Dataset
from sakuga.data.derived.edges import smooth_edges
from sakuga.losses import ImagePool, bce, content, edge_promoting, lsgan
from sakuga.networks.cartoongan import CartoonGANDiscriminator, CartoonGANGenerator
from sakuga.networks.layers import Upsample
from sakuga.systems.base import Batch, Terms, forward_concatenated, frozen
from sakuga.systems.fields import AtLeast, Weight
from sakuga.systems.parts.content import Backbone, ContentFeatures
from sakuga.systems.parts.schedules import linear_decay
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig, load_sides


@dataclass
class CartoonGANConfig(UnpairedConfig):
    """What `sakuga train cartoongan` can be told; steps are 10 and 200 epochs of the paper's 5,402 photos."""

    load: int = 256
    batch: int = 8
    lr: float = 1e-5
    steps: int = 142_000
    warmup: Annotated[int, AtLeast(0)] = 6_750
    """Steps at the beginning in which G learns from content alone."""
    warmup_lr: Weight = 2e-4
    """Learning rate of those steps."""
    content: Weight = 10.0
    """Weight of the content term, ω."""
    objective: Literal["bce", "lsgan"] = "bce"
    """The paper's log loss, or the official code's least squares."""
    pool: Annotated[int, AtLeast(0)] = 0
    """Earlier fakes that D is shown again; 50 in the official code."""
    blocks: Annotated[int, AtLeast(0)] = 8
    """Residual blocks of G."""
    upsample: Upsample = "deconv"
    """How G enlarges: as published, or by resizing first, against checkerboards."""
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of G's first layer; D's has half as many."""
    features: Backbone = "vgg19"
    """Network of the content term."""
    features_weights: str | None = None
    """Its weights: a path, or `random:SEED`; by default what `sakuga download` fetched."""


class CartoonGAN(Unpaired):
    """One generator, and a discriminator that calls cartoons without clear edges fake.

    L_D = -log D(c) - log(1 - D(e)) - log(1 - D(G(p))) for cartoons c and the same with smoothed edges e,
    L_G = -log D(G(p)) + ω mean |φ(G(p)) - φ(p)|, φ = conv4_4 of VGG-19. First G alone learns content.

    Source: Chen, Lai, Liu, "CartoonGAN: Generative Adversarial Networks for Photo Cartoonization", CVPR 2018,
    equations 2 to 4; learning rates and batch as in the official code, which differs from the paper in `objective` and
    `pool` (preset `official`). There D moves before G, which learns from D's opinion of a pooled, thus older, fake and
    keeps its Adam over a warm-up twice as long with a decaying second half, and content is compared at 224 pixels; here
    of its own fake, with a new Adam, at a constant rate, at the crop's size. Its G has 16 residual blocks, the released
    weights the paper's 8.
    """

    name = "cartoongan"
    players = {"warmup": ["generator"], "G": ["generator"], "D": ["discriminator"]}  # noqa: RUF012
    stateful = ("pool",)
    presets = {"official": {"objective": "lsgan", "pool": 50}}  # noqa: RUF012
    Config = CartoonGANConfig

    def __init__(self, config: CartoonGANConfig):
        super().__init__(config)
        self.generator = CartoonGANGenerator(width=config.width, blocks=config.blocks, upsample=config.upsample)
        self.discriminator = CartoonGANDiscriminator(width=max(1, config.width // 2))
        self.pool = ImagePool(config.pool, seed=config.seed)
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
        """G, then D on the same fakes; in the warm-up G alone."""
        c, photo = self.config, batch["photo"]
        assert self.features is not None
        objective = bce if c.objective == "bce" else lsgan
        fake = self.generator(photo)
        with torch.no_grad():
            target = self.features(photo)
        terms = {"content": c.content * content(self.features(fake), target)}
        if t < c.warmup:
            yield "warmup", terms
            return
        with frozen(self.discriminator):
            terms["adversarial"] = edge_promoting.g(self.discriminator(self.augment(fake)), objective=objective)
        yield "G", terms

        shown = [self.augment(image) for image in (batch["style"], self.pool(fake), batch["edges"])]
        yield "D", {"edges": edge_promoting.d(*forward_concatenated(self.discriminator, *shown), objective=objective)}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β₁ = ½, a new one for G after the warm-up."""
        c = self.config
        return {
            player: torch.optim.Adam(self.weights(player), rate, betas=(0.5, 0.999))
            for player, rate in (("warmup", c.warmup_lr), ("G", c.lr), ("D", c.lr))
        }

    def rate(self, t: int, player: str) -> float:
        """Constant in the warm-up and for half of the rest, then falling linearly."""
        c = self.config
        return 1.0 if t < c.warmup else linear_decay(t - c.warmup, c.steps - c.warmup)
