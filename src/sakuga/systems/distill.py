"""Distillation: a fast generator learns to paint what a slow teacher paints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from sakuga.data.columns import Column
from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.fitting import Fitted, keep_light, match_tone, mix_color
from sakuga.data.pictures import Pictures
from sakuga.data.teachers import load_teacher, targets
from sakuga.data.views import Thumbnails, Views
from sakuga.errors import UsageError
from sakuga.losses import checkerboard, gradient_l1, gram, gram_style, hinge, l1, line_l1, lpips
from sakuga.networks.context import ContextGenerator
from sakuga.networks.fast import FastGenerator
from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork
from sakuga.networks.patchgan import PatchGAN
from sakuga.systems.base import Batch, Config, Preview, System, Terms, frozen
from sakuga.systems.fields import AtLeast, AtMost, Count, Role, Weight
from sakuga.teachers import grade


@dataclass
class DistillConfig(Config):
    """What `sakuga train distill` can be told."""

    teacher: Annotated[str, Role("teacher", required=True, of="name")] = ""
    """A style's name or path, a folder of CartoonGAN weights, or `module:function`, that shows how to paint."""
    before: Annotated[str, Role("teacher", of="name")] = ""
    """Another one, whose picture of a photo is what the teacher is shown: `sakuga.teachers:anime` makes areas flat."""
    side: Count = 480
    """Photos are reduced to this longer side before the teacher paints them; not with `views`."""
    views: Annotated[int, AtLeast(0)] = 0
    """Views of the photos, windows of 320 to 640 pixels in changed light, that the teacher paints in their place; a
    larger number keeps the first ones."""
    freeze: Annotated[int, AtLeast(0)] = 24
    """Photos that fix the statistics of an imported teacher's norms; 0: statistics of each picture."""
    match_tone: bool = False
    """Give the teacher's pictures the photo's mean and deviation per channel: the look without its colours."""
    color: Annotated[float, AtLeast(0), AtMost(1)] = 1.0
    """How much of the teacher's colour is learned: 1 all, 0 the photo's own; light is always the teacher's."""
    light: Annotated[float, AtLeast(0), AtMost(1)] = 0.0
    """How much of the photo's light its areas keep: 1 all, with the teacher's lines in them; 0 none."""
    vivid: Annotated[float, AtLeast(-1)] = 0.0
    """How much chroma grows in the target, skin's hues left out: 1 doubles it."""
    contrast: Annotated[float, AtLeast(-1), AtMost(1)] = 0.0
    """Contrast of the target's lightness: above 0 more, below less, skin left out."""
    cool: Annotated[float, AtLeast(0)] = 0.0
    """How far the target's deep shadows turn to violet, in units of CIELAB."""
    outlines: Annotated[float, AtLeast(0), AtMost(1)] = 0.0
    """How dark the outlines are that `sakuga.teachers:outlines` draws over the target."""
    cache: Path = Path("runs/teachers")
    """Where the teacher's pictures are kept."""
    crop: int = 160
    batch: int = 8
    steps: int = 8_000
    lr: float = 1e-3
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of the student."""
    blocks: Annotated[int, AtLeast(0)] = 3
    """Residual blocks of the student."""
    inner: Count = 32
    """Channels between the two convolutions of a block: half of `width` takes half of the time."""
    context: bool = False
    """Show the student a thumbnail of the whole picture, for teachers that normalise over it."""
    pixel: Weight = 1.0
    """Weight of mean |G - T|."""
    edges: Weight = 1.0
    """Weight of the L1 between image gradients."""
    lines: Weight = 0.0
    """Weight of a further L1 where the teacher draws thin dark lines."""
    checkerboard: Weight = 0.0
    """Weight of the energy of what repeats in every square of the student."""
    ramps: Weight = 0.0
    """Weight of the same energy on smooth ramps of chance colours, where nothing hides it."""
    perceptual: Weight = 1.0
    """Weight of LPIPS on `features`."""
    gram: Weight = 0.0
    """Weight of the squared Gram distance on `features`, crop by crop."""
    adversarial: Weight = 0.0
    """Weight of the hinge PatchGAN term."""
    adversarial_from: Annotated[float, AtLeast(0), AtMost(1)] = 0.4
    """Part of the training after which the discriminator joins."""
    features: str = "alexnet"
    """Feature network of the perceptual terms: alexnet (cheap) or vgg16 (ten times dearer)."""
    features_weights: str | None = None
    """Its weights: a path, or `random:SEED`; by default what `sakuga download` fetched."""


class Distill(System):
    """A student generator against the stored pictures of its teacher, crop by crop.

    L_G = λp ‖G(x) - T(x)‖₁ + λe ‖∇G(x) - ∇T(x)‖₁ + λl LPIPS(G(x), T(x)) + λg Σ‖Gram(G(x)) - Gram(T(x))‖² - λa D(G(x)),
    and further terms by choice, with a hinge PatchGAN D on the teacher's crops, which joins late. The student starts as
    the identity. A teacher that normalises over the whole picture is not a function of a pixel's surroundings, which is
    all that a fast generator sees: fix its statistics first (`freeze`), take its tone out (`match_tone`), or show the
    student a thumbnail of the whole (`context`), and then many wholes (`views`).

    Sources: Hinton, Vinyals, Dean (2015) for the idea; the terms' own sources stand with the losses.
    """

    name = "distill"
    players = {"G": ["generator"], "D": ["discriminator"]}  # noqa: RUF012
    Config = DistillConfig

    def __init__(self, config: DistillConfig):
        super().__init__(config)
        if config.crop < 32 and config.features == "alexnet" and (config.perceptual or config.gram):
            raise UsageError(f"--crop {config.crop} must be 32 or more: alexnet sees nothing smaller")
        body = ContextGenerator if config.context else FastGenerator
        self.generator = body(width=config.width, blocks=config.blocks, inner=config.inner)
        self.discriminator = PatchGAN(width=32, strided=2, norm=None)
        self.features: FeatureNetwork | None = None

    def prepare(self) -> None:
        """Load the feature network, and the teacher once, who is thus missed before the photos are read."""
        c = self.config
        for teacher in filter(None, (c.teacher, c.before)):
            load_teacher(teacher, (), freeze=0)
        if c.perceptual or c.gram:
            layers = LPIPS_LAYERS.get(c.features)
            if layers is None:
                raise UsageError(f"--features {c.features}: LPIPS knows {', '.join(LPIPS_LAYERS)}")
            self.features = FeatureNetwork(c.features, layers, weights=c.features_weights)

    def fit(self, picture: np.ndarray, photo: np.ndarray, lines: np.ndarray | None = None) -> np.ndarray:
        """Return what is learned of the teacher's picture of a photo, given its outlines; all (H, W, 3) uint8."""
        c = self.config
        if c.match_tone:
            picture = match_tone(picture, photo)
        if c.color != 1:
            picture = mix_color(picture, photo, c.color)
        if c.light:
            picture = keep_light(picture, photo, c.light)
        if c.vivid or c.contrast or c.cool or c.outlines:
            picture = grade(picture, vivid=c.vivid, contrast=c.contrast, cool=c.cool, outlines=c.outlines, lines=lines)
        return picture

    def targets(self, views: Sequence[np.ndarray], photos: Sequence[np.ndarray]) -> Fitted:
        """Return what is learned of every view; painted now what `cache` does not hold.

        `photos`: those that fix the statistics of an imported teacher's norms (`freeze`).
        """
        c = self.config
        teacher, key = load_teacher(c.teacher, photos, freeze=c.freeze)
        shown = views
        if c.before:
            shown = targets(views, *load_teacher(c.before, photos), c.cache, name=c.before, keep=0)
        pictures: list[Sequence[np.ndarray]] = [targets(shown, teacher, key, c.cache, name=c.teacher, keep=0), views]
        if c.outlines:
            draw, key = load_teacher("sakuga.teachers:outlines", photos)
            pictures.append(targets(views, draw, key, c.cache, keep=0))
        return Fitted(self.fit, *pictures)

    def data(self) -> Dataset:
        """Crops of photos and of what is learned of them."""
        c = self.config
        photos = Pictures(c.photos, max_side=None if c.views else c.side)
        views = Views(photos, c.views) if c.views else photos
        columns: dict[str, Column] = {"photo": views, "target": self.targets(views, photos)}
        if c.context:
            columns["thumbnail"] = Thumbnails(views)
        return Dataset(columns, c)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """G learns; once the discriminator has joined, D follows on the same fakes."""
        c, photo, target = self.config, batch["photo"], batch["target"]
        duel = c.adversarial > 0 and t >= c.adversarial_from * c.steps
        fake = self.generator(photo, batch["thumbnail"]) if c.context else self.generator(photo)
        terms = {"pixel": c.pixel * l1(fake, target), "edges": c.edges * gradient_l1(fake, target)}
        if c.lines:
            terms["lines"] = c.lines * line_l1(fake, target, photo)
        if c.checkerboard:
            terms["checkerboard"] = c.checkerboard * checkerboard(fake - photo, period=self.generator.multiple)
        if c.ramps:
            fields = ramps(len(photo), 64, photo)
            drawn = self.generator(fields, batch["thumbnail"]) if c.context else self.generator(fields)
            inside = (drawn - fields)[..., 8:-8, 8:-8]
            terms["ramps"] = c.ramps * checkerboard(inside, period=self.generator.multiple, window=3)
        if self.features is not None:
            features = self.features(fake)
            with torch.no_grad():
                expected = self.features(target)
            if c.perceptual:
                terms["perceptual"] = c.perceptual * lpips(features, expected, self._heads(features))
            if c.gram:
                terms["gram"] = c.gram * gram_style(features, {name: gram(w) for name, w in expected.items()})
        if duel:
            with frozen(self.discriminator):
                terms["adversarial"] = c.adversarial * hinge.g(self.discriminator(fake))
        yield "G", terms
        if duel:
            yield "D", {"hinge": hinge.d(self.discriminator(target), self.discriminator(fake.detach()))}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam for both; the discriminator a fifth as fast."""
        return {
            "G": torch.optim.Adam(self.weights("G"), self.config.lr, betas=(0.9, 0.99)),
            "D": torch.optim.Adam(self.weights("D"), self.config.lr / 5, betas=(0.5, 0.99)),
        }

    def rate(self, t: int, player: str) -> float:
        """Warm up over 200 steps, then fall along a half cosine."""
        return min(1.0, (t + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * t / self.config.steps))))

    def preview(self) -> Preview:
        """Four photos from all over the collection."""
        photos = self.dataset["photo"]
        assert isinstance(photos, (Pictures, Views))
        return Preview({"image": sample_squares(photos)})

    def _heads(self, seen: dict[str, Tensor]) -> dict[str, Tensor]:
        assert self.features is not None
        # Weights without published heads (random ones) weigh every channel alike.
        return self.features.heads or {name: torch.full((f.shape[1],), 1.0) for name, f in seen.items()}


def ramps(count: int, side: int, like: Tensor) -> Tensor:
    """Draw pictures (count, 3, side, side) in -1..1 that go evenly from one chance colour to one near it."""
    first = 2 * torch.rand(count, 3, 1, 1, device=like.device) - 1
    slope = 0.6 * torch.rand(count, 3, 2, device=like.device) - 0.3
    place = torch.linspace(-0.5, 0.5, side, device=like.device)
    down, right = slope[..., :1, None] * place[:, None], slope[..., 1:, None] * place
    return (first + down + right).clamp(-1, 1).to(like.dtype)
