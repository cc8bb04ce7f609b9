"""Views of photographs."""

import numpy as np
import pytest
from PIL import Image

from sakuga.data.pictures import Pictures
from sakuga.data.views import ENLARGED, SIDES, Views, draw_view


@pytest.fixture
def photos(tmp_path):
    ramp = np.linspace(0, 255, 900).astype(np.uint8)
    wide = np.broadcast_to(ramp[None, :, None], (600, 900, 3))
    Image.fromarray(np.ascontiguousarray(wide)).save(tmp_path / "a.png")
    Image.fromarray(np.full((100, 100, 3), 90, np.uint8)).save(tmp_path / "b.png")
    return Pictures([tmp_path])


def test_a_larger_number_keeps_the_first_ones(photos):
    few, many = Views(photos, 4), Views(photos, 9)
    assert all(np.array_equal(few[i], many[i]) for i in range(4))
    assert not np.array_equal(Views(photos, 1, seed=1)[0], few[0])
    assert [path.stem for path in few.paths] == ["a", "b", "a", "b"]
    assert [view.shape[:2] for view in few] == few.sizes


def test_windows_scales_and_lights():
    views = [draw_view(0, (600, 900), np.random.default_rng(i)) for i in range(300)]
    sides = [max(view.size) for view in views]
    assert SIDES[0] <= min(sides) < 330
    assert 620 < max(sides) <= SIDES[1] + 1
    lefts, tops, rights, bottoms = np.array([view.window for view in views]).T
    assert lefts.min() == tops.min() == 0
    assert rights.max() == 900
    assert bottoms.max() == 600
    assert 299 <= (rights - lefts).min() < 350
    assert (rights - lefts).max() > 850
    assert all(max(v.size) <= ENLARGED * (v.window[2] - v.window[0]) + 1 for v in views)
    middles = np.array([view.curves[:, 115] for view in views], float)
    assert 20 < middles.std() < 40
    assert 2 < np.ptp(middles, axis=1).mean() < 20
    assert all((np.diff(view.curves.astype(int)) >= 0).all() for view in views)


def test_a_small_photo_is_hardly_enlarged(photos):
    view = Views(photos, 2)[1]
    assert max(view.shape) <= 100 * ENLARGED
    assert len(np.unique(view.reshape(-1, 3), axis=0)) == 1  # of one colour it stays


def test_views_without_room_are_made_again(photos):
    none, all_ = Views(photos, 3, keep=0), Views(photos, 3)
    assert np.array_equal(none[2], all_[2])
    assert none[2] is not none[2]
    assert all_[2] is all_[2]
