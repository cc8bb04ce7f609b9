"""`sakuga prepare frames` on films made here: 64x48 pixels, a frame or two a letter of the story."""

import wave
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from grown import spliced
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from sakuga.commands.prepare import main
from sakuga.errors import UsageError
from sakuga.prepare import frames as module
from sakuga.prepare.cuts import Cuts, Scene, distance, histogram
from sakuga.prepare.films import Film
from sakuga.prepare.frames import frames
from sakuga.prepare.hashes import distances, phash
from sakuga.prepare.letterbox import Bars, bars
from sakuga.prepare.manifest import read
from sakuga.prepare.quality import is_credits, sharpness

SIZE = (64, 48)


def scenery(seed, size=SIZE, low=40, high=220, fine=16):
    """A picture of soft and fine shapes, of another colour for every seed."""
    rng = np.random.default_rng(seed)
    layers = []
    for side in (4, fine):
        noise = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        layers.append(np.asarray(Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC), float))
    tint = rng.permutation([0.5, 0.8, 1.1])
    return np.clip(low + (high - low) / 255 * tint * (0.6 * layers[0] + 0.4 * layers[1]), 0, 255).astype(np.uint8)


def blurred(picture, radius):
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def film(path, pictures, *, rate=10, times=None, aspect=None, turn=0, sound=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w", options={"movflags": "faststart"} if path.suffix == ".mp4" else {}) as writer:
        codec, options = "libx264", {"crf": "12", "preset": "ultrafast", "g": "12"}
        if path.suffix == ".webm":
            codec, options = "libvpx-vp9", {"crf": "12", "cpu-used": "8", "g": "12"}
        stream = writer.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if turn:
            stream.set_display_rotation(turn)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = times[i] if times else i * 1000 // rate, Fraction(1, 1000)
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode())
    return path


def rows(out):
    """(target, kept, why without what is in brackets) of everything but the recipe."""
    return [(r.target, r.kept, r.why.partition(" (")[0]) for source, rs in read(out).items() if source for r in rs]


def kept(out):
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.suffix in (".png", ".jpg"))


def numbers(out):
    return [int(Path(name).stem.rpartition("-")[2]) for name in kept(out)]


