"""The published systems, one file each, and the tuple that names them."""

from sakuga.systems.base import Config, System
from sakuga.systems.distill import Distill
from sakuga.systems.fast_style import FastStyle

SYSTEMS: tuple[type[System], ...] = (Distill, FastStyle)

__all__ = ["SYSTEMS", "Config", "Distill", "FastStyle", "System"]
