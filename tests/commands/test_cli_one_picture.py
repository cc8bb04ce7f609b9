"""One picture, or one video: where its result goes and in which format."""

import re
from pathlib import Path

import numpy as np
import pytest
from made_style import make_style
from PIL import Image
from shell import photo, pixels, tree


def test_one_picture_goes_beside_its_input(run):
    before = photo("in/photo.png")
    assert run("in/photo.png", "-s", "neg") == (0, ["in/photo.neg.png"], "")
    np.testing.assert_array_equal(pixels("in/photo.neg.png"), 255 - before)
    assert tree() == ["in/photo.neg.png", "in/photo.png"]


def test_the_verb_may_be_named_and_options_may_come_first(run):
    photo("photo.png")
    assert run("stylize", "photo.png", "-s", "neg")[:2] == (0, ["photo.neg.png"])
    assert run("--style", "soft", "photo.png")[:2] == (0, ["photo.soft.png"])


def test_a_style_may_be_a_path(run, style_folder):
    photo("photo.png")
    make_style(Path("mine.onnx"), "invert")
    assert run("photo.png", "-s", "mine.onnx")[:2] == (0, ["photo.mine.png"])


def test_output_is_a_file_when_it_has_a_suffix_and_its_format_follows(run):
    photo("photo.png")
    assert run("photo.png", "-s", "neg", "-o", "new/result.webp")[:2] == (0, ["new/result.webp"])
    with Image.open("new/result.webp") as image:
        assert (image.format, image.size) == ("WEBP", (20, 16))


@pytest.mark.parametrize("output", ["out", "out/", "exists.d"])
def test_output_is_a_folder_otherwise(run, output):
    photo("photo.png")
    Path("exists.d").mkdir()
    target = str(Path(output) / "photo.neg.png")
    assert run("photo.png", "-s", "neg", "-o", output)[:2] == (0, [target])
    assert Path(target).is_file()


def test_an_existing_result_is_an_error_that_names_overwrite(run):
    before = photo("photo.png")
    Path("photo.neg.png").write_bytes(b"mine")
    status, out, err = run("photo.png", "-s", "neg")
    assert (status, out) == (1, [])
    assert re.fullmatch(r"sakuga: photo\.neg\.png exists already: .*--overwrite.*\n", err)
    assert Path("photo.neg.png").read_bytes() == b"mine"
    assert run("photo.png", "-s", "neg", "--overwrite")[0] == 0
    np.testing.assert_array_equal(pixels("photo.neg.png"), 255 - before)


def test_a_picture_can_replace_itself_when_asked(run):
    before = photo("photo.png")
    assert run("photo.png", "-s", "neg", "-o", "photo.png")[0] == 1
    assert run("photo.png", "-s", "neg", "-o", "photo.png", "--overwrite")[0] == 0
    np.testing.assert_array_equal(pixels("photo.png"), 255 - before)


def test_options_reach_the_stylizer(run):
    before = photo("photo.png", size=(40, 20)).astype(int)
    assert run("photo.png", "-s", "neg", "--strength", "0")[0] == 0
    np.testing.assert_array_equal(pixels("photo.neg.png"), before)
    run("photo.png", "-s", "neg", "--strength", "0.25", "-o", "quarter.png")
    np.testing.assert_allclose(pixels("quarter.png"), 0.75 * before + 0.25 * (255 - before), atol=1)
    run("photo.png", "-s", "neg", "--max-side", "10", "--threads", "1", "-o", "small.png")
    assert pixels("small.png").shape == (5, 10, 3)
    run("photo.png", "-s", "neg", "--keep-color", "-o", "color.png")
    luma = np.array([0.299, 0.587, 0.114])
    expected = np.clip(before + ((255 - 2 * before) @ luma)[..., None], 0, 255)
    np.testing.assert_allclose(pixels("color.png"), expected, atol=1)


@pytest.mark.parametrize(
    ("format", "suffix", "name"),
    [("jpeg", ".jpg", "JPEG"), ("png", ".png", "PNG"), ("webp", ".webp", "WEBP"), ("tiff", ".tif", "TIFF")],
)
def test_format(run, format, suffix, name):
    photo("photo.bmp")
    assert run("photo.bmp", "-s", "neg", "--format", format)[1] == [f"photo.neg{suffix}"]
    with Image.open(f"photo.neg{suffix}") as image:
        assert image.format == name


@pytest.mark.parametrize(
    ("name", "saved_as", "result"),
    [
        ("a.JPG", "JPEG", "a.neg.JPG"),
        ("a.jpeg", "JPEG", "a.neg.jpeg"),
        ("a.bmp", "BMP", "a.neg.png"),
        ("plain", "JPEG", "plain.neg.jpg"),
        ("plain", "PNG", "plain.neg.png"),
        ("odd.v1.data", "WEBP", "odd.v1.neg.webp"),
    ],
)
def test_suffix_and_format_are_kept(run, name, saved_as, result):
    photo(name, format=saved_as)
    assert run(name, "-s", "neg")[1] == [result]
    with Image.open(result) as image:
        assert image.format == {"BMP": "PNG"}.get(saved_as, saved_as)


def test_format_and_a_name_that_says_nothing_about_it(run):
    photo("photo.png")
    Path("taken").touch()
    assert run("photo.png", "-s", "neg", "-o", "taken", "--format", "jpeg", "--overwrite")[:2] == (0, ["taken"])
    with Image.open("taken") as image:
        assert image.format == "JPEG"


def test_a_video(run):
    import av

    Path("in").mkdir()
    with av.open("in/clip.mkv", "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for gray in (0, 60, 120, 180):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), gray, np.uint8))
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    assert run("in/clip.mkv", "-s", "neg")[:2] == (0, ["in/clip.neg.mp4"])
    with av.open("in/clip.neg.mp4") as clip:
        means = [frame.to_ndarray(format="rgb24").mean() for frame in clip.decode(video=0)]
    np.testing.assert_allclose(means, [255, 195, 135, 75], atol=4)
    photo("in/clip.png")
    _, out, err = run("in", "-s", "neg")
    assert out == ["in/clip.neg.png"]
    assert "1 done, 1 skipped" in err
