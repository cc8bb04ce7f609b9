"""Distillation: what is special about it."""

import numpy as np
from tiny import Tiny, make_data

from sakuga.data.fitting import keep_light, match_tone, mix_color
from sakuga.data.images import cut_crops
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


def test_targets_are_cut_from_the_whole_picture_in_its_tone_and_colour(tmp_path):
    system = TINY.build(make_data(tmp_path), match_tone=True, color=0.5, light=0.5, batch=8, perceptual=0.0)
    photos, pictures = [*system._photos], [*system._targets.pictures]
    whole = [
        keep_light(mix_color(match_tone(picture, photo), photo, 0.5), photo, 0.5)
        for picture, photo in zip(pictures, photos, strict=True)
    ]
    assert np.abs(whole[0].astype(float) - pictures[0]).mean() > 5
    crops = system.crops(photos, np.random.default_rng((system.config.seed, 3)), 0, 1)
    assert (system.batch(3, 0, 1)["target"] == cut_crops(whole, crops)).all()
