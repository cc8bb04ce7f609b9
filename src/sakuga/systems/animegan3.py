"""AnimeGANv3, the double-tail GAN: one tail learns the style, the other to paint it clean (Liu, Chen, Gao, 2024)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from sakuga.data.columns import Column, Derived, Noise
from sakuga.data.dataset import Dataset
from sakuga.data.derived.edges import smooth_edges
from sakuga.data.derived.segments import Segments, each, regions
from sakuga.data.derived.smoothing import l0_smooth, non_local_means
from sakuga.data.images import to_uint8
from sakuga.errors import UsageError
from sakuga.losses import (
    content,
    gray_style,
    grayscale,
    guided_filter,
    l1,
    lab_color,
    least_squares,
    lsgan,
    superpixel_colors,
    total_variation,
)
from sakuga.networks.animegan3 import AnimeGANv3Discriminator, AnimeGANv3Generator
from sakuga.systems.base import Batch, Terms, forward_concatenated, frozen
from sakuga.systems.fields import AtLeast, AtMost, Count, Weight
from sakuga.systems.parts.content import LAYERS, Backbone, ContentFeatures
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig, load_sides

gray_lsgan = least_squares(a=0.1, b=0.9, c=0.9)


@dataclass
class AnimeGANv3Config(UnpairedConfig):
    """What `sakuga train animegan3` can be told; the official code's values for Hayao, 5 + 95 epochs of 6,656 photos.

    After the warm-up every step waits for the processor to segment and clean what support painted: at 256×256 about
    half a second a picture, as many pictures at a time as there are cores.
    """

    load: int = 256
    batch: int = 8
    lr: float = 1e-4
    steps: int = 83_200
    warmup: Annotated[int, AtLeast(0)] = 4_160
    """Steps at the beginning in which G learns from content alone."""
    warmup_lr: Weight = 2e-4
    """Learning rate of those steps."""
    warmup_main: bool = True
    """Whether the main tail learns in them too."""
    content: Weight = 0.5
    """Weight of the distance to the photo's features."""
    style_weight: Annotated[tuple[float, float, float], AtLeast(0)] = (0.1, 5.0, 25.0)
    """Weights of the grey style term at conv2_2, conv3_3 and conv4_4."""
    region: Weight = 0.2
    """Weight of the distance to the output's own superpixels."""
    region_photo: Weight = 0.2
    """Weight of the distance to the photo's superpixels."""
    color: Weight = 10.0
    """Weight of the colour reconstruction, in Lab."""
    smooth: Weight = 1e-3
    """Weight of the total variation, of either tail."""
    gray_edges: Weight = 2.0
    """How much D minds grey anime with smoothed edges."""
    main_pixels: Weight = 50.0
    """Weight of the main tail's distance to its target, in pixels."""
    main_content: Weight = 0.5
    """Weight of the same, in features."""
    main_adversarial: Weight = 0.02
    """Weight of the main tail's adversarial term."""
    main_d: Weight = 0.1
    """Weight of D's term for the main tail."""
    min_size: Count = 50
    """Pixels of the output's smallest superpixel."""
    denoise: Weight = 5.0
    """Strength of the non-local means that clean the main tail's target."""
    denoise_patch: Count = 5
    """Side of the squares by which they compare."""
    salt: Annotated[float, AtLeast(0), AtMost(1)] = 0.0
    """Share of white pixels in anime with smoothed edges."""
    cache: Path = Path("runs/segments")
    """Where the photos' superpixels are kept."""
    width: Annotated[int, AtLeast(2)] = 32
    """Channels of the first layer of G and D."""
    features: Backbone = "vgg19"
    """Network of content and style."""
    features_weights: str | None = None
    """Its weights: a path, or `random:SEED`; by default what `sakuga download` fetched."""


