"""Distillation: what is special about it."""

import numpy as np
from tiny import Tiny, make_data

from sakuga.data.dataset import by_area, place_crops
from sakuga.data.images import to_tensor
from sakuga.data.teachers import load_teacher, targets
from sakuga.systems.distill import Distill, mix_color, retone, tone

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
    system = TINY.build(make_data(tmp_path), match_tone=True, color=0.5, batch=8, perceptual=0.0)
    photos = system.dataset.pictures("photo")
    painted = [*targets(photos, *load_teacher("sakuga.teachers:cel", photos), tmp_path / "teachers")]
    whole = [
        mix_color(retone(picture, tone(picture, photo)), photo, 0.5)
        for picture, photo in zip(painted, photos, strict=True)
    ]
    assert np.abs(whole[0].astype(float) - painted[0]).mean() > 5
    rng = np.random.default_rng((system.config.seed, 3))
    crops = place_crops(by_area(photos.sizes, 8, rng), photos.sizes, size=64, rng=rng)
    cut = to_tensor(np.stack([crop.cut(whole[crop.index]) for crop in crops]))
    assert (system.dataset.batch(3)["target"] == cut).all()
