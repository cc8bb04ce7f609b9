"""One file per paper. A new system adds its file and its name here; training, export and tests then find it."""

from sakuga.systems.adain import AdaIN
from sakuga.systems.animegan import AnimeGAN
from sakuga.systems.animegan3 import AnimeGANv3
from sakuga.systems.base import Config, System
from sakuga.systems.cartoongan import CartoonGAN
from sakuga.systems.cyclegan import CycleGAN
from sakuga.systems.distill import Distill
from sakuga.systems.fast_style import FastStyle
from sakuga.systems.pix2pix import Pix2Pix
from sakuga.systems.super_resolution import SuperResolution
from sakuga.systems.ugatit import UGATIT
from sakuga.systems.whitebox import WhiteBox

SYSTEMS: tuple[type[System], ...] = (
    Distill,
    FastStyle,
    AdaIN,
    AnimeGAN,
    AnimeGANv3,
    CartoonGAN,
    CycleGAN,
    Pix2Pix,
    SuperResolution,
    UGATIT,
    WhiteBox,
)

__all__ = ["SYSTEMS", "Config", "System"]
