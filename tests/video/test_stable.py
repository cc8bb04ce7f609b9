"""Frames that hold still: less flicker, no ghosts, untouched where there is nothing to hold to, resumable."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from sakuga.video import motion
from sakuga.video.stabilisation import KEEP, Stabilizer


def texture(height, width, seed=0, cell=6):
    """A smooth random picture, which motion can be seen in."""
    small = np.random.default_rng(seed).integers(30, 220, (height // cell + 2, width // cell + 2, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def noisy(picture, rng, deviation=6.0):
    return (picture + rng.normal(0, deviation, picture.shape)).clip(0, 255).astype(np.uint8)


def test_a_still_scene_flickers_less():
    # With e.g. KEEP = 0.6 the blend's variance is (1 - 0.6) / (1 + 0.6) = 1/4 of the noise's; clipping keeps some of
    # the noise and sharpening brings some back, so at least half of it must be gone.
    photo, rng = texture(72, 96), np.random.default_rng(1)
    stabilizer = Stabilizer()
    painted = [noisy(photo, rng) for _ in range(24)]
    stable = [stabilizer(photo, frame) for frame in painted]
    before, after = (np.var(frames[8:], axis=0).mean() for frames in (painted, stable))
    assert after < 0.5 * before
    assert (
        np.abs(np.mean(stable[8:], axis=0) - np.mean(painted[8:], axis=0)).mean() < 3
    )  # the same picture, within half its noise


def test_two_frames_are_blended_by_the_formula():
    # Painted 100 and 120 in stripes of one pixel, then the other way round: each 3x3 holds both, nothing is clipped.
    # 120 + 77/128 (100 - 120) = 107.97 and 100 + 77/128 · 20 = 112.03, where 77/128 is 0.6.
    assert KEEP == 0.6
    photo, stripes = texture(40, 40), np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = 100, 120
    stabilizer = Stabilizer()
    stabilizer(photo, stripes)
    blend = stabilizer(photo, 220 - stripes)
    assert np.array_equal(np.unique(blend[:, ::2]), [108])
    assert np.array_equal(np.unique(blend[:, 1::2]), [112])


def test_the_past_is_clipped_to_what_the_frame_has_beside():
    # The photo does not change, yet the painting goes from 50 to 200 everywhere: 50 is in none of its 3x3 pixels.
    photo, stabilizer = texture(40, 40), Stabilizer()
    stabilizer(photo, np.full_like(photo, 50))
    assert (stabilizer(photo, np.full_like(photo, 200)) == 200).all()


def pan(size, frames, step=(1, 3)):
    scene = texture(size + 40, size + 80)
    starts = [(t * step[0], t * step[1]) for t in range(frames)]
    return [np.ascontiguousarray(scene[y : y + size, x : x + size]) for y, x in starts]


def test_a_pan_is_followed():
    rng, stabilizer = np.random.default_rng(2), Stabilizer()
    photos = pan(96, 10)
    painted = [noisy(photo, rng) for photo in photos]
    stable = [stabilizer(*pair) for pair in zip(photos, painted, strict=True)]

    def error(frames):
        return np.mean([(a[1:, 3:].astype(float) - b[:-1, :-3]) ** 2 for a, b in pairwise(frames)])

    assert error(stable) < 0.5 * error(painted)


@pytest.mark.parametrize("step", [(1, 3), (0, 0), (-4, 9)])
def test_motion_is_found_to_a_tenth_of_a_pixel(step):
    # What is at p now was at p + step: the window moved down and right by that much.
    scene = texture(140, 160).mean(2, dtype=np.float32)
    before, now = scene[20:110, 20:120], scene[20 + step[0] : 110 + step[0], 20 + step[1] : 120 + step[1]]
    found = motion.estimate(now, before)[:, 15:-15, 15:-15]
    assert np.abs(found - np.array(step)[:, None, None]).max() < 0.1


def test_what_moves_by_itself_is_followed_too():
    scene, thing = texture(120, 120).mean(2, dtype=np.float32), texture(40, 40, seed=5).mean(2, dtype=np.float32)
    before, now = scene.copy(), scene.copy()
    before[40:80, 40:80] = now[42:82, 41:81] = thing  # it went 2 down and 1 right
    found = motion.estimate(now, before)
    assert np.abs(found[:, 57:67, 56:66] - np.array([-2, -1])[:, None, None]).mean() < 0.25
    assert np.abs(found[:, :20]).max() < 0.1


def test_a_moving_square_leaves_no_ghost():
    background, stabilizer = texture(96, 128), Stabilizer()

    def painted(photo):
        return 255 - photo

    for t in range(6):
        photo = background.copy()
        photo[30:60, 10 + 12 * t : 40 + 12 * t] = (250, 250, 30)
        result = stabilizer(photo, painted(photo))
    # Uncovered since the frame before: 12 columns from 10 + 4 · 12 = 58 on. Blended without a look at the photos they
    # would keep 0.6 of the difference to the square, dozens of levels. A few pixels find their like elsewhere.
    uncovered, wanted = (frame[30:60, 58:70].astype(int) for frame in (result, painted(background)))
    assert np.abs(uncovered - wanted).max() <= 4
    assert (uncovered == wanted).mean() > 0.95
    square = (slice(32, 58), slice(72, 98))
    assert (result[square] == painted(photo)[square]).all()
    # Elsewhere the scene is static and noiseless, and so is the result, but for the square's surroundings.
    assert np.array_equal(result[:20], painted(background)[:20])


def test_the_first_frame_after_a_cut_is_untouched():
    rng, stabilizer = np.random.default_rng(3), Stabilizer()
    here, there = texture(72, 96), texture(72, 96, seed=9)
    for photo in (here, here, here):
        stabilizer(photo, noisy(photo, rng))
    painted = noisy(there, rng)
    assert np.array_equal(stabilizer(there, painted), painted)
    again = noisy(there, rng)
    assert not np.array_equal(stabilizer(there, again), again)  # and from there on it holds still


def test_no_value_lies_outside_the_frames_own_painting():
    rng, stabilizer = np.random.default_rng(4), Stabilizer()
    for photo in pan(64, 8, (2, 5)):
        painted = rng.integers(0, 256, photo.shape, dtype=np.uint8)
        result = stabilizer(photo, painted)
        padded = np.pad(painted, ((1, 1), (1, 1), (0, 0)), mode="edge")
        around = np.stack([padded[y : y + 64, x : x + 64] for y in range(3) for x in range(3)])
        assert (result >= around.min(0)).all()
        assert (result <= around.max(0)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 400), (7, 9), (41, 333), (131, 330), (97, 1301)])
@pytest.mark.parametrize("scale", [1, 2])
def test_any_size_and_scale(size, scale):
    rng, stabilizer = np.random.default_rng(5), Stabilizer()
    photo = texture(*size)
    for _ in range(3):
        painted = noisy(photo, rng).repeat(scale, axis=0).repeat(scale, axis=1)
        given = painted.copy()
        result = stabilizer(photo, painted)
        assert result.shape == painted.shape
        assert result.dtype == np.uint8
        assert result.flags.c_contiguous
        assert np.array_equal(painted, given)  # an input is never changed


def test_a_still_clean_scene_stays_as_it_is():
    # 333 and 131 are no multiples of the squares that are compared; the borders count too.
    photo, stabilizer = texture(131, 333), Stabilizer()
    for _ in range(3):
        assert np.array_equal(stabilizer(photo, 255 - photo), 255 - photo)


def test_enlarged_frames_are_followed_too():
    rng, stabilizer = np.random.default_rng(6), Stabilizer()
    photos = pan(64, 8)
    painted = [noisy(photo.repeat(2, 0).repeat(2, 1), rng) for photo in photos]
    stable = [stabilizer(*pair) for pair in zip(photos, painted, strict=True)]
    errors = [
        np.mean([(a[2:, 6:].astype(float) - b[:-2, :-6]) ** 2 for a, b in pairwise(frames)])
        for frames in (stable, painted)
    ]
    assert errors[0] < 0.6 * errors[1]


def test_a_new_size_starts_anew():
    rng, stabilizer = np.random.default_rng(7), Stabilizer()
    for size in ((40, 60), (40, 60), (60, 40)):
        photo = texture(*size)
        painted = noisy(photo, rng)
        result = stabilizer(photo, painted)
    assert np.array_equal(result, painted)


def test_going_on_from_a_state_is_bit_equal(tmp_path):
    rng, whole = np.random.default_rng(8), Stabilizer()
    assert whole.state() == {}
    pairs = [(photo, noisy(photo, rng)) for photo in pan(64, 8)]
    for pair in pairs[:4]:
        whole(*pair)
    np.savez(tmp_path / "state.npz", **whole.state())
    wanted = [whole(*pair) for pair in pairs[4:]]  # the state must not change with it
    other = Stabilizer()
    other(*pairs[6])
    with np.load(tmp_path / "state.npz") as state:
        other.restore(dict(state))
    assert all(np.array_equal(other(*pair), frame) for pair, frame in zip(pairs[4:], wanted, strict=True))


def test_frames_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="whole multiple"):
        Stabilizer()(np.zeros((4, 6, 3), np.uint8), np.zeros((8, 13, 3), np.uint8))
