"""Video into animated pictures and numbered ones, and numbered ones into video."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from clips import BT709, FRAMES, check_refused, invert, left_over, make, quadrants, read, same
from PIL import Image

from sakuga.errors import SakugaError, UsageError
from sakuga.video import VideoOptions, is_pattern, is_sequence, is_video_target, stylize_video


def frames_of(path):
    found = []
    with Image.open(path) as image:
        for i in range(image.n_frames):
            image.seek(i)
            image.load()
            found.append((image.info["duration"], np.asarray(image.convert("RGB")).astype(int)))
        return found, image.info.get("loop")


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_shows_each_frame_as_long_as_the_video(tmp_path, suffix):
    """Frames at 0, 40, 120, 200, 500 ms; the last lasts a mean frame, 1/24 s."""
    times = [0, 40, 120, 200, 500]
    source = make(tmp_path / "a.mkv", times=times, time_base=Fraction(1, 1000), sounds=(), matrix=BT709)
    count = iter(range(5))
    stylize_video(source, tmp_path / f"b{suffix}", lambda rgb: rgb // 2 + np.uint8(30 * next(count)))
    found, loop = frames_of(tmp_path / f"b{suffix}")
    assert [duration for duration, _ in found][:-1] == [40, 80, 80, 300]
    assert found[-1][0] == pytest.approx(42, abs=10)
    assert loop == 0
    for i, (_, rgb) in enumerate(found):
        assert rgb.shape == (48, 64, 3)
        assert np.abs(rgb - (quadrants(shade=i) // 2 + 30 * i)).mean() < 8


def test_a_gif_has_no_frames_shorter_than_viewers_show(tmp_path):
    """100 frames a second: every second one, 2 hundredths each; the whole lasts as long."""
    source = make(tmp_path / "a.mkv", times=range(0, 200, 10), time_base=Fraction(1, 1000), sounds=())
    stylize_video(source, tmp_path / "b.gif", same)
    found, _ = frames_of(tmp_path / "b.gif")
    assert [duration for duration, _ in found[:-1]] == [20] * 9


def test_an_animation_keeps_colours_and_size_of_odd_sides(tmp_path):
    source = make(tmp_path / "a.mp4", size=(63, 47), pix_fmt="yuv444p", sounds=(), times=range(3))
    for name in ("b.gif", "b.webp"):
        stylize_video(source, tmp_path / name, same)
        assert frames_of(tmp_path / name)[0][0][1].shape == (47, 63, 3)


@pytest.mark.parametrize("suffix", [".gif", ".webp", "-%02d.png"])
def test_a_failure_leaves_no_picture(tmp_path, suffix):
    source, count = make(tmp_path / "a.mp4"), []

    def paint(rgb):
        count.append(1)
        if len(count) == 12:
            raise KeyboardInterrupt
        return rgb

    with pytest.raises(KeyboardInterrupt):
        stylize_video(source, tmp_path / f"b{suffix}", paint)
    assert left_over(tmp_path) == {"a.mp4"}


def test_numbered_pictures_out(tmp_path):
    source = make(tmp_path / "a.mp4", sounds=())
    (tmp_path / "Ünï 写真").mkdir()
    pattern = tmp_path / "Ünï 写真" / "f %03d.png"
    stylize_video(source, pattern, invert)
    names = sorted(left_over(pattern.parent))
    assert names == [f"f {i:03}.png" for i in range(1, FRAMES + 1)]
    for i, name in enumerate(names):
        rgb = np.asarray(Image.open(pattern.parent / name)).astype(int)
        assert np.abs(rgb - (255 - quadrants(shade=i).astype(int))).mean() < 4
    with pytest.raises(SakugaError, match=r"f 001\.png exists.*--overwrite"):
        stylize_video(source, pattern, same)
    stylize_video(source, pattern, same, overwrite=True)


class Seen:
    """Paints nothing; notes by how much each frame is brighter than quadrants()."""

    def __init__(self):
        self.shades = []

    def __call__(self, rgb):
        self.shades.append(int(rgb[0, 0, 0]) - int(quadrants()[0, 0, 0]))
        return rgb


def picture_folder(folder, numbers, size=(64, 48)):
    folder.mkdir(exist_ok=True)
    for i in numbers:
        Image.fromarray(quadrants(size[1], size[0], i)).save(folder / f"{i:05}.png")
    return folder


@pytest.mark.parametrize("name", ["%05d.png", "*.png"])
@pytest.mark.parametrize("fps", [None, "10"])
def test_numbered_pictures_in(tmp_path, name, fps):
    folder = picture_folder(tmp_path / "Ünï 写真", range(3, 15))
    target = tmp_path / "b.mp4"
    stylize_video(folder / name, target, same, options=VideoOptions(fps=fps))
    after, rate = read(target), int(fps or 25)
    assert after.times == [Fraction(i, rate) for i in range(12)]
    assert after.length == pytest.approx(12 / rate, abs=0.001)
    for i, frame in zip(range(3, 15), after.frames, strict=True):
        assert np.abs(frame.astype(int) - quadrants(shade=i)).mean() < 5


def test_a_part_of_numbered_pictures(tmp_path):
    """10 a second from 0.5 s on for 0.3 s: pictures 5, 6, 7."""
    folder, target = picture_folder(tmp_path / "in", range(20)), tmp_path / "b.mkv"
    seen = Seen()
    stylize_video(folder / "%05d.png", target, seen, options=VideoOptions(fps="10", start="0.5", duration="0.3"))
    assert seen.shades == [5, 6, 7]
    assert read(target).times == [0, Fraction(1, 10), Fraction(2, 10)]
    with pytest.raises(UsageError, match=r"--start 3 lies behind the end of .*%05d\.png, which lasts 2\.0 s"):
        stylize_video(folder / "%05d.png", tmp_path / "c.mp4", same, options=VideoOptions(fps="10", start="3"))


def test_names_without_leading_zeros_are_in_the_order_of_their_numbers(tmp_path):
    for i in range(8, 12):
        Image.fromarray(quadrants(shade=i)).save(tmp_path / f"frame {i}.png")
    for name in ("frame %d.png", "*.png"):
        seen = Seen()
        stylize_video(tmp_path / name, tmp_path / "b.mp4", seen, overwrite=True)
        assert seen.shades == [8, 9, 10, 11]


def test_a_gap_another_size_and_nothing(tmp_path):
    folder = picture_folder(tmp_path / "in", [1, 2, 4])
    check_refused(folder / "%05d.png", r"gap after 2")
    picture_folder(folder, [4], size=(32, 32))
    check_refused(folder / "*.png", r"00004\.png is 32x32, unlike 00001\.png \(64x48\)")
    check_refused(folder / "%03d.jpg", r"%03d\.jpg stands for no picture")
    (folder / "00001.png").write_bytes(b"nothing")
    check_refused(folder / "*.png", r"00001\.png")


def test_which_names_are_meant(tmp_path):
    assert is_sequence("a/%05d.png")
    assert is_sequence("a/f%d.jpg")
    assert not is_sequence("a%d/b.png")
    assert not is_sequence("100%.png")
    assert is_pattern("a/*.png")
    (tmp_path / "[1].png").touch()
    assert not is_pattern(tmp_path / "[1].png")
    assert is_video_target(tmp_path / "a.GIF")
    assert not is_video_target(tmp_path / "a.png")


def test_frames_are_not_kept(tmp_path):
    """Arrays of Python alone: libav's own memory is counted by benchmarks/video.py.

    Of each frame its time is known beforehand, which takes 50 to 100 bytes; its pixels take 57,600.
    """
    peaks = []
    for count in (150, 600):
        source = make(tmp_path / f"{count}.mp4", times=range(count), size=(160, 120), sounds=())
        tracemalloc.start()
        stylize_video(source, tmp_path / "b.mp4", same, overwrite=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 450 * 200
