"""The styles that come with the package."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image
from scipy import ndimage
from skimage import color

import sakuga
from sakuga.export.onnx import weights_sha256
from sakuga.style import DEFAULT, EMBEDDED
from sakuga.style.choice import choose
from sakuga.stylizer import Stylizer

NAMES = ["anime", "cel", "comic", "hayao", "hosoda", "ink", "oil", "paprika", "shinkai"]
PAINTED_OVER = ["hosoda", "paprika", "shinkai"]
FOR_FACES = ["caricature"]
PHOTO = Path(__file__).parents[2] / "examples" / "astronaut.jpg"


@pytest.fixture(scope="module")
def photo():
    return np.asarray(Image.open(PHOTO).convert("RGB"))


def test_they_are_all_there():
    assert sorted(p.stem for p in EMBEDDED.glob("*.onnx")) == sorted([*NAMES, *FOR_FACES])
    assert [s.name for s in sakuga.styles() if s.embedded] == sorted([*NAMES, *FOR_FACES])
    assert DEFAULT in NAMES


@pytest.mark.parametrize("name", NAMES)
class TestEach:
    def test_card(self, name):
        style = sakuga.style.load(name)
        card = style.card
        assert card.name == name
        assert card.sha256 == weights_sha256(onnx.load(style.path))
        assert style.size <= 3_000_000
        assert card.licence == "Apache-2.0"
        assert card.system == "distill"
        assert {d["use"] for d in card.data} >= {"photos", "perceptual loss"}
        assert all(d["licence"] and "see the" not in d["licence"] for d in card.data)
        assert "/" not in str(card.config["photos"])

    def test_it_paints_without_a_trace_of_its_squares(self, name, photo):
        """The look is there, and the change is the same at every place within the 4×4 squares the network works in."""
        painted = Stylizer(name).array(photo)
        change = painted.astype(float) - photo
        assert np.abs(change).mean() > 5
        phases = np.array([[change[i::4, j::4].mean() for j in range(4)] for i in range(4)])
        assert np.ptp(phases) < 2

    @pytest.mark.parametrize("precision", ["fp32", "int8"])
    def test_flat_areas_and_ramps_show_no_squares(self, name, precision, request):
        """What repeats every four pixels in the change is below a quarter of one level of 255."""
        if precision == "int8" and name in ("cel", "hayao", "ink"):
            request.applymarker(pytest.mark.xfail(strict=True, reason="0.29, 0.26 and 0.41 of a level in int8"))
        assert squares(Stylizer(name, precision=precision)) <= 0.25

    def test_ramps_in_int8_show_no_squares_where_rounding_averages_away(self, name):
        """Of ramps a quarter of a level apart, one shows how 8 bits round, too; their mean does not."""
        painter = Stylizer(name, precision="int8")
        assert grid(np.mean([change(painter, *ramp) for ramp in RAMPS], axis=0)) <= 0.25

    def test_tiles_equal_the_whole(self, name, photo, monkeypatch):
        painters = [Stylizer(name, precision=precision) for precision in ("fp32", "auto")]
        wholes = [painter.array(photo) for painter in painters]
        monkeypatch.setattr("sakuga.stylizer.painter.MAX_TILE_PIXELS", 216**2)  # 128 and a margin of 44 on both sides
        for painter, whole in zip(painters, wholes, strict=True):
            assert np.abs(painter.array(photo).astype(int) - whole).max() <= 1

    def test_int8_paints_the_same(self, name, photo):
        exact, whole_numbers = (Stylizer(name, precision=precision).array(photo) for precision in ("fp32", "int8"))
        apart = np.abs(exact.astype(int) - whole_numbers)
        assert 0 < apart.mean() <= 0.01 * 255
        assert np.percentile(apart, 99.9) <= 16  # no places where it shows

    def test_any_size(self, name, photo):
        for size in ((1, 1), (127, 93)):
            small = Image.fromarray(photo).resize(size)
            assert sakuga.stylize(small, style=name).size == size


Y, X = np.mgrid[:256, :256] / 256
RAMPS = [(X, step / 4) for step in range(16)]
"""Shades, and how many levels lighter."""


def change(painter, shade, lighter=0):
    """What a style changes in an even field or in a ramp, in levels of 255."""
    field = (30 + lighter + 190 * shade[..., None] * np.array([1.0, 0.9, 0.75])).round().astype(np.uint8)
    return painter.array(field).astype(float) - field


def grid(change):
    """What repeats every four pixels, in levels of 255."""
    kernel = np.array([0.5, 1, 1, 1, 0.5]) / 4
    change = change - ndimage.correlate1d(ndimage.correlate1d(change, kernel, axis=0), kernel, axis=1)
    places = change[64:-64, 64:-64].reshape(32, 4, 32, 4, 3).mean((0, 2))
    return np.ptp(places, axis=(0, 1)).max()


def squares(painter):
    """What repeats every four pixels in the change of an even field and of ramps."""
    return max(grid(change(painter, shade)) for shade in (0 * X + 0.5, X, (X + Y) / 2))


SKINS = [(58, 36, 28), (92, 60, 46), (141, 94, 70), (186, 138, 110), (226, 184, 160)]


@pytest.mark.parametrize(
    ("name", "quality"),
    [*((name, "fast") for name in NAMES if name != "ink"), *((name, "best") for name in PAINTED_OVER)],
)  # but for ink, which keeps no colour
@pytest.mark.parametrize("tone", SKINS)
def test_skin_keeps_its_tone(name, quality, tone, photo):
    """CIELAB medians of a face of five tones: lightness within 4, hue within 8 degrees, chroma within 8."""
    lab = color.rgb2lab(photo)
    to = color.rgb2lab(np.array(tone, np.uint8)[None, None])[0, 0]
    face = np.median(lab[90:175, 190:250].reshape(-1, 3), axis=0)
    lab[..., 0] *= to[0] / face[0]
    lab[..., 1:] += to[1:] - face[1:]
    picture = (255 * color.lab2rgb(lab)).round().astype(np.uint8)
    before, after = (skin(one) for one in (picture, Stylizer(name, quality=quality).array(picture)))
    assert np.abs(after[0] - before[0]) <= 4
    assert np.abs(after[1] - before[1]) <= 8
    if name != "comic":  # whose colours are half again as strong
        assert np.abs(after[2] - before[2]) <= 8


@pytest.mark.parametrize("name", PAINTED_OVER)
class TestPaintedOver:
    def test_the_ground_is_of_the_default_style(self, name):
        assert sakuga.style.load(name).card.underpainting == DEFAULT
        assert sakuga.style.load(name).card.palette == name

    @pytest.mark.parametrize("precision", ["fp32", "int8"])
    def test_no_squares_show_in_a_still_picture(self, name, precision):
        assert squares(Stylizer(name, precision=precision, quality="best", brush=1)) <= 0.25

    def test_it_leaves_flat_areas(self, name, photo):
        """From pixel to pixel, half of a still picture changes less than where the style paints alone."""
        painter, alone = Stylizer(name, quality="best"), Stylizer(name, quality="best")
        alone.ground = None
        steps = [np.hypot(*np.gradient(one.array(photo).mean(2))) for one in (painter, alone)]
        assert np.median(steps[0]) < 0.85 * np.median(steps[1])


def test_ink_draws_on_white_paper(photo):
    """The orange suit leaves no tint: one came with squares trained away, and no other test saw it."""
    suit = Stylizer("ink").array(photo)[230:440, 60:140].astype(int)
    assert np.median(np.ptp(suit, axis=2)) <= 3
    assert np.median(suit) >= 250


def skin(picture):
    """Lightness, hue in degrees and chroma of the astronaut's face."""
    lab = np.median(color.rgb2lab(picture[90:175, 190:250]).reshape(-1, 3), axis=0)
    return np.array([lab[0], np.degrees(np.arctan2(lab[2], lab[1])), np.hypot(lab[1], lab[2])])


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("name", NAMES)
def test_a_flat_area_stays_flat(name, precision):
    """No 4x4 squares: what is the same everywhere is drawn the same everywhere, away from the border."""
    for value in ((40, 128, 215), (215, 128, 128), (128, 128, 128)):
        flat = Stylizer(name, precision=precision).array(np.full((192, 192, 3), value, np.uint8))[64:-64, 64:-64]
        places = np.array([[flat[i::4, j::4].mean((0, 1)) for j in range(4)] for i in range(4)])
        assert np.ptp(places, axis=(0, 1)).max() <= 0.25


