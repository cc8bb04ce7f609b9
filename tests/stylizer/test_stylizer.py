import dataclasses
import io
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from made_style import make_style
from PIL import Image

import sakuga
from sakuga import picture as image
from sakuga.errors import SakugaError, UsageError
from sakuga.picture import Frame, Picture
from sakuga.style import read
from sakuga.stylizer import Stylizer, painter
from sakuga.stylizer.piece import run_network


def noise(height, width, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (height, width, 3), dtype, endpoint=True)


def watch(worker, monkeypatch, *, limit=None, error=None):
    """Record the sizes (height, width) that the network is run on; beyond `limit` pixels there is no memory."""
    run, sizes = worker.engine.run, []

    def watched(x):
        sizes.append(x.shape[:2] if worker.engine.whole else x.shape[1:])
        if limit is not None and sizes[-1][0] * sizes[-1][1] > limit:
            raise error or MemoryError
        return run(x)

    monkeypatch.setattr(worker, "engine", dataclasses.replace(worker.engine, run=watched))
    return sizes


def starved():
    """What ONNX Runtime raises when there is no memory."""
    from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

    return RuntimeException("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : node Conv ... std::bad_alloc")


def little_memory(monkeypatch):
    monkeypatch.setattr(painter, "available", lambda: 0)
    monkeypatch.setattr(painter, "MIN_PIXELS", 1000)


SIZES = [(1, 1), (1, 2), (2, 1), (3, 5), (1, 300), (63, 65), (64, 64), (101, 99), (13, 4097), (4097, 13)]


