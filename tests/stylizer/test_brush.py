"""Large pictures are stylised small, and the photo guides the result back to its size."""

import dataclasses

import numpy as np
import pytest
from made_style import make_style
from PIL import Image

import sakuga
from sakuga.cli import main
from sakuga.errors import SakugaError, UsageError
from sakuga.picture import Frame, Picture
from sakuga.stylizer import Look, Stylizer, enlarge, painter
from sakuga.stylizer.brush import painted_size

BEST = 64 * 64


def noise(height, width, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (height, width, 3), dtype, endpoint=True)


def smooth(height, width, dtype=np.uint8, seed=0):
    """Slopes in all directions."""
    small = Image.fromarray(noise(6, 6, seed=seed)).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(small).astype(dtype) * (np.iinfo(dtype).max // 255)


def enlarged(photo, small, stylised):
    result = np.full((3, *photo.shape[:2]), np.nan, np.float32)

    def write(rows, values):
        result[:, rows] = values

    enlarge.enlarge(photo, small, stylised, write)
    return result.transpose(1, 2, 0)


@pytest.fixture
def best(tmp_path):
    """A style whose best size is 64x64."""
    return lambda kind, **changes: make_style(tmp_path / f"{kind}.onnx", kind, best_pixels=BEST, **changes)


def sizes_of(worker, monkeypatch):
    run, sizes = worker.engine.run, []

    def watched(x):
        sizes.append(x.shape[1:])
        return run(x)

    monkeypatch.setattr(worker, "engine", dataclasses.replace(worker.engine, run=watched))
    return sizes


@pytest.mark.parametrize(
    ("height", "width", "brush", "expected"),
    [
        (64, 64, "auto", (64, 64)),
        (112, 112, "auto", (112, 112)),  # 1.75 times the best side: not worth it
        (128, 128, "auto", (64, 64)),
        (100, 400, "auto", (32, 128)),
        (128, 128, 1, (128, 128)),
        (160, 320, 2.5, (64, 128)),
    ],
)
def test_the_size_that_the_network_is_given(best, monkeypatch, height, width, brush, expected):
    worker = Stylizer(best("identity"), brush=brush)
    sizes = sizes_of(worker, monkeypatch)
    assert worker.array(noise(height, width)).shape == (height, width, 3)
    assert sizes == [tuple(max(side, painter.MIN_SIDE) for side in expected)]


def test_a_megapixel_is_best_where_the_card_says_nothing(made_style, monkeypatch):
    worker = Stylizer(made_style("identity"))
    assert worker.style.card.best_pixels == 1_000_000
    assert painted_size(worker.style.card, worker.look, 1080, 1920) is None
    assert painted_size(worker.style.card, worker.look, 3000, 4000) == (1155, 866)


def test_at_the_best_size_nothing_changes(best):
    photo = noise(70, 75)
    plain = Stylizer(best("blur"), brush=1).array(photo)
    np.testing.assert_array_equal(Stylizer(best("blur")).array(photo), plain)


@pytest.mark.parametrize("card", [{"size": [64, 64]}, {"scale": 2}])
def test_styles_that_choose_their_own_size(best, monkeypatch, card):
    worker = Stylizer(best("double" if "scale" in card else "identity", **card), brush=3)
    assert painted_size(worker.style.card, worker.look, 200, 200) is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3), (101, 97)])