def test_the_docs_name_every_style():
    root = Path(__file__).parents[2]
    for page in ("README.md", "docs/styles.md"):
        text = (root / page).read_text(encoding="utf-8")
        assert [name for name in [*NAMES, *FOR_FACES] if name not in text] == []


class TestCaricature:
    def test_card(self):
        style = sakuga.style.load("caricature")
        card = style.card
        assert (card.system, card.licence, [d["use"] for d in card.data]) == ("autotoon", "Apache-2.0", ["pairs"])
        assert card.sha256 == weights_sha256(onnx.load(style.path))
        assert [one.name for one in card.settings] == ["exaggeration", "frame"]
        assert style.size <= 1_200_000
        assert "/" not in str(card.config["photos"])

    def test_it_moves_a_face_as_far_as_it_is_told_and_nothing_at_the_edge(self, photo):
        """Hair, skin and light stay: what a place shows lies some pixels away."""
        face = photo[40:240, 120:320]
        made = [
            Stylizer("caricature", inputs={"frame": "whole", "exaggeration": times}).array(face).astype(int)
            for times in (0, 1, 2)
        ]
        changes = [np.abs(one - face).mean() for one in made]
        assert changes[0] < 0.5
        assert 2 * changes[0] + 1 < changes[1] < changes[2]
        assert all(np.abs(one - face)[[0, -1]].max() <= 2 for one in made)
        assert np.abs(np.median(made[2], (0, 1)) - np.median(face, (0, 1))).max() < 10

    def test_all_styles_leave_it_out(self, photo, capsys):
        assert [style.name for style in choose("all")] == NAMES
        assert "style caricature is for faces alone" in capsys.readouterr().err
