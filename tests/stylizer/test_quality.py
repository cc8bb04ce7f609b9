"""At the best quality the squares that networks paint in are averaged away, and small pictures are enlarged."""

import numpy as np
import pytest
from made_style import make_style

from sakuga.cli import main
from sakuga.picture import Frame, Picture, read
from sakuga.stylizer import Look, Stylizer, painter
from sakuga.stylizer.brush import painted_size


def noise(height, width, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (height, width, 3), dtype, endpoint=True)


def picture(*frames):
    return Picture([Frame(frame) for frame in frames])


@pytest.fixture
def strided(tmp_path):
    """A style that sees squares of 4x4 and paints them anew, at its best size."""
    return make_style(tmp_path / "strided.onnx", "strided", best_pixels=4096)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("moves", [(2, 0), (0, 2), (2, 2), (1, 1), (3, 1)])
def test_parts_of_a_square_move_the_result_and_change_nothing(strided, dtype, moves):
    photo = noise(120, 130, dtype)
    moved = np.roll(photo, moves, axis=(0, 1))
    inner = (slice(32, -32), slice(32, -32))

    def apart(quality):
        one, other = (Stylizer(strided, quality=quality, brush=1).array(x) for x in (photo, moved))
        change = np.roll(one, moves, axis=(0, 1))[inner].astype(int) - other[inner]
        return np.abs(change).max() / (1 if dtype == np.uint8 else 257)

    assert apart("fast") > 4
    assert apart("best") <= 1


def test_the_mean_is_kept(strided):
    """On the average over places the result is that of the fast quality: nothing is lost but what differs by place."""
    photo = noise(64, 72)
    fast, best = (Stylizer(strided, quality=quality, brush=1).array(photo) for quality in ("fast", "best"))
    assert fast.shape == best.shape
    assert fast.mean() == pytest.approx(best.mean(), abs=2)
    assert np.abs(fast.astype(int) - best).max() > 0


def test_tiles_equal_the_whole(strided, monkeypatch):
    worker, photo = Stylizer(strided, quality="best", brush=1), noise(210, 190)
    whole = worker.array(photo)
    monkeypatch.setattr(painter, "MAX_TILE_PIXELS", 128**2)
    assert np.abs(worker.array(photo).astype(int) - whole).max() <= 1


def test_auto_is_best_for_a_picture_and_fast_for_frames(strided):
    photo = noise(64, 64)
    fast, best, auto = (Stylizer(strided, quality=quality) for quality in ("fast", "best", "auto"))
    np.testing.assert_array_equal(auto.picture(picture(photo)).frames[0].rgb, best.array(photo))
    np.testing.assert_array_equal(auto.array(photo), fast.array(photo))
    moving = auto.picture(picture(photo, photo)).frames
    np.testing.assert_array_equal(moving[0].rgb, fast.array(photo))
    still = fast.picture(picture(photo)).frames
    np.testing.assert_array_equal(still[0].rgb, fast.array(photo))


def test_styles_one_after_the_other_are_both_at_their_best(strided):
    photo = noise(64, 64)
    both = Stylizer(strided, after=Stylizer(strided)).picture(picture(photo)).frames[0].rgb
    one = Stylizer(strided, quality="best")
    np.testing.assert_array_equal(both, one.array(one.array(photo)))


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (64, 64, None),
        (60, 60, None),  # 0.94 of the best side: not worth it
        (75, 75, None),  # 1.17 of it neither
        (80, 80, (64, 64)),
        (40, 50, (72, 57)),
        (32, 20, (40, 64)),  # twice and no more
        (2200, 1, (1, 3002)),  # taller alone
        (128, 128, (64, 64)),
    ],
)
def test_small_pictures_are_enlarged(strided, height, width, expected):
    """To the best size of the style, as (width, height)."""
    card = Stylizer(strided).style.card
    assert painted_size(card, Look(quality="best"), height, width) == expected
    assert painted_size(card, Look(quality="best", brush=1), height, width) is None
    assert Stylizer(strided, quality="best").array(noise(height, width)).shape == (height, width, 3)


def test_an_enlarged_picture_is_mixed_with_the_photo_at_its_own_size(strided):
    photo = noise(40, 40)
    full, half = (Stylizer(strided, quality="best", strength=s).array(photo).astype(int) for s in (1.0, 0.5))
    np.testing.assert_allclose(half, (photo + full) / 2, atol=1)


@pytest.mark.parametrize("kind", ["global", "double", "identity"])
def test_other_styles_have_one_quality(made_style, kind):
    """Those that know the whole picture, enlarge it or have no squares."""
    photo = noise(70, 60)
    fast, best = (Stylizer(made_style(kind), quality=quality).array(photo) for quality in ("fast", "best"))
    np.testing.assert_array_equal(fast, best)


def test_a_style_of_one_size_has_one_quality(tmp_path):
    """Moved, the piece would be larger than what its network takes."""
    style = make_style(tmp_path / "sized.onnx", "strided", size=[64, 64])
    fast, best = (Stylizer(style, quality=quality).array(noise(70, 60)) for quality in ("fast", "best"))
    np.testing.assert_array_equal(fast, best)


def test_the_command(strided, tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.fromarray(noise(64, 64)).save("photo.png")
    assert main(["photo.png", "-s", str(strided), "-o", "auto.png"]) == 0
    assert main(["photo.png", "-s", str(strided), "-o", "fast.png", "--quality", "fast"]) == 0
    auto, fast = (read(name).frames[0].rgb for name in ("auto.png", "fast.png"))
    np.testing.assert_array_equal(auto, Stylizer(strided, quality="best").array(noise(64, 64)))
    np.testing.assert_array_equal(fast, Stylizer(strided).array(noise(64, 64)))
