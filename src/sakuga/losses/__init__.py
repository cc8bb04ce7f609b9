"""Losses as functions: images (N, C, H, W) in [-1, 1], tensors positional, options keyword-only, one reduction."""

from sakuga.losses.adversarial import Adversarial, hinge, lsgan
from sakuga.losses.features import content, gram, gram_style, lpips
from sakuga.losses.pixel import checkerboard, gradient_l1, l1, l2, total_variation

__all__ = [
    "Adversarial",
    "checkerboard",
    "content",
    "gradient_l1",
    "gram",
    "gram_style",
    "hinge",
    "l1",
    "l2",
    "lpips",
    "lsgan",
    "total_variation",
]