def test_one_of_every_scene(tmp_path):
    # Cuts before 12 and 24, and one sharp frame in each scene; the first frame of a film is as good as any.
    story = [blurred(scenery(n // 12), 0 if n in (5, 20, 31) else 0.8) for n in range(36)]
    path = film(tmp_path / "in" / "Ünïcødé 写真 (1).mp4", story)
    assert frames([path], output=tmp_path / "out", per_scene=1) == 0
    assert kept(tmp_path / "out") == [f"Ünïcødé 写真 (1)-{n:06d}.png" for n in (5, 20, 31)]
    for n in (5, 20, 31):
        found = np.asarray(Image.open(tmp_path / "out" / f"Ünïcødé 写真 (1)-{n:06d}.png"), float)
        assert np.abs(found - story[n]).mean() < 6  # the right picture, but for H.264 and halved colours


def test_two_of_a_scene_are_of_its_two_halves(tmp_path):
    wide = scenery(0, (128, 48))
    path = film(tmp_path / "pan.mp4", [wide[:, n : n + 64] for n in range(30)])
    assert frames([path], output=tmp_path / "out", per_scene=2, similar=-1) == 0
    first, second = numbers(tmp_path / "out")
    # 30 frames fill 15 stretches of 2 (16 of 1 were joined): the halves are 8 and 7 stretches, frames 0-15 and 16-29.
    assert first < 16 <= second


def test_what_is_left_out_and_why(tmp_path):
    night = scenery(3, low=0, high=90, fine=48)
    story = {
        "good": scenery(0, fine=48),
        "black": np.full((48, 64, 3), 4, np.uint8),
        "night": night,
        "blurred": blurred(scenery(1, fine=48), 4),
        "white": np.full((48, 64, 3), 250, np.uint8),
        "again": scenery(0, fine=48),
        "other": scenery(2, fine=48),
    }
    path = film(tmp_path / "film.mp4", [picture for picture in story.values() for _ in range(10)])
    assert frames([path], output=tmp_path / "out", per_scene=1) == 0
    whys = [(kept, why) for _, kept, why in rows(tmp_path / "out")]
    assert whys == [
        ("yes", ""),
        ("no", "black"),
        ("yes", "night"),
        ("no", "blurred"),
        ("no", "white"),
        ("no", "like an earlier frame"),
        ("yes", ""),
    ]
    assert [n // 10 for n in numbers(tmp_path / "out")] == [0, 2, 6]


def test_limits_can_be_lifted(tmp_path):
    story = [scenery(0, fine=48), blurred(scenery(1, fine=48), 4), scenery(0, fine=48)]
    path = film(tmp_path / "film.mp4", [picture for picture in story for _ in range(10)])
    assert main(["frames", str(path), "-o", str(tmp_path / "out"), "--per-scene", "1", "--blur", "0"]) == 0
    assert [n // 10 for n in numbers(tmp_path / "out")] == [0, 1]
    assert main(["frames", str(path), "-o", str(tmp_path / "all"), "--per-scene", "1", "--similar", "-1"]) == 0
    assert [n // 10 for n in numbers(tmp_path / "all")] == [0, 2]


def test_bars_are_cut_off(tmp_path):
    story = []
    for n in range(24):
        picture = scenery(n // 12)
        picture[:8] = picture[-8:] = 0
        story.append(picture)
    path = film(tmp_path / "film.mp4", story)
    frames([path], output=tmp_path / "out", per_scene=1)
    for name in kept(tmp_path / "out"):
        assert Image.open(tmp_path / "out" / name).size == (64, 32)


@pytest.mark.parametrize(("aspect", "turn", "expected"), [(Fraction(2), 0, (128, 48)), (None, 90, (48, 64))])
def test_pixels_are_square_and_upright(tmp_path, aspect, turn, expected):
    path = film(tmp_path / "film.mp4", [scenery(0)] * 10, aspect=aspect, turn=turn)
    frames([path], output=tmp_path / "out", per_scene=1)
    picture = Image.open(tmp_path / "out" / kept(tmp_path / "out")[0])
    assert picture.size == expected
    shown = Image.fromarray(np.rot90(scenery(0), turn // 90)).resize(expected)  # FFmpeg turns counter-clockwise
    assert np.abs(np.asarray(picture, float) - np.asarray(shown, float)).mean() < 8


def test_size_reduces_and_does_not_enlarge(tmp_path):
    path = film(tmp_path / "film.mp4", [scenery(0)] * 10)
    frames([path], output=tmp_path / "small", per_scene=1, size=24, format="jpg")
    frames([path], output=tmp_path / "same", per_scene=1, size=480)
    # 24 / 48 of 64 x 48
    assert [Image.open(tmp_path / "small" / name).size for name in kept(tmp_path / "small")] == [(32, 24)]
    assert [Image.open(tmp_path / "same" / name).size for name in kept(tmp_path / "same")] == [(64, 48)]
    assert Image.open(tmp_path / "small" / kept(tmp_path / "small")[0]).format == "JPEG"


def test_goes_on_with_the_film_it_was_stopped_in(tmp_path, monkeypatch, capsys):
    for name in "abc":
        film(tmp_path / "in" / f"{name}.mp4", [scenery(ord(name))] * 10)
    before = {path: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    read_films = []

    class Stopped(Film):
        def __init__(self, path):
            read_films.append(path.name)
            if path.name == "b.mp4" and read_films.count("b.mp4") == 1:
                (tmp_path / "out" / ".sakuga-0123456789ab.png").write_bytes(b"half")
                raise KeyboardInterrupt
            super().__init__(path)

    monkeypatch.setattr(module, "Film", Stopped)
    with pytest.raises(KeyboardInterrupt):
        frames([tmp_path / "in"], output=tmp_path / "out", per_scene=1)
    with (tmp_path / "out" / "manifest.csv").open("a") as file:
        file.write("../in/b.mp4,b-0000")  # as a kill leaves it
    assert frames([tmp_path / "in"], output=tmp_path / "out", per_scene=1) == 0
    assert read_films == ["a.mp4", "b.mp4", "b.mp4", "c.mp4"]
    assert [name[0] for name in kept(tmp_path / "out")] == ["a", "b", "c"]
    assert capsys.readouterr().out.endswith("2 kept, 0 dropped, 1 done before, 0 failed\n")
    assert {path: path.read_bytes() for path in (tmp_path / "in").iterdir()} == before
    assert not list((tmp_path / "out").glob(".sakuga-*"))


def test_films_of_one_name(tmp_path):
    for folder in ("one", "two"):
        film(tmp_path / "in" / folder / "film.mp4", [scenery(len(folder) + ord(folder[0]))] * 10)
    film(tmp_path / "in" / "two" / "film.mkv", [scenery(9)] * 10)
    assert frames([tmp_path / "in"], output=tmp_path / "out", per_scene=1) == 0
    names = [
        Path(name).parent.as_posix() + "/" + name.split("/")[1].rpartition("-")[0] for name in kept(tmp_path / "out")
    ]
    assert names == ["one/film", "two/film.mkv", "two/film.mp4"]


def test_variable_frame_rate_and_one_frame(tmp_path):
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.integers(10, 400, 24)).tolist()
    film(tmp_path / "in" / "vfr.mkv", [scenery(n // 12) for n in range(24)], times=times)
    film(tmp_path / "in" / "one.mp4", [scenery(5)])
    assert frames([tmp_path / "in"], output=tmp_path / "out", per_scene=1) == 0
    assert [name.rpartition("-")[0] for name in kept(tmp_path / "out")] == ["one", "vfr", "vfr"]


def test_a_broken_film_gives_what_came(tmp_path, capsys):
    path = film(tmp_path / "film.mp4", [scenery(n // 12) for n in range(48)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert frames([path], output=tmp_path / "out", per_scene=1) == 1
    assert 1 <= len(kept(tmp_path / "out")) <= 3
    told = capsys.readouterr()
    assert str(path) in told.err
    assert "get a whole copy" in told.err
    film(path, [scenery(n // 12) for n in range(48)])  # a whole one in its place is read
    assert frames([path], output=tmp_path / "out", per_scene=1) == 0
    assert [n // 12 for n in numbers(tmp_path / "out")] == [0, 1, 2, 3]


@pytest.mark.parametrize("size", [(160, 120), (96, 40)])
@pytest.mark.parametrize("suffix", [".webm", ".ts"])
def test_a_film_whose_frames_change_their_size(tmp_path, capsys, suffix, size):
    """What came before is kept; recordings that were joined do it, and black bars are those of their size."""
    first = scenery(0)
    first[:8] = first[-8:] = 0
    parts = [film(tmp_path / f"0{suffix}", [first] * 12), film(tmp_path / f"1{suffix}", [scenery(1, size)] * 12)]
    source = spliced(tmp_path / f"film{suffix}", parts)
    status = frames([source], output=tmp_path / "out", per_scene=1, blur=0)
    sizes = {Image.open(tmp_path / "out" / name).size for name in kept(tmp_path / "out")}
    told = capsys.readouterr().err
    if suffix == ".ts":
        assert (status, told) == (0, "")
        assert sizes == {(64, 32), size}
    else:
        assert status == 1
        assert f"the frames of {source} change their size at 1.2 s: ffmpeg -i IN OUT.mp4 brings them" in told
        assert sizes == {(64, 32)}


def test_what_is_no_film_costs_no_other(tmp_path, capsys):
    folder = tmp_path / "Ünïcødé 写真 (1)"
    film(folder / "good.mp4", [scenery(0)] * 10)
    (folder / "text.mp4").write_text("no film")
    (folder / "empty.mp4").touch()
    with wave.open(str(folder / "sound.avi"), "wb") as sound:  # RIFF, but of sound alone
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0" * 8000)
    assert main(["frames", str(folder), "-o", str(tmp_path / "out")]) == 1
    assert [name.rpartition("-")[0] for name in kept(tmp_path / "out")] == ["good"]
    told = capsys.readouterr()
    assert told.err.count("sakuga: ") == 3
    for name in ("text.mp4 is not a video", "sound.avi is not a video", "empty.mp4"):
        assert name in told.err
    assert "3 failed" in told.out
    assert "Traceback" not in told.err


def test_wrong_usage(tmp_path):
    path = film(tmp_path / "film.mp4", [scenery(0)] * 3)
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    for films, options, text in (
        ([tmp_path / "none.mp4"], {}, "does not exist"),
        ([tmp_path / "empty"], {}, "No video found"),
        ([], {}, "No video found"),
        ([path], {"per_scene": 0}, "at least 1"),
        ([path], {"size": 0}, "at least 1"),
    ):
        with pytest.raises(UsageError, match=text):
            frames(films, output=out, **options)
    assert not out.exists()
    with pytest.raises(UsageError, match="holds files already"):
        frames([path], output=tmp_path)
    assert frames([path], output=out) == 0
    with pytest.raises(UsageError, match="was made by `frames per-scene=2 "):
        frames([path], output=out, size=24)
    assert frames([path], output=out, size=24, overwrite=True) == 0
    assert min(Image.open(out / kept(out)[0]).size) == 24


def test_histogram_distance():
    black, white = np.zeros((3, 8, 8), np.uint8), np.full((3, 8, 8), 255, np.uint8)
    assert histogram(black).sum(1) == pytest.approx([1, 1, 1])
    assert distance(histogram(black), histogram(white)) == pytest.approx(1)
    # Smoothed over 25 levels, an even area 5 levels brighter keeps 20/25 of its histogram.
    assert distance(histogram(black), histogram(black + 5)) == pytest.approx(5 / 25)


def test_cuts_of_dissolves_but_not_of_flashes():
    one, other = (scenery(seed).transpose(2, 0, 1) for seed in (0, 1))
    dissolve = [one] * 10 + [(one * (1 - t) + other * t).astype(np.uint8) for t in np.linspace(0, 1, 40)] + [other] * 10
    cuts = Cuts()
    begins = [n for n, picture in enumerate(dissolve) if cuts(picture)]
    assert begins
    assert all(10 < n <= 51 for n in begins)
    cuts = Cuts()
    flash = [one] * 20 + [np.full_like(one, 255)] * 2 + [one] * 20
    assert sum(map(cuts, flash)) <= 1  # the way back is less than the shortest scene


def test_a_scene_keeps_the_sharpest_of_equal_stretches():
    scene = Scene()
    for n in range(100):
        scene.add(n % 8, n)
    # 16 stretches hold 16, 32, 64, 128 frames as they double: after 100 they are 13 of 8; the sharpest is 8k + 7.
    assert [shot.frame for shot in scene.shots] == [*range(7, 96, 8), 99]
    assert len(scene.best(2)) == 2
    assert scene.best(200)[0].frame == 7
    assert Scene().best(2) == []


def test_sharpness_is_the_variance_of_the_laplacian():
    # Of a lone 10 the 3x3 inner Laplacian is -40 in the middle, 10 at 4 sides, 0 at corners: mean 0, variance 2000 / 9.
    grey = np.zeros((5, 5), np.uint8)
    grey[2, 2] = 10
    assert sharpness(grey) == pytest.approx(2000 / 9)
    assert sharpness(np.zeros((1, 1), np.uint8)) == 0


def test_phash():
    grey = scenery(0, (320, 240))[..., 1]
    hashed = phash(grey)
    small = np.asarray(Image.fromarray(grey).resize((100, 60)))
    near, far = distances(hashed, np.array([phash(small), phash(scenery(1, (320, 240))[..., 1])]))
    assert near <= 4
    assert far >= 16
    # Half of the 64 waves are above their median.
    assert bin(int(hashed)).count("1") == 32
    assert distances(np.uint64(0b1011), np.array([0, 0b1011, 2**64 - 1], np.uint64)).tolist() == [3, 0, 61]
    assert phash(np.full((40, 30), 77, np.uint8)) == 0


def test_bars_come_in_pairs():
    picture = scenery(0)[..., 1]
    boxed = picture.copy()
    boxed[:8], boxed[-9:] = 5, 5
    assert bars(boxed) == Bars(8, 9, 0, 0)
    assert bars(boxed.T.copy()) == Bars(0, 0, 8, 9)
    dark_top = picture.copy()
    dark_top[:20] = 0
    assert bars(dark_top) == Bars()
    assert bars(np.zeros((8, 8), np.uint8)) == Bars()
    subtitled, night = boxed.copy(), np.zeros_like(boxed)
    subtitled[-5:-2, 20:40] = 255
    night[20:30, 20:40] = 200
    assert bars(boxed, boxed, boxed, subtitled, night) == Bars(8, 9, 0, 0)


def written(lines, size, ground=(0, 0, 0), ink=(255, 255, 255)):
    image = Image.new("RGB", (426, 240), ground)
    text, font = "\n".join(lines), ImageFont.load_default(size)
    ImageDraw.Draw(image).multiline_text((213, 120), text, ink, font, anchor="mm", align="center")
    return np.asarray(image.convert("L"))


def test_credits():
    roll = ["Directed by", "Aiko Tanaka", "", "Animation", "Kenji Sato  Yuri Mori", "Naoki Abe  Emi Kubo"]
    for size in (8, 12, 16):
        assert is_credits(written(roll, size))
        assert is_credits(written(roll, size, ground=(20, 30, 80), ink=(250, 240, 200)))
    assert is_credits(np.rot90(written(roll, 12)))
    stars = np.zeros((240, 426), np.uint8)
    rng = np.random.default_rng(0)
    stars[rng.integers(0, 240, 400), rng.integers(0, 426, 400)] = 255
    window = np.zeros((240, 426), np.uint8)
    window[80:160, 100:200] = 230
    for picture in (stars, window, scenery(0, (426, 240))[..., 1], written(roll, 12, (255, 255, 255), (0, 0, 0))):
        assert not is_credits(picture)


def test_real_films(shared_data, tmp_path):
    films = shared_data / "video"
    if not (films / "bikes.mp4").exists():
        pytest.skip("no film there")
    frames([films / "bikes.mp4"], output=tmp_path / "out", per_scene=1)
    # Its cuts, seen by eye, are before frames 30, 76, 137, 187 and 242.
    found = numbers(tmp_path / "out")
    edges = [0, 30, 76, 137, 187, 242, 250]
    assert [sum(a <= n < b for n in found) for a, b in pairwise(edges)] == [1] * 6