@pytest.mark.parametrize("kind", ["identity", "invert", "blur", "strided", "global"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_any_size_comes_back_exactly(made_style, kind, width, height):
    photo = noise(height, width)
    result = Stylizer(made_style(kind)).array(photo)
    assert result.shape == photo.shape
    assert result.dtype == np.uint8
    if kind == "identity":
        np.testing.assert_array_equal(result, photo)
    if kind == "invert":
        np.testing.assert_array_equal(result, 255 - photo)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_value_survives_the_way_through_floats(made_style, dtype):
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    photo = np.repeat(values.reshape(16, -1, 1), 3, axis=2)
    np.testing.assert_array_equal(Stylizer(made_style("identity")).array(photo), photo)
    np.testing.assert_array_equal(Stylizer(made_style("invert")).array(photo), np.iinfo(dtype).max - photo)


def test_blur_is_the_mean_with_the_picture_reflected(made_style):
    photo = noise(70, 80)
    around = np.pad(photo.astype(float), ((1, 1), (1, 1), (0, 0)), mode="reflect")
    mean = sum(around[y : y + 70, x : x + 80] for y in range(3) for x in range(3)) / 9
    np.testing.assert_allclose(Stylizer(made_style("blur")).array(photo), mean, atol=0.5 + 1e-4)


def test_padding_is_by_reflection(tmp_path):
    """With multiple 64 a picture of 70x65 is padded to 128; the blur then sees at its edge what lies inside it."""
    photo = noise(65, 70)
    wide = Stylizer(make_style(tmp_path / "wide.onnx", "blur", multiple=64)).array(photo)
    np.testing.assert_array_equal(wide, Stylizer(make_style(tmp_path / "narrow.onnx", "blur")).array(photo))


@pytest.mark.parametrize("kind", ["identity", "invert", "blur", "strided"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("height", "width"), [(203, 310), (64, 500), (129, 129)])
def test_tiles_equal_the_whole(made_style, monkeypatch, kind, dtype, height, width):
    photo = noise(height, width, dtype)
    worker = Stylizer(made_style(kind))

    whole = worker.array(photo)
    monkeypatch.setattr(painter, "MAX_TILE_PIXELS", 80**2)
    sizes = watch(worker, monkeypatch)
    tiled = worker.array(photo)
    assert len(sizes) >= 4
    assert max(h * w for h, w in sizes) <= (64 + 3 + 2 * 12) ** 2  # at least 64, rounded up to four; twelve around
    # Twice 1e-5 is less than a step of 16 bits.
    np.testing.assert_allclose(tiled.astype(int), whole.astype(int), atol=1)


def test_a_style_that_enlarges(made_style, monkeypatch, tmp_path):
    """Every pixel of the small result four times, in one piece or in tiles, with alpha, blended, and as a video."""
    photo = noise(50, 130)
    small = Stylizer(made_style("blur")).array(photo)
    expected = small.repeat(2, 0).repeat(2, 1)
    worker = Stylizer(made_style("double"))
    np.testing.assert_array_equal(worker.array(photo), expected)
    monkeypatch.setattr(painter, "MAX_TILE_PIXELS", 80**2)
    np.testing.assert_allclose(worker.array(photo).astype(int), expected.astype(int), atol=1)
    rgba = np.dstack([photo, np.full(photo.shape[:2], 77, np.uint8)])
    assert np.asarray(worker(rgba)).shape == (100, 260, 4)
    assert (np.asarray(worker(rgba))[..., 3] == 77).all()

    flat = np.full((20, 30, 3), (200, 40, 90), np.uint8)
    for options in ({"strength": 0.0}, {"strength": 0.5}, {"keep_color": True}):
        result = Stylizer(made_style("double"), **options).array(flat)
        assert result.shape == (40, 60, 3)
        np.testing.assert_allclose(result, np.broadcast_to(flat[0, 0], result.shape), atol=1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_histograms_are_matched_where_the_card_says_so(tmp_path, dtype):
    """The negative of a dark picture is bright; with the photo's histogram the photo's values come in reverse order."""
    photo = (np.arange(40 * 50, dtype=np.int64).reshape(40, 50, 1) % 100 * np.array([1, 2, 0])).astype(dtype)
    result = Stylizer(make_style(tmp_path / "matched.onnx", "invert", match_histogram=True)).array(photo)
    np.testing.assert_allclose(result[..., 0], 99 - photo[..., 0].astype(int), atol=1)
    np.testing.assert_allclose(result[..., 1], 198 - photo[..., 1].astype(int), atol=2)
    assert (result[..., 2] == 0).all()


def test_tiles_with_too_small_a_margin_would_differ(tmp_path, monkeypatch):
    """The test above can fail: a card that claims too small a receptive field gives visible seams."""
    photo = noise(203, 310)
    worker = Stylizer(make_style(tmp_path / "lies.onnx", "strided", receptive_field=1, multiple=4))
    whole = worker.array(photo)
    monkeypatch.setattr(painter, "MAX_TILE_PIXELS", 80**2)
    assert np.abs(worker.array(photo).astype(int) - whole).max() > 8


def test_styles_that_look_everywhere_are_not_tiled(made_style, monkeypatch):
    photo = noise(90, 200)
    whole = Stylizer(made_style("global")).array(photo)
    little_memory(monkeypatch)
    np.testing.assert_array_equal(Stylizer(made_style("global")).array(photo), whole)


def test_out_of_memory_means_smaller_tiles(made_style, monkeypatch):
    """The network fails on more than 100 x 100 pixels: on 310 x 203, perhaps on half of that a side, then no more."""
    photo = noise(203, 310)
    for kind in ("blur", "strided"):
        whole = Stylizer(made_style(kind)).array(photo)
        for error in (MemoryError(), RuntimeError("Failed to allocate memory for requested buffer"), starved()):
            worker = Stylizer(made_style(kind))
            sizes = watch(worker, monkeypatch, limit=100 * 100, error=error)
            np.testing.assert_allclose(worker.array(photo).astype(int), whole.astype(int), atol=1)
            assert sizes[0][0] >= 203
            assert 1 <= sum(h * w > 100 * 100 for h, w in sizes) <= 2


def test_out_of_memory_in_the_smallest_tiles(made_style, monkeypatch):
    worker = Stylizer(made_style("strided"))
    sizes = watch(worker, monkeypatch, limit=0)
    with pytest.raises(SakugaError, match=r"too little memory .* strided on 700x400 pixels, .*small tiles.*--max-side"):
        worker.array(noise(400, 700))
    assert 2 <= len(sizes) <= 5


def test_out_of_memory_of_a_style_that_cannot_be_tiled(made_style, monkeypatch):
    worker = Stylizer(made_style("global"))
    sizes = watch(worker, monkeypatch, limit=0)
    with pytest.raises(SakugaError, match=r"too little memory .* global, .* on 90x80 pixels: .*--max-side.*export"):
        worker.array(noise(80, 90))
    assert len(sizes) == 1


def test_strength_zero_is_the_photo(made_style):
    for dtype in (np.uint8, np.uint16):
        photo = noise(30, 40, dtype)
        result = Stylizer(made_style("invert"), strength=0).array(photo)
        np.testing.assert_array_equal(result, photo)
        assert result is not photo


def test_strength_blends_in_a_straight_line(made_style):
    photo = noise(30, 40)
    result = Stylizer(made_style("invert"), strength=0.25).array(photo)
    np.testing.assert_allclose(result, 0.75 * photo + 0.25 * (255.0 - photo), atol=0.5 + 1e-3)


def test_keep_color_takes_luma_from_the_style_and_chroma_from_the_photo(made_style):
    # Mild colours: nothing is clipped, so both hold to within rounding.
    photo = 96 + noise(30, 40) // 4
    result = Stylizer(made_style("invert"), keep_color=True).array(photo)
    before = np.asarray(Image.fromarray(photo).convert("YCbCr")).astype(int)
    after = np.asarray(Image.fromarray(result).convert("YCbCr")).astype(int)
    np.testing.assert_allclose(after[..., 0], 255 - before[..., 0], atol=2)
    np.testing.assert_allclose(after[..., 1:], before[..., 1:], atol=2)


def test_keep_color_clips(made_style):
    photo = np.zeros((8, 8, 3), np.uint8)
    photo[..., 0] = 255  # inverted luma is 179: red would rise to 358
    result = Stylizer(made_style("invert"), keep_color=True).array(photo)
    assert result[0, 0, 0] == 255
    assert 100 <= result[0, 0, 1] == result[0, 0, 2] <= 104  # 0.402 * 255


def test_picture_keeps_frames_alpha_and_metadata(made_style):
    alpha = noise(20, 30)[..., 0]
    frames = [Frame(noise(20, 30, seed=seed), alpha, 40.0 + seed) for seed in range(3)]
    picture = Picture(frames, "WEBP", loop=2, icc=b"profile")
    result = Stylizer(made_style("invert")).picture(picture)
    assert (result.format, result.loop, result.icc) == ("WEBP", 2, b"profile")
    assert [frame.duration for frame in result.frames] == [40, 41, 42]
    for before, after in zip(frames, result.frames, strict=True):
        np.testing.assert_array_equal(after.rgb, 255 - before.rgb)
        np.testing.assert_array_equal(after.alpha, alpha)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("size", "expected"), [((40, 100), (20, 50)), ((100, 40), (50, 20)), ((30, 50), (30, 50)), ((1, 500), (1, 50))]
)
def test_max_side_reduces_and_never_enlarges(made_style, dtype, size, expected):
    frame = Frame(noise(*size, dtype), noise(*size, dtype)[..., 0])
    (result,) = Stylizer(made_style("identity"), max_side=50).picture(Picture([frame])).frames
    assert result.rgb.shape == (*expected, 3)
    assert result.alpha.shape == expected
    assert result.rgb.dtype == result.alpha.dtype == dtype
    if size == expected:
        np.testing.assert_array_equal(result.rgb, frame.rgb)


def test_reducing_is_lanczos(made_style):
    frame = Frame(64 + noise(90, 120) // 2)  # Pillow clips 8 bits between its two passes; this stays within them
    (result,) = Stylizer(made_style("identity"), max_side=60).picture(Picture([frame])).frames
    expected = np.asarray(Image.fromarray(frame.rgb).resize((60, 45), Image.Resampling.LANCZOS)).astype(int)
    np.testing.assert_allclose(result.rgb, expected, atol=1)


def test_every_kind_of_source(made_style, tmp_path):
    photo = noise(20, 30)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    data = (tmp_path / "photo.png").read_bytes()
    sources = [
        tmp_path / "photo.png",
        str(tmp_path / "photo.png"),
        data,
        io.BytesIO(data),
        Image.fromarray(photo),
        photo,
    ]
    for source in sources:
        result = sakuga.stylize(source, style=made_style("invert"))
        assert isinstance(result, Image.Image)
        np.testing.assert_array_equal(np.asarray(result), 255 - photo)
    result = sakuga.stylize(photo, made_style("invert"), strength=0.5, keep_color=True, max_side=10)
    assert result.size == (10, 7)


def test_file_writes_in_the_format_of_the_name_and_makes_the_folder(made_style, tmp_path):
    photo = noise(20, 30)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    worker, target = Stylizer(made_style("invert")), tmp_path / "deep" / "er" / "result.tif"
    worker.file(tmp_path / "photo.png", target)
    with Image.open(target) as result:
        assert result.format == "TIFF"
        np.testing.assert_array_equal(np.asarray(result), 255 - photo)
    with pytest.raises(SakugaError, match=r"result\.tif exists already: .*--overwrite"):
        worker.file(tmp_path / "photo.png", target)
    worker.file(tmp_path / "photo.png", target, overwrite=True)
    with pytest.raises(SakugaError, match=r"photo\.png.* cannot be written"):
        worker.file(tmp_path / "photo.png", tmp_path / "photo.png" / "below.png")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("strength", -0.1),
        ("strength", 1.01),
        ("strength", float("nan")),
        ("max_side", 0),
        ("max_side", -3),
        ("threads", 0),
    ],
)
def test_options_out_of_range(made_style, option, value):
    with pytest.raises(UsageError, match=f"{option} must .* not {value}"):
        Stylizer(made_style("identity"), **{option: value})


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
    ],
)
def test_arrays_of_another_shape_or_type(made_style, array):
    with pytest.raises(UsageError, match="rgb must be"):
        Stylizer(made_style("identity")).array(array)


