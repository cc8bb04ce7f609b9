"""Distillation: what is special about it."""

from tiny import Tiny

from sakuga.systems.distill import Distill

TINY = Tiny(
    Distill,
    lambda folder: {
        "teacher": "sakuga.teachers:cel",
        "cache": folder / "teachers",
        "adversarial": 0.1,
        "width": 8,
        "blocks": 1,
        "features_weights": "random:0",
        "crop": 64,
        "lr": 0.01,
    },
    falls=("G/pixel", 0.95),
)
