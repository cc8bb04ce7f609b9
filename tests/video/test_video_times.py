"""Video: every frame once, in order and at its own time."""

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import FRAMES, QUADRANTS, check_same_times_and_sound, invert, make, quadrants, read, same

from sakuga.video import VideoOptions, stylize_video


def test_every_frame_is_painted_once_in_order_and_keeps_its_time(tmp_path):
    source, target = make(tmp_path / "a.mp4"), tmp_path / "b.mp4"
    seen = []

    def paint(rgb):
        assert rgb.shape == (48, 64, 3)
        assert rgb.dtype == np.uint8
        seen.append(int(rgb[4, 4, 0]) - QUADRANTS[0][0])
        return 255 - rgb

    stylize_video(source, target, paint)
    before, after = check_same_times_and_sound(source, target)
    np.testing.assert_allclose(seen, range(FRAMES), atol=2)  # make() brightens frame i by i
    assert len(after.times) == FRAMES
    assert len(after.sounds) == 1
    assert after.stream | {"codec": "h264", "size": (64, 48), "pix_fmt": "yuv420p", "range": 1} == after.stream
    assert after.stream["time_base"] == before.stream["time_base"]
    for i, frame in enumerate(after.frames):
        wanted = 255 - quadrants(shade=i).astype(int)
        assert np.abs(frame.astype(int) - wanted).mean() < 4, f"frame {i} is not the painted one"


def test_more_frames_than_the_encoder_holds_back(tmp_path):
    source, target = make(tmp_path / "a.mp4", times=range(100), sounds=()), tmp_path / "b.mp4"
    stylize_video(source, target, same)
    check_same_times_and_sound(source, target)
    with av.open(str(target)) as reader:
        assert any(packet.pts != packet.dts for packet in reader.demux(video=0) if packet.size)


def test_variable_frame_rate(tmp_path):
    times = [0, 1, 2, 10, 11, 40, 41, 100, 333, 334, 335, 600]
    scale = {"video_track_timescale": "600"}
    source = make(tmp_path / "a.mp4", times=times, time_base=Fraction(1, 600), sounds=(), muxing=scale)
    target = tmp_path / "b.mp4"
    stylize_video(source, target, same)
    # Its last frame is given the mean, 30; libav reads 361 of it.
    _, after = check_same_times_and_sound(source, target, length=630 / 600)
    assert [t * 600 for t in after.times] == times
    assert after.stream["time_base"] == Fraction(1, 600)


@pytest.mark.parametrize("delay", [0.5, 3])
def test_a_late_start_stays_late(tmp_path, delay):
    source, target = make(tmp_path / "a.mp4", delay=delay), tmp_path / "b.mp4"
    stylize_video(source, target, same)
    before, _ = check_same_times_and_sound(source, target)
    assert float(before.times[0]) == delay


def test_sound_that_starts_before_zero(tmp_path):
    """Encoders put silence before the first sample; MP4 and its readers count it as negative time."""
    source = make(tmp_path / "a.mp4")
    before = read(source)
    assert before.sounds[0][0][0] < 0, "the clip does not test what it is meant to"
    stylize_video(source, tmp_path / "b.mp4", same)
    check_same_times_and_sound(source, tmp_path / "b.mp4")


def test_the_clock_of_a_transport_stream_is_made_to_start_at_zero(tmp_path):
    source, target = make(tmp_path / "a.ts", delay=7), tmp_path / "b.mp4"
    stylize_video(source, target, same)
    before, after = read(source), read(target)
    assert before.times[0] >= 7
    starts = min(before.times[0], before.sounds[0][0][0])
    assert [float(t) for t in after.times] == pytest.approx([float(t - starts) for t in before.times], abs=1e-4)
    for old, new in zip(before.sounds[0], after.sounds[0], strict=True):
        assert float(new[0]) == pytest.approx(float(old[0] - starts), abs=1e-4)
        assert old[1].endswith(new[1])  # MP4 keeps the same AAC without its ADTS header


def test_avi_without_timestamps_into_mkv(tmp_path):
    source = make(tmp_path / "a.avi", video="mpeg4", sounds=("mp3",))
    target = tmp_path / "b.mkv"
    stylize_video(source, target, same)
    before, after = read(source), read(target)
    assert len(after.times) == len(before.frames) == FRAMES
    assert [float(t) for t in after.times] == pytest.approx([float(t) for t in before.times], abs=0.0006)
    assert [data for _, data in after.sounds[0]] == [data for _, data in before.sounds[0]]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_progress(tmp_path, suffix):
    calls = []
    stylize_video(
        make(tmp_path / f"a{suffix}", sounds=()), tmp_path / "b.mp4", same, progress=lambda *call: calls.append(call)
    )
    assert calls == [(i + 1, FRAMES) for i in range(FRAMES)]


def test_the_same_input_gives_the_same_bytes(tmp_path):
    source = make(tmp_path / "a.mp4", size=(320, 240), times=range(40))
    results = {tmp_path / f"b{i}.mp4" for i in range(3)}
    for target in results:
        stylize_video(source, target, same)
    assert len({target.read_bytes() for target in results}) == 1


def test_in_place(tmp_path):
    source = make(tmp_path / "a.mp4")
    before = read(source)
    stylize_video(source, source, invert, overwrite=True)
    after = read(source)
    assert after.times == before.times
    assert np.abs(after.frames[0].astype(int) - (255 - quadrants())).mean() < 4


def test_a_recording_that_stands_still_at_its_end_is_as_long_in_an_mp4(tmp_path):
    """Its frames last very differently: 40 ms, and the last one but one two seconds."""
    source = make(tmp_path / "a.mkv", times=[0, 40, 80, 120, 2120], time_base=Fraction(1, 1000), sounds=())
    for codec in ("h264", "h265"):
        stylize_video(source, tmp_path / "b.mp4", same, options=VideoOptions(codec=codec), overwrite=True)
        assert read(tmp_path / "b.mp4").times == read(source).times
        assert read(tmp_path / "b.mp4").length == pytest.approx(2.16, abs=0.01)