class AnimeGANv3(Unpaired):
    """A support tail that learns anime adversarially, and a main tail that learns its pictures cleaned.

    With S₀ = support(p), S = guided_filter(S₀, S₀), M = main(p), target T = L0-smoothed, denoised S₀; anime a, with
    smoothed edges e; R(x) = x in the mean colours of its superpixels; φ = conv4_4 of VGG-19 before the activation,
    |φ(x) - φ(y)| divided by its 512 channels; Gram matrices centred, divided by their layer's channels; TV with halves:

    L_G = (D(gray S) - 0.9)² + ω_c |φ(S) - φ(p)| + Σ_l ω_l |Gram φ_l(gray S) - Gram φ_l(gray a)|
          + ω_r |φ(S) - φ(R(S))| + ω_p |φ(S) - φ(R(p))| + ω_col Lab(S, p) + ω_tv TV(S)
          + λ₁ |M - T| + λ₂ |φ(M) - φ(T)| + λ₃ (D_M(M) - 1)² + ω_tv TV(M),
    L_D = ½ (D(gray a) - 0.9)² + (D(gray S) - 0.1)² + ω_e (D(gray e) - 0.1)² + λ₄ ((D_M(T) - 1)² + D_M(M)²),

    means throughout, R(S), R(p) and T held constant. First G alone learns content. Users run base and main tail.

    Source: Liu, Chen, Gao, "A Novel Double-Tail Generative Adversarial Network for Fast Photo Animation", IEICE
    Transactions on Information and Systems E107-D(1), 2024; terms and values of the official code (2023), presets hayao
    and shinkai. Different here: D is shown the fakes of G's step, not new ones; OpenCV's denoising is scikit-image's
    with the same parameters (`non_local_means`), of RGB where the code hands RGB to a function that takes BGR; the
    superpixels of a photo are coloured within its crop; the salt falls anew in every step. The attention's batch norm
    sees the parts of a batch, with `accumulate` or several processes, one by one.
    """

    name = "animegan3"
    players = {"warmup": ["generator"], "G": ["generator"], "D": ["discriminator", "discriminator_main"]}  # noqa: RUF012
    presets = {  # noqa: RUF012
        "hayao": {},  # the defaults
        "shinkai": {
            "warmup_main": False,
            "style_weight": (0.1, 2.0, 28.0),
            "region": 0.8,
            "region_photo": 0.5,
            "color": 8.0,
            "smooth": 1e-4,
            "gray_edges": 5.0,
            "min_size": 100,
            "denoise": 7.0,
            "denoise_patch": 7,
            "salt": 0.1,
        },
    }
    Config = AnimeGANv3Config

    def __init__(self, config: AnimeGANv3Config):
        super().__init__(config)
        self.generator = AnimeGANv3Generator(width=config.width)
        self.discriminator = AnimeGANv3Discriminator(width=config.width)
        self.discriminator_main = AnimeGANv3Discriminator(width=config.width)
        self.last = LAYERS[config.features]
        self.features: ContentFeatures | None = None

    def prepare(self) -> None:
        """Load the feature network.

        Raises:
            UsageError: the generator cannot halve the crops three times.
        """
        c = self.config
        if c.crop % AnimeGANv3Generator.multiple:
            raise UsageError(f"--crop {c.crop} must be a multiple of {AnimeGANv3Generator.multiple} for {self.name}")
        self.features = ContentFeatures(c.features, ("conv2_2", "conv3_3", self.last), weights=c.features_weights)

    def data(self) -> Dataset:
        """Crops of either side, the photos' superpixels, and the style with smoothed edges, salted."""
        c = self.config
        photos, style = load_sides(c)
        edges: Column = Derived(smooth_edges, style)
        if c.salt:
            edges = Derived(partial(_salted, share=c.salt), edges, Noise(c.crop, c.crop, uniform=True))
        return Dataset({"photo": photos, "segments": Segments(photos, c.cache, regions)}, c) | Dataset(
            {"style": style, "edges": edges}, c
        )

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """G with both tails, then both discriminators on the same pictures; in the warm-up G alone, from content."""
        c, photo = self.config, batch["photo"]
        rough, main = self.generator(photo, both=True)
        support = guided_filter(rough, rough, radius=2, eps=0.04)  # the code's 0.01, there on [0, 1]
        if t < c.warmup:
            targets = self._target(photo)
            terms = {"content": self._distance(self._content(support), targets)}
            if c.warmup_main:
                terms["main_content"] = self._distance(self._content(main), targets)
            yield "warmup", terms
            return
        flat = superpixel_colors(support, _regions(support, c.min_size))
        flat_photo = superpixel_colors(photo, batch["segments"])
        target = _cleaned(rough, c.denoise, c.denoise_patch)
        gray, gray_anime, gray_edges = (grayscale(x, channels=3) for x in (support, batch["style"], batch["edges"]))
        with frozen(self.discriminator, self.discriminator_main):
            fooled, fooled_main = self.discriminator(self.augment(gray)), self.discriminator_main(self.augment(main))
        stylized, stylized_main = self._content(support), self._content(main)
        own, photos = (self._distance(stylized, self._target(x)) for x in (flat, flat_photo))
        yield (
            "G",
            {
                "adversarial": gray_lsgan.g(fooled),
                "content": c.content * self._distance(stylized, self._target(photo)),
                "style": self._style_distance(gray, gray_anime),
                "region": c.region * own + c.region_photo * photos,
                "color": c.color * lab_color(support, photo),
                "smooth": c.smooth * total_variation(support) / 2,
                "main_pixels": c.main_pixels * l1(main, target),
                "main_content": c.main_content * self._distance(stylized_main, self._target(target)),
                "main_adversarial": c.main_adversarial * lsgan.g(fooled_main),
                "main_smooth": c.smooth * total_variation(main) / 2,
            },
        )

        shown = (self.augment(image) for image in (gray_anime, gray.detach(), gray_edges))
        anime, fake, edges = forward_concatenated(self.discriminator, *shown)
        shown = (self.augment(image) for image in (target, main.detach()))
        clean, fake_main = forward_concatenated(self.discriminator_main, *shown)
        yield (
            "D",
            {
                "anime": gray_lsgan.real(anime) / 2,
                "fake": gray_lsgan.fake(fake),
                "edges": c.gray_edges * gray_lsgan.fake(edges),
                "main": c.main_d * lsgan.d(clean, fake_main),
            },
        )

    def _content(self, image: Tensor) -> dict[str, Tensor]:
        assert self.features is not None
        found: dict[str, Tensor] = self.features(image, (self.last,))
        return found

    @torch.no_grad()
    def _target(self, image: Tensor) -> dict[str, Tensor]:
        return self._content(image)

    def _distance(self, features: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
        return content(features, wanted) / wanted[self.last].shape[1]

    def _style_distance(self, gray: Tensor, gray_anime: Tensor) -> Tensor:
        assert self.features is not None
        with torch.no_grad():
            strokes = self.features(gray_anime)
        layers = zip(self.features.layers, self.config.style_weight, strict=True)
        weights = {layer: weight / strokes[layer].shape[1] for layer, weight in layers}
        return gray_style(self.features(gray), strokes, centered=True, weights=weights)

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam with β₁ = ½, a new one for G after the warm-up."""
        c = self.config
        return {
            player: torch.optim.Adam(self.weights(player), rate, betas=(0.5, 0.999))
            for player, rate in (("warmup", c.warmup_lr), ("G", c.lr), ("D", c.lr))
        }


def _salted(picture: np.ndarray, noise: np.ndarray, *, share: float) -> np.ndarray:
    salted: np.ndarray = np.where(noise[..., None] < share, np.uint8(255), picture)
    return salted


def _regions(output: Tensor, min_size: int) -> Tensor:
    labels = each(partial(regions, min_size=min_size), to_uint8(output))
    return torch.from_numpy(labels).to(output.device)


def _cleaned(output: Tensor, strength: float, patch: int) -> Tensor:
    def clean(picture: np.ndarray) -> np.ndarray:
        return l0_smooth(non_local_means(picture, luma=strength, patch=patch))

    pictures = ((output.detach().float() + 1) / 2).permute(0, 2, 3, 1).cpu().numpy()
    cleaned = torch.from_numpy(each(clean, pictures)).permute(0, 3, 1, 2)
    return (2 * cleaned - 1).clamp(-1, 1).to(output.device)