def test_networks_that_fail(tmp_path):
    with pytest.raises(SakugaError, match=r"style half makes \(3, 32, 32\) of 64x64 pixels"):
        Stylizer(make_style(tmp_path / "half.onnx", "half")).array(noise(64, 64))
    liar = make_style(tmp_path / "liar.onnx", "strided", multiple=1)
    with pytest.raises(SakugaError, match="style liar fails on 65x66 pixels") as caught:
        Stylizer(liar).array(noise(66, 65))
    assert "\n" not in str(caught.value)


def test_a_sum_beyond_all_numbers_is_no_warning(recwarn):
    huge = SimpleNamespace(whole=False, run=lambda photo: np.full_like(photo, 3e38))
    style = SimpleNamespace(name="huge", card=SimpleNamespace(scale=1))
    assert run_network(style, huge, np.zeros((3, 8, 8), np.float32)).shape == (3, 8, 8)
    assert not recwarn


def test_networks_that_compute_no_numbers(tmp_path):
    with pytest.raises(SakugaError, match="style nan makes values that are no numbers"):
        Stylizer(make_style(tmp_path / "nan.onnx", "nan")).array(noise(64, 64))


def test_threads_share_one_stylizer(made_style):
    worker, photos = Stylizer(made_style("strided")), [noise(70, 90, seed=seed) for seed in range(6)]
    alone = [worker.array(photo) for photo in photos]
    together = [None] * len(photos)

    def work(i):
        together[i] = worker.array(photos[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(photos))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(together, alone)


def test_a_style_object_is_taken_too(made_style):
    one = read(made_style("invert"))
    assert Stylizer(one).style is one


def test_max_pixels_reaches_the_reader(made_style, tmp_path):
    Image.fromarray(noise(20, 30)).save(tmp_path / "photo.png")
    with pytest.raises(SakugaError, match=r"photo\.png"):
        Stylizer(made_style("identity")).file(tmp_path / "photo.png", tmp_path / "out.png", max_pixels=599)
    Stylizer(made_style("identity")).file(tmp_path / "photo.png", tmp_path / "out.png", max_pixels=600)
    assert image.read(tmp_path / "out.png").frames[0].rgb.shape == (20, 30, 3)
