"""Distillation: what is special about it."""

import numpy as np
import torch
from tiny import Tiny, make_data

from sakuga.data.dataset import by_area, place_crops
from sakuga.data.fitting import keep_light, match_tone, mix_color
from sakuga.data.images import to_tensor
from sakuga.data.teachers import load_teacher, targets
from sakuga.style.context import thumbnail
from sakuga.systems.distill import Distill, ramps
from sakuga.teachers import anime, cel, grade, outlines

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
    photos = system.dataset.pictures("photo")
    pictures = [*targets(photos, *load_teacher("sakuga.teachers:cel", photos), tmp_path / "teachers")]
    whole = [
        keep_light(mix_color(match_tone(picture, photo), photo, 0.5), photo, 0.5)
        for picture, photo in zip(pictures, photos, strict=True)
    ]
    assert np.abs(whole[0].astype(float) - pictures[0]).mean() > 5
    rng = np.random.default_rng((system.config.seed, 3))
    crops = place_crops(by_area(photos.sizes, 8, rng), photos.sizes, size=64, rng=rng)
    cut = to_tensor(np.stack([crop.cut(whole[crop.index]) for crop in crops]))
    assert (system.dataset.batch(3)["target"] == cut).all()


def test_views_and_thumbnails_follow_one_draw(tmp_path):
    """The thumbnail is of the whole view that the crop is cut from, mirrored as it is."""
    system = TINY.build(make_data(tmp_path), views=5, context=True, batch=8, perceptual=0.0)
    views = system.dataset["photo"]
    assert len(views) == 5
    rng = np.random.default_rng((system.config.seed, 0))
    crops = place_crops(by_area(views.sizes, 8, rng), views.sizes, size=64, rng=rng)
    assert {crop.mirrored for crop in crops} == {True, False}
    small = [thumbnail(views[c.index])[:, :: -1 if c.mirrored else 1] for c in crops]
    batch = system.dataset.batch(0)
    assert (batch["thumbnail"] == to_tensor(np.stack(small))).all()
    assert (batch["photo"] == to_tensor(np.stack([c.cut(views[c.index]) for c in crops]))).all()
    ((player, terms),) = list(system.step(batch, 0))
    assert player == "G"
    assert all(bool(term.isfinite()) for term in terms.values())


def test_a_recipe_grades_the_target_and_draws_outlines_over_it(tmp_path):
    recipe = {"vivid": 0.5, "contrast": 0.3, "cool": 10.0, "outlines": 0.8}
    system = TINY.build(make_data(tmp_path), batch=8, perceptual=0.0, ramps=10.0, **recipe)
    photos = system.dataset.pictures("photo")
    picture = targets(photos, *load_teacher("sakuga.teachers:cel", photos), tmp_path / "teachers")[0]
    wanted = grade(picture, **recipe, lines=outlines(photos[0]))
    assert np.array_equal(system.dataset["target"][0], wanted)
    assert np.abs(wanted.astype(float) - picture).mean() > 2
    ((_player, terms),) = list(system.step(system.dataset.batch(0), 0))
    assert float(terms["ramps"]) >= 0


def test_one_teacher_paints_what_another_has_made_flat(tmp_path):
    system = TINY.build(make_data(tmp_path), batch=8, perceptual=0.0, before="sakuga.teachers:anime")
    photo = system.dataset.pictures("photo")[0]
    assert np.array_equal(system.dataset["target"][0], cel(anime(photo)))
    assert not np.array_equal(system.dataset["target"][0], cel(photo))


def test_ramps_are_smooth_and_of_many_colours():
    fields = ramps(32, 64, torch.zeros(1))
    assert fields.shape == (32, 3, 64, 64)
    assert fields.abs().max() <= 1
    steps = torch.cat([fields.diff(dim=2).flatten(), fields.diff(dim=3).flatten()])
    assert steps.abs().max() <= 0.3 / 63 + 1e-6
    assert fields.mean((2, 3)).std() > 0.3