def test_a_flat_picture_stays_exactly_so(made_style, dtype, shape):
    for value in (0, 1, 77, 254, 255):
        photo = np.full((*shape, 3), value * (np.iinfo(dtype).max // 255), dtype)
        np.testing.assert_array_equal(Stylizer(made_style("identity"), brush=3).array(photo), photo)


def test_where_the_style_is_flat_no_texture_comes_back():
    """A style that makes one colour of a noisy photo, and steps within the grain of its arithmetic."""
    photo = noise(200, 160)
    flat = np.full((50, 40, 3), (200, 40, 90), np.uint8)
    result = enlarged(photo, enlarge.reduce(photo, (40, 50)), flat)
    np.testing.assert_allclose(result, np.broadcast_to(flat[0, 0] / 127.5 - 1, result.shape), atol=1e-5)

    grain = (flat + noise(50, 40) % 4).astype(np.uint8)
    result = enlarged(photo, enlarge.reduce(photo, (40, 50)), grain) * 127.5
    rows, columns = ([x[:-1, :-1], x[1:, :-1], x[:-1, 1:]] for x in (result, result))
    assert max(np.abs(rows[1] - rows[0]).max(), np.abs(columns[2] - columns[0]).max()) < 1.5


def test_an_edge_lies_where_the_photo_has_it():
    """Between black and white at column 101 of 200, of which every fourth is left when it is reduced."""
    photo = np.zeros((60, 200, 3), np.uint8)
    photo[:, 101:] = 255
    small = enlarge.reduce(photo, (50, 15))
    result = enlarged(photo, small, 55 + small // 2)[30, :, 1] * 127.5 + 127.5
    np.testing.assert_allclose(result[:99], 55, atol=3)
    np.testing.assert_allclose(result[103:], 182, atol=3)


def test_a_line_that_the_style_draws_is_sharp_and_has_no_halo():
    """A photo without it cannot guide: the line is as wide as it was drawn, with edges half as wide as by Bicubic."""
    photo = np.full((200, 200, 3), 180, np.uint8)
    small = enlarge.reduce(photo, (50, 50))
    drawn = small.copy()
    drawn[:, 24:26] = 20
    result = enlarged(photo, small, drawn)[100, :, 1] * 127.5 + 127.5
    plain = np.asarray(Image.fromarray(drawn).resize((200, 200), Image.Resampling.BICUBIC))[100, :, 1]

    def soft(values):
        return ((values > 30) & (values < 170)).sum()

    assert soft(result) <= soft(plain) / 2
    assert 6 <= (result < 100).sum() <= 10  # eight were drawn
    assert result.min() >= 20 - 1
    assert result.max() <= 180 + 1
    np.testing.assert_allclose(result[:94], 180, atol=1)
    np.testing.assert_allclose(result[106:], 180, atol=1)


def test_reduced_again_it_is_what_the_style_made(best):
    """Within what is left out as grain and what is sharpened."""
    photo = smooth(480, 640)
    small = enlarge.reduce(photo, (160, 120))
    made = Stylizer(best("blur"), brush=1).array(small)
    result = Stylizer(best("blur"), brush=4).array(photo)
    again = enlarge.reduce(result, (160, 120))
    assert np.abs(again.astype(int) - made).mean() < 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiles_and_strips_agree_at_their_seams(made_style, monkeypatch, dtype):
    photo = smooth(300, 330, dtype) // 2 + noise(300, 330, dtype) // 4
    worker = Stylizer(made_style("strided"), brush=1.5)
    whole = worker.array(photo).astype(int)
    for rows in (1, 7, 1000):
        monkeypatch.setattr(enlarge, "ROWS", rows)
        assert np.abs(worker.array(photo).astype(int) - whole).max() <= 1
    monkeypatch.setattr(painter, "MAX_TILE_PIXELS", 100**2)
    assert np.abs(worker.array(photo).astype(int) - whole).max() <= (1 if dtype == np.uint8 else 8)


def test_a_picture_is_reduced_in_strips_as_in_one_piece():
    photo = noise(1700, 40)
    expected = Image.fromarray(photo).reduce(2).resize((13, 560), Image.Resampling.LANCZOS, box=(0, 0, 20, 850))
    np.testing.assert_array_equal(enlarge.reduce(photo, (13, 560)), np.asarray(expected))
    wide = enlarge.reduce(photo.astype(np.uint16) * 257, (13, 560))
    assert np.abs(wide / 257 - np.asarray(expected)).max() < 1.5


def test_strength_and_color_are_of_the_photo_at_its_own_size(best):
    photo = noise(200, 210)
    full = Stylizer(best("blur"), brush=2).array(photo).astype(float)
    half = Stylizer(best("blur"), brush=2, strength=0.5).array(photo)
    np.testing.assert_allclose(half, (photo + full) / 2, atol=1)
    np.testing.assert_array_equal(Stylizer(best("blur"), brush=2, strength=0).array(photo), photo)
    kept = Stylizer(best("invert"), brush=2, keep_color=True).array(smooth(200, 210) // 2 + 64).astype(float)
    luma = Stylizer(best("invert"), brush=2).array(smooth(200, 210) // 2 + 64) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(kept @ [0.299, 0.587, 0.114], luma, atol=1.5)
    color = (smooth(200, 210) // 2 + 64).astype(float)
    np.testing.assert_allclose(kept[..., 0] - kept[..., 1], color[..., 0] - color[..., 1], atol=1.5)


def test_the_histogram_is_matched_at_full_size(best):
    photo = smooth(200, 210)
    result = Stylizer(best("invert", match_histogram=True), brush=2).array(photo)
    assert abs(result.mean() - photo.mean()) < 1
    assert np.corrcoef(result.ravel(), photo.ravel())[0, 1] < 0


def test_alpha_stays_as_it_is(made_style):
    alpha = noise(90, 100)[..., 0]
    (frame,) = Stylizer(made_style("invert"), brush=2).picture(Picture([Frame(noise(90, 100), alpha)])).frames
    np.testing.assert_array_equal(frame.alpha, alpha)


@pytest.mark.parametrize("wrong", [0, 0.99, -2, "x", "", "nan", float("inf"), None])
def test_a_brush_that_cannot_be(wrong):
    with pytest.raises(UsageError, match="brush must be auto or a number of at least 1, not"):
        Look(brush=wrong)


def test_a_brush_as_text():
    assert Look(brush="2.5") == Look(brush=2.5)
    assert Look(brush=2).brush == 2.0


def test_the_command(made_style, tmp_path, capsys):
    Image.fromarray(noise(80, 90)).save(tmp_path / "a.png")
    assert (
        main([str(tmp_path / "a.png"), "-s", str(made_style("invert")), "--brush", "2", "-o", str(tmp_path / "b.png")])
        == 0
    )
    expected = sakuga.stylize(tmp_path / "a.png", made_style("invert"), brush=2)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "b.png")), np.asarray(expected))
    assert main([str(tmp_path / "a.png"), "--brush", "0.5"]) == 2
    assert "brush must be auto or a number of at least 1, not 0.5" in capsys.readouterr().err


@pytest.mark.parametrize("best_pixels", [0, 1.5, True, 2**40])
def test_a_card_with_an_impossible_best_size(made_style, tmp_path, best_pixels):
    with pytest.raises(SakugaError, match="best_pixels must lie between"):
        Stylizer(make_style(tmp_path / "a.onnx", "invert", best_pixels=best_pixels))
