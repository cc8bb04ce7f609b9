"""Animated pictures into video and into numbered pictures."""

from fractions import Fraction

import numpy as np
import pytest
from clips import QUADRANTS, invert, quadrants, read, same
from PIL import Image, ImageCms, features

from sakuga.errors import SakugaError, UsageError
from sakuga.video import VideoOptions, stylize_video

AVIF = pytest.param(
    "a.avif", {"quality": 95}, marks=pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
)
TIMES = [40, 200, 70, 500]  # milliseconds; a GIF counts in hundredths of a second


def animation(path, durations=TIMES, size=(64, 48), **options):
    frames = [Image.fromarray(quadrants(size[1], size[0], 5 * i)) for i in range(len(durations))]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, **options)
    return path


def off_by(found, expected):
    return np.abs(np.asarray(found).astype(int) - expected).mean()


@pytest.mark.parametrize(("name", "options"), [("a.gif", {}), ("a.png", {}), ("a.webp", {"lossless": True}), AVIF])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_each_frame_is_shown_as_long_as_before(tmp_path, name, options, suffix):
    source, target = animation(tmp_path / name, **options), tmp_path / f"b{suffix}"
    stylize_video(source, target, invert)
    after = read(target)
    assert after.times == [0, Fraction(40, 1000), Fraction(240, 1000), Fraction(310, 1000)]
    if suffix == ".mp4":
        assert after.length == pytest.approx(0.81, abs=0.001)
    for i, frame in enumerate(after.frames):
        assert off_by(frame, 255 - quadrants(shade=5 * i).astype(int)) < 5


def test_what_is_no_time_is_a_tenth_of_a_second_as_in_browsers(tmp_path):
    stylize_video(animation(tmp_path / "a.gif", [0, 10, 20, 50]), tmp_path / "b.mp4", same)
    assert read(tmp_path / "b.mp4").times == [0, Fraction(1, 10), Fraction(2, 10), Fraction(22, 100)]


def test_thirds_of_a_hundredth_do_not_add_up(tmp_path):
    stylize_video(animation(tmp_path / "a.png", [100 / 3] * 7), tmp_path / "b.mp4", same)
    assert read(tmp_path / "b.mp4").times[-1] == pytest.approx(0.2, abs=1e-3)


def test_a_part_of_it_in_a_rhythm_of_its_own(tmp_path):
    """From 0.1 s on frame 1 is seen until 0.24 s, 2 until 0.31 s, then 3."""
    source, target = animation(tmp_path / "a.gif"), tmp_path / "b.mp4"
    stylize_video(source, target, same, options=VideoOptions(start="0.1", duration="0.3"))
    assert read(target).times == [0, Fraction(14, 100), Fraction(21, 100)]
    assert read(target).length == pytest.approx(0.3, abs=0.001)
    assert off_by(read(target).frames[0], quadrants(shade=5)) < 5
    stylize_video(source, target, same, options=VideoOptions(fps="10"), overwrite=True)
    assert read(target).times == [Fraction(i, 10) for i in range(9)]
    with pytest.raises(UsageError, match=r"--start 3 lies behind the end of .*a\.gif"):
        stylize_video(source, tmp_path / "c.mp4", same, options=VideoOptions(start="3"))


def test_odd_sizes_and_smaller_ones(tmp_path):
    source = animation(tmp_path / "a.gif", size=(63, 47))
    stylize_video(source, tmp_path / "b.mp4", same)
    assert read(tmp_path / "b.mp4").stream["size"] == (63, 47)
    stylize_video(source, tmp_path / "c.mp4", same, max_side=32)
    assert read(tmp_path / "c.mp4").stream["size"] == (32, 22)


def sticker(path):
    """Write two frames of which the left halves are transparent."""
    rgba = np.dstack([quadrants(), np.full((48, 64), 255, np.uint8)])
    rgba[:, :32, 3] = 0
    frames = [Image.fromarray(rgba), Image.fromarray(rgba[::-1])]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, disposal=2)
    return path


