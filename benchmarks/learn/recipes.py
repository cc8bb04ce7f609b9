"""How each system is made small enough for minutes on two cores, and what it must then reach."""

from dataclasses import dataclass, field
from typing import Any

from sakuga.systems.adain import AdaIN
from sakuga.systems.animegan import AnimeGAN
from sakuga.systems.animegan3 import AnimeGANv3
from sakuga.systems.base import System
from sakuga.systems.cartoongan import CartoonGAN
from sakuga.systems.cyclegan import CycleGAN
from sakuga.systems.pix2pix import Pix2Pix
from sakuga.systems.super_resolution import SuperResolution
from sakuga.systems.ugatit import UGATIT
from sakuga.systems.whitebox import WhiteBox


@dataclass(frozen=True)
class Recipe:
    """A reduced system: its config but for the folders, its speed, its limits."""

    system: type[System]
    steps: int
    """Ten minutes to two hours of one core."""
    share: float
    """A figure without a bound must be at most this share of the better of an untrained network and the identity. Of
    style distance 0.7: two sets of the painter's own pictures are at 0.08 of the identity, so a third of the way."""
    settings: dict[str, Any] = field(default_factory=dict)
    bounds: dict[str, float] = field(default_factory=dict)
    """Most that the other figures may be; an untrained network is beyond one of them."""
    warmup: float = 0.12
    """Part of the steps in which the systems that warm up do so."""


SMALL = {"features": "vgg16", "load": 192, "crop": 64, "batch": 4}
CONTENT = 0.6
"""Bound of the content distance: the painter's own pictures have 0.51 to their photos, untrained networks 0.8."""
CYCLE = 0.1
"""Bound of the cycle error, pixels in 0..1: a tenth of the range; untrained networks are at 0.25 and more."""
RECIPES = (
    # Cubic interpolation keeps every colour and only lacks detail: a seventh less LPIPS is detail that was learned.
    Recipe(SuperResolution, 1800, 0.85, {"crop": 128, "batch": 4, "width": 32, "pixel": 1.0}),
    # The painting keeps most of the photo's tones, so the identity is strong: a fifth off it is the painter's work.
    Recipe(Pix2Pix, 2500, 0.8, {"crop": 128, "load": 192, "batch": 4, "width": 32, "levels": 6, "lr": 5e-4}),
    # Four paintings, one decoder that saw none of them; the content bound is wider because Kandinsky's shapes are his.
    # Many steps of one crop; but of 64 pixels relu4_1 has 8 x 8 places, whose deviations are mostly chance: no picture
    # has such features, and the decoder learned less in 24,000 steps than with 128 in 3,000.
    Recipe(AdaIN, 9_000, 0.7, {**SMALL, "crop": 128, "batch": 1, "lr": 2e-4, "style_weight": 0.5}, {"content": 0.7}),
    # With λ = 10 the way back was a twentieth too far in so short a time; the identity term keeps its weight of 5.
    Recipe(
        CycleGAN,
        8000,
        0.7,
        {
            "load": 192,
            "crop": 64,
            "batch": 4,
            "width": 24,
            "blocks": 3,
            "upsample": "resize",
            "lr": 6e-4,
            "cycle": 15.0,
            "identity": 0.33,
        },
        {"content": CONTENT, "cycle": CYCLE},
    ),
    # Version 2: its layer norm keeps what version 1's instance norm takes away, a picture's colours. These need the
    # papers' small rates: at 1e-3 the generator of 16 channels does not learn them from the colour term alone.
    Recipe(
        AnimeGAN,
        6000,
        0.7,
        {
            **SMALL,
            "version": 2,
            "width": 32,
            "lr": 1e-4,
            "lr_d": 2e-4,
            "warmup_lr": 2e-4,
            "content": 0.3,
            "style_weight": 0.3,
            "color": 1000.0,
            "d_weights": (1.0, 1.0, 1.0, 1.0),
        },
        {"content": CONTENT},
        warmup=0.05,
    ),
    Recipe(WhiteBox, 2000, 0.7, {**SMALL, "width": 24, "lr": 3e-4}, {"content": CONTENT}),
    # With `augment` colours are not learned in this time; with less content D wins and they go.
    Recipe(
        CartoonGAN,
        6000,
        0.7,
        {**SMALL, "width": 24, "blocks": 3, "lr": 5e-4, "warmup_lr": 4e-4, "content": 0.02},
        {"content": CONTENT},
        warmup=0.15,
    ),
    # One crop of a third of the picture: instance norms take its mean colour away, and surroundings help to guess it.
    # The classifier's weight of 1,000 would rule the encoder until it has learned, thousands of steps later.
    Recipe(
        UGATIT,
        8000,
        0.7,
        {
            "load": 144,
            "crop": 96,
            "batch": 1,
            "width": 24,
            "blocks": 2,
            "layers": (6, 4),
            "lr": 2e-4,
            "cam": 100.0,
        },
        {"content": CONTENT, "cycle": CYCLE},
    ),
    # Content, style, regions and colour weigh a seventh to a seventeenth of the official: Gram matrices of two crops of
    # 64 pixels differ mostly by chance, and what holds the photo would win for as long as the training is short.
    Recipe(
        AnimeGANv3,
        3000,
        0.7,
        {
            **SMALL,
            "width": 16,
            "lr": 5e-4,
            "warmup_lr": 1e-3,
            "content": 0.05,
            "style_weight": (0.006, 0.3, 1.6),
            "region": 0.02,
            "region_photo": 0.02,
            "color": 1.5,
            "main_pixels": 10.0,
        },
        {"content": CONTENT},
        warmup=0.04,
    ),
)
