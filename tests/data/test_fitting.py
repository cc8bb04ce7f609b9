"""What is learned of a teacher's pictures, by hand."""

import numpy as np

from sakuga.data.fitting import Fitted, keep_light, match_tone, mix_color


def test_match_tone():
    rng = np.random.default_rng(0)
    photo, picture = (rng.normal(m, s, (64, 64, 3)).clip(0, 255).astype(np.uint8) for m, s in ((100, 20), (140, 40)))
    matched = match_tone(picture, photo).astype(float)
    assert np.allclose(matched.mean((0, 1)), photo.mean((0, 1)), atol=1)
    assert np.allclose(matched.std((0, 1)), photo.std((0, 1)), atol=1)


def test_mix_color():
    gray, red = np.full((2, 2, 3), 100, np.uint8), np.full((2, 2, 3), (200, 80, 80), np.uint8)
    # Red's luma is .299 * 200 + .701 * 80 = 115.88; of its colour (84.12, -35.88, -35.88) a half, of gray's none.
    assert mix_color(red, gray, 0.5)[0, 0].tolist() == [158, 98, 98]
    assert mix_color(red, gray, 0.0)[0, 0].tolist() == [116, 116, 116]
    assert np.array_equal(mix_color(red, gray, 1.0), red)


def test_keep_light_mends_areas_and_leaves_lines():
    """A face turned paler beside a wall turned darker, with an outline: half of either change goes, the line stays."""
    photo = np.full((160, 160, 3), (150, 110, 90), np.uint8)
    photo[:, 80:] = (40, 60, 80)
    picture = np.clip(photo.astype(int) + np.where(np.arange(160) < 80, 30, -20)[:, None], 0, 255).astype(np.uint8)
    lined = picture.copy()
    lined[:, 40:42] = 60
    half, full = (keep_light(lined, photo, share).astype(int) for share in (0.5, 1.0))
    for columns, change, most in ((slice(0, 39), 30, 6), (slice(43, 60), 30, 7), (slice(60, 78), 30, 12)):
        assert np.abs(full - photo)[:, columns].max() <= most  # a little more is left beside the border
        assert np.abs(half - photo - change / 2)[:, columns].max() <= most / 2 + 1
    assert np.abs(full - photo)[:, 84:].max() <= 10
    assert np.abs(full - photo)[:, 110:].max() <= 5
    depth = (picture.astype(int) - lined)[80, 40].mean()
    assert abs((full[80, 36] - full[80, 40]).mean() - depth) <= 3
    assert np.array_equal(keep_light(lined, photo, 0.0), lined)


def test_fitted_pictures_are_made_once():
    calls = []

    def fit(picture, photo):
        calls.append(1)
        return picture + photo

    pictures, photos = ([np.full((2, 2, 3), n, np.uint8) for n in ns] for ns in ((1, 2), (10, 20)))
    fitted = Fitted(fit, pictures, photos, keep=12)
    assert [int(p[0, 0, 0]) for p in fitted] == [int(p[0, 0, 0]) for p in fitted] == [11, 22]
    assert len(calls) == 3  # there was room for the first alone