@pytest.mark.parametrize("name", ["a.gif", "a.png"])
def test_transparency_becomes_white_in_a_video_and_is_kept_in_pictures(tmp_path, name):
    source = sticker(tmp_path / name)
    stylize_video(source, tmp_path / "b.mp4", same)
    for frame in read(tmp_path / "b.mp4").frames:
        assert off_by(frame[:, :28], 255) < 3
    assert off_by(read(tmp_path / "b.mp4").frames[0][4:20, 36:60], QUADRANTS[1]) < 5
    stylize_video(source, tmp_path / "f%d.png", same)
    stylize_video(source, tmp_path / "f%d.jpg", same)
    assert len(list(tmp_path.glob("f*.png"))) == len(list(tmp_path.glob("f*.jpg"))) == 2
    with Image.open(tmp_path / "f2.png") as image:
        rgba = np.asarray(image)
    np.testing.assert_array_equal(rgba[..., 3], np.repeat([[0] * 32 + [255] * 32], 48, axis=0))
    np.testing.assert_array_equal(rgba[:, 32:, :3], quadrants()[::-1, 32:])
    with Image.open(tmp_path / "f1.jpg") as image:
        assert off_by(image.convert("RGB").crop((0, 0, 24, 48)), 255) < 3


def test_an_enlarged_picture_keeps_its_outline(tmp_path):
    stylize_video(sticker(tmp_path / "a.png"), tmp_path / "f%d.png", lambda rgb: rgb.repeat(2, 0).repeat(2, 1), scale=2)
    with Image.open(tmp_path / "f1.png") as image:
        assert image.size == (128, 96)
        alpha = np.asarray(image)[..., 3]
    assert alpha[:, :60].max() < 10
    assert alpha[:, 68:].min() > 245


def wide_profile():
    """An RGB profile whose red and green are exchanged, so that using it shows."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {bytes(profile[i : i + 4]): i for i in range(132, 132 + 12 * profile[131], 12)}
    red, green = at[b"rXYZ"], at[b"gXYZ"]
    places = bytes(profile[red + 4 : red + 12]), bytes(profile[green + 4 : green + 12])
    profile[green + 4 : green + 12], profile[red + 4 : red + 12] = places
    return bytes(profile)


def test_colours_of_a_profile_are_those_of_a_screen_in_a_video(tmp_path):
    profile, swapped = wide_profile(), quadrants()[..., [1, 0, 2]].astype(int)
    source = animation(tmp_path / "a.png", [100, 100], icc_profile=profile)
    stylize_video(source, tmp_path / "b.mp4", same)
    assert off_by(read(tmp_path / "b.mp4").frames[0], swapped) < 5
    Image.fromarray(quadrants()).save(tmp_path / "001.png", icc_profile=profile)
    stylize_video(tmp_path / "%03d.png", tmp_path / "c.mp4", same)
    assert off_by(read(tmp_path / "c.mp4").frames[0], swapped) < 5


def test_transparent_numbered_pictures_are_on_white(tmp_path):
    rgba = np.dstack([quadrants(), np.full((48, 64), 255, np.uint8)])
    rgba[:, :32, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "001.png")
    stylize_video(tmp_path / "%03d.png", tmp_path / "b.mp4", same)
    assert off_by(read(tmp_path / "b.mp4").frames[0][:, :28], 255) < 3


def test_pages_are_no_video_and_may_be_numbered(tmp_path):
    source = animation(tmp_path / "a.tif", [0, 0])
    with pytest.raises(UsageError, match=r"a\.tif holds pages, which are no video"):
        stylize_video(source, tmp_path / "b.mp4", same)
    stylize_video(source, tmp_path / "f%d.png", same)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", "f1.png", "f2.png"]


def test_a_still_picture_is_no_video_and_a_broken_one_is_named(tmp_path):
    Image.fromarray(quadrants()).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"a\.png is one picture and no video"):
        stylize_video(tmp_path / "a.png", tmp_path / "b.mp4", same)
    (tmp_path / "c.gif").write_bytes(animation(tmp_path / "a.gif").read_bytes()[:-40])
    with pytest.raises(SakugaError, match=r"c\.gif is damaged or truncated"):
        stylize_video(tmp_path / "c.gif", tmp_path / "b.mp4", same)
    assert not (tmp_path / "b.mp4").exists()
