"""Video: a part of it, another rhythm, another codec."""

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import FRAMES, RATE, check_refused, left_over, make, quadrants, read, same

from sakuga.errors import UsageError
from sakuga.video import VideoOptions, stylize_video
from sakuga.video.timed_frames import TimedFrame, resample, ticks_for


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", Fraction(3, 2)), (".5", Fraction(1, 2)), ("1:30", 90), ("1:02:03.25", Fraction(14893, 4))],
)
def test_times(text, seconds):
    assert VideoOptions(start=text).begin == seconds  # 1:02:03.25 is 3723.25 s


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        *(("24", 24), ("12.5", Fraction(25, 2)), ("1/2", Fraction(1, 2)), ("30000/1001", Fraction(30000, 1001))),
        *(("29.97", Fraction(30000, 1001)), ("23.976", Fraction(24000, 1001)), ("59.94", Fraction(60000, 1001))),
    ],
)
def test_rates(text, rate):
    assert VideoOptions(fps=text).rate == rate


@pytest.mark.parametrize(
    ("options", "words"),
    [
        *(({"start": value}, "--start") for value in ("soon", "-1", "1:75", "9" * 11, "9" * 5000)),
        ({"duration": "0"}, "--duration"),
        *(({"fps": value}, "--fps") for value in ("0", "fast", "1/0")),
        *(({"crf": -1}, "--crf"), ({"crf": 64}, "--crf"), ({"crf": 52, "codec": "h264"}, "--crf")),
    ],
)
def test_values_that_cannot_be(options, words):
    with pytest.raises(UsageError, match=words) as caught:
        VideoOptions(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_a_part(tmp_path, name):
    """From 0.5 to 1.25 s of frames at i / 24 s: frames 12 (0.5 s) to 29 (1.2083 s)."""
    source, target = make(tmp_path / name, times=range(48)), tmp_path / "b.mp4"
    stylize_video(source, target, same, options=VideoOptions(start="0.5", duration="0.75", crf=1))
    before, after = read(source), read(target)
    origin = before.times[0] if name == "a.ts" else 0
    if name == "a.ts":  # its clock starts with the sound, a little before the pictures
        origin = min(before.times[0], before.sounds[0][0][0])
    inside = [i for i, t in enumerate(before.times) if 0.5 <= t - origin < 1.25]
    assert len(inside) == 18
    assert [float(t) for t in after.times] == pytest.approx(
        [float(before.times[i] - origin) - 0.5 for i in inside], abs=0.002
    )
    assert after.length == pytest.approx(0.75, abs=1 / RATE)
    for i, frame in zip(inside, after.frames, strict=True):
        distances = [np.abs(frame.astype(int) - each).mean() for each in before.frames]
        assert np.argmin(distances) == i
    sounds = [(t, data) for t, data in before.sounds[0] if 0.5 <= t - origin < 1.25]
    assert len(after.sounds[0]) == len(sounds)
    for old, new in zip(sounds, after.sounds[0], strict=True):
        assert float(new[0]) == pytest.approx(float(old[0] - origin) - 0.5, abs=0.002)
        assert old[1].endswith(new[1])


def test_a_part_far_behind_is_sought_and_exact(tmp_path):
    """Key frames lie 250 frames apart; frame 400 is 16.67 s from the beginning, its key frame at 10.42 s."""
    source, target = make(tmp_path / "a.mp4", times=range(500), sounds=()), tmp_path / "b.mp4"
    stylize_video(source, target, lambda rgb: rgb, options=VideoOptions(start="16.66", duration="0.2"))
    before, after = read(source), read(target)
    first = next(i for i, t in enumerate(before.times) if t >= Fraction("16.66"))
    assert first == 400
    assert [t - after.times[0] for t in after.times] == [t - before.times[first] for t in before.times[400:405]]
    assert np.abs(after.frames[0].astype(int) - before.frames[400]).mean() < 2


@pytest.mark.parametrize("source_name", ["a.mkv", "a.mp4"])
def test_start_behind_the_end(tmp_path, source_name):
    source = make(tmp_path / source_name)
    with pytest.raises(UsageError, match=r"--start 5 lies behind the end of .*a\.m.*1\.0"):
        stylize_video(source, tmp_path / "b.mp4", same, options=VideoOptions(start="5"))
    assert left_over(tmp_path) == {source_name}


def test_subtitles_are_cut_too(tmp_path):
    """The text lasts from 0 to 0.5 s: of it 0.25 s are left."""
    source, target = make(tmp_path / "a.mkv", subtitles="subrip"), tmp_path / "b.mkv"
    stylize_video(source, target, same, options=VideoOptions(start="0.25"))
    with av.open(str(target)) as reader:
        found = [(p.pts * p.time_base, p.duration * p.time_base) for p in reader.demux(subtitles=0) if p.size]
    assert found == [(0, Fraction(1, 4))]
    stylize_video(source, target, same, overwrite=True, options=VideoOptions(start="0.6"))
    with av.open(str(target)) as reader:
        assert not [p for p in reader.demux(subtitles=0) if p.size]


def test_resampling_takes_the_nearest_frame():
    """Frames at 0, 10, ... 90 ms of 10 ms; beats of 25 ms at 0, 25, 50, 75; of 20 and 30 the later one is for 25."""
    frames = [TimedFrame(i, 10 * i, 10) for i in range(10)]
    assert ticks_for(Fraction(40)) == Fraction(1, 1000)
    found = list(resample(frames, Fraction(1, 1000), Fraction(40)))
    assert [(s.image, s.pts, s.duration) for s in found] == [(0, 0, 25), (3, 25, 25), (5, 50, 25), (8, 75, 25)]


def test_resampling_of_a_variable_rate_that_starts_late():
    """Frames at 100, 110, 300 ms (the last for 100 ms), 20 beats a second: 100: a, 150: b, 200: b, 250: c, 300, 350."""
    frames = [TimedFrame("a", 100, 10), TimedFrame("b", 110, 190), TimedFrame("c", 300, 100)]
    found = list(resample(frames, Fraction(1, 1000), Fraction(20)))
    assert "".join(s.image for s in found) == "abbccc"
    assert [s.pts * ticks_for(Fraction(20)) * 1000 for s in found] == [100, 150, 200, 250, 300, 350]


@pytest.mark.parametrize("fps", ["12", "29.97", "60"])
def test_fps(tmp_path, fps):
    source, target, seen = make(tmp_path / "a.mp4"), tmp_path / "b.mp4", []
    stylize_video(source, target, lambda rgb: (seen.append(1), rgb)[1], options=VideoOptions(fps=fps))
    before, after = read(source), read(target)
    rate = VideoOptions(fps=fps).rate
    assert len(after.times) == np.ceil(rate)  # of a second: 30 at 29.97
    assert after.times == [i / rate for i in range(len(after.times))]
    assert len(seen) == min(FRAMES, len(after.times)), "no frame is painted twice"
    assert after.length == pytest.approx(1, abs=float(1 / rate))
    assert after.sounds == before.sounds


@pytest.mark.parametrize(
    ("codec", "suffix", "name"),
    [
        (None, ".webm", "vp9"),
        *(("h265", suffix, "hevc") for suffix in (".mp4", ".mkv")),
        *(("vp9", suffix, "vp9") for suffix in (".mp4", ".webm")),
        *(("av1", suffix, "libdav1d") for suffix in (".mp4", ".mkv", ".webm")),
    ],
)
def test_codecs(tmp_path, codec, suffix, name):
    """Over a segment's end, with the decoding times that the container wants."""
    source = make(tmp_path / "a.mkv", times=range(130), sounds=("libopus",))
    targets = [tmp_path / f"b{i}{suffix}" for i in range(2)]
    for target in targets:
        stylize_video(source, target, same, options=VideoOptions(codec=codec))
    before, after = read(source), read(targets[0])
    assert after.stream["codec"] == name
    assert [float(t) for t in after.times] == pytest.approx([float(t) for t in before.times], abs=0.0011)
    assert np.abs(after.frames[125].astype(int) - quadrants(shade=125)).mean() < 6
    assert [data for _, data in after.sounds[0]] == [data for _, data in before.sounds[0]]
    assert [f.tobytes() for f in read(targets[1]).frames] == [f.tobytes() for f in after.frames]


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_odd_sizes_in_every_codec(tmp_path, codec):
    source = make(tmp_path / "a.mp4", size=(67, 65), pix_fmt="yuv444p", sounds=(), times=range(3))
    stylize_video(source, tmp_path / "b.mkv", same, options=VideoOptions(codec=codec))
    assert read(tmp_path / "b.mkv").frames[0].shape == (65, 67, 3)


def test_crf(tmp_path):
    source = make(tmp_path / "a.mp4", size=(320, 240), sounds=())
    noise = np.random.default_rng(0).integers(0, 60, (240, 320, 3), np.uint8)
    sizes = []
    for crf in (5, 40):
        target = tmp_path / f"b{crf}.mp4"
        stylize_video(source, target, lambda rgb: rgb // 2 + noise, options=VideoOptions(crf=crf))
        sizes.append(target.stat().st_size)
    assert sizes[0] > 4 * sizes[1]


@pytest.mark.parametrize(
    ("options", "target", "words"),
    [
        (VideoOptions(codec="h264"), "b.webm", "--codec vp9 or av1"),
        (VideoOptions(codec="h265"), "b.gif", "--codec"),
        (VideoOptions(crf=20), "%03d.png", "--crf"),
        (VideoOptions(crf=60), "b.mp4", "--crf.*51"),
    ],
)
def test_options_that_do_not_fit_the_result(tmp_path, options, target, words):
    check_refused(make(tmp_path / "a.mp4"), words, target, UsageError, options=options)
