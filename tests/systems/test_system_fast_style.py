"""Fast neural style: what is special about it."""

from tiny import Tiny

from sakuga.systems.fast_style import FastStyle

TINY = Tiny(
    FastStyle,
    lambda folder: {
        "style": folder / "style" / "0.png",
        "body": "fast",
        "width": 8,
        "blocks": 1,
        "features_weights": "random:0",
    },
    falls=("G/style", 0.9),
)
