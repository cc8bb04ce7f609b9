"""Video: clips are made by PyAV in a temporary folder and read back with it."""

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sakuga.errors import SakugaError, UsageError
from sakuga.video import CONTAINERS, SUFFIXES, stylize_video

FRAMES, RATE, SOUND_RATE = 24, 24, 48000
QUADRANTS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (180, 180, 60)]  # upper left, upper right, lower left, ...
BT709, BT601 = 1, 6


def quadrants(height=48, width=64, shade=0):
    """Four coloured quarters: tells how a picture lies and which matrix it was coded with."""
    rgb = np.empty((height, width, 3), np.uint8)
    for (y, x), colour in zip(((0, 0), (0, 1), (1, 0), (1, 1)), QUADRANTS, strict=True):
        rgb[y * height // 2 : (y + 1) * height // 2, x * width // 2 : (x + 1) * width // 2] = colour
    return rgb + np.uint8(shade)


def make(
    path,
    *,
    times=range(FRAMES),
    time_base=Fraction(1, RATE),
    size=(64, 48),
    video="libx264",
    sounds=("aac",),
    matrix=BT601,
    full_range=False,
    pix_fmt="yuv420p",
    turn=None,
    aspect=None,
    subtitles=None,
    muxing=None,
    delay=0,
):
    """Write a clip with frames at the ticks `times`, and a tone on each sound track; `delay` shifts all, in seconds."""
    with av.open(str(path), "w", container_options=muxing or {}) as out:
        picture = out.add_stream(video, rate=RATE)
        picture.width, picture.height = size
        picture.pix_fmt = pix_fmt
        context = picture.codec_context
        picture.time_base = context.time_base = time_base
        context.colorspace, context.color_range = matrix, 2 if full_range else 1
        if video == "libx264":
            context.options = {"crf": "1", "bf": "2"}
        if aspect:
            context.sample_aspect_ratio = aspect
        if turn:
            picture.set_display_rotation(turn)
        tracks = [out.add_stream(codec, rate=SOUND_RATE, options={"strict": "-2"}) for codec in sounds]
        for i, track in enumerate(tracks):
            track.metadata["language"] = ("jpn", "eng", "fra")[i]
        texts = out.add_mux_stream(subtitles) if subtitles else None
        last = None
        for i, tick in enumerate(times):
            rgb = av.VideoFrame.from_ndarray(quadrants(size[1], size[0], i), format="rgb24")
            rgb.colorspace = matrix
            frame = rgb.reformat(format=pix_fmt, dst_color_range=2 if full_range else 1)
            frame.pts, frame.time_base = tick + round(delay / time_base), time_base
            out.mux(picture.encode(frame))
            last = tick
        out.mux(picture.encode())
        seconds = float((last + 1) * time_base)
        for number, track in enumerate(tracks):
            for begin in range(0, int(seconds * SOUND_RATE), 1024):
                phase = np.arange(begin, begin + 1024) * 2 * np.pi * (440 + 110 * number) / SOUND_RATE
                wave = (np.sin(phase) * 0.3).astype(np.float32)
                tone = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
                tone.sample_rate, tone.time_base = SOUND_RATE, Fraction(1, SOUND_RATE)
                tone.pts = begin + round(delay * SOUND_RATE)
                out.mux(track.encode(tone))
            out.mux(track.encode())
        if texts:
            packet = av.Packet(b"hello")
            packet.pts = packet.dts = 0
            packet.duration, packet.time_base, packet.stream = 500, Fraction(1, 1000), texts
            out.mux(packet)
    return path


@dataclass
class Clip:
    """What a file holds; times in seconds."""

    times: list
    frames: list
    length: float | None
    sounds: list
    stream: dict


def read(path):
    times, frames, sounds = [], [], {}
    with av.open(str(path)) as reader:
        video = reader.streams.video[0]
        context = video.codec_context
        stream = {
            "codec": context.name,
            "size": (context.width, context.height),
            "pix_fmt": context.pix_fmt,
            "matrix": context.colorspace,
            "range": context.color_range,
            "aspect": video.sample_aspect_ratio,
            "time_base": video.time_base,
            "languages": [track.language for track in reader.streams.audio],
            "subtitles": [track.codec_context.name for track in reader.streams.subtitles],
        }
        length = None if video.duration is None else float(video.duration * video.time_base)
        for packet in reader.demux():
            if packet.stream is video:
                for frame in packet.decode():
                    times.append(frame.pts * frame.time_base)
                    frames.append(frame.to_ndarray(format="rgb24"))
                    stream["turn"] = frame.rotation
            elif packet.stream.type == "audio" and packet.size:
                sounds.setdefault(packet.stream_index, []).append((packet.pts * packet.time_base, bytes(packet)))
    return Clip(times, frames, length, list(sounds.values()), stream)


def same(rgb):
    return rgb


def invert(rgb):
    return 255 - rgb


def check_same_times_and_sound(source, target):
    before, after = read(source), read(target)
    assert len(before.times) == len(after.times) > 0
    assert after.times == before.times
    assert after.length == pytest.approx(before.length, abs=1 / RATE)
    assert after.sounds == before.sounds
    return before, after


def left_over(folder):
    return {path.name for path in folder.iterdir()}


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


def test_no_sound(tmp_path):
    source, target = make(tmp_path / "a.mp4", sounds=()), tmp_path / "b.mp4"
    stylize_video(source, target, invert)
    _, after = check_same_times_and_sound(source, target)
    assert after.sounds == []


def test_all_sound_tracks_with_their_languages(tmp_path):
    source, target = make(tmp_path / "a.mkv", sounds=("aac", "mp3", "ac3")), tmp_path / "b.mp4"
    stylize_video(source, target, same)
    before, after = read(source), read(target)
    assert len(after.sounds) == 3
    assert [[data for _, data in track] for track in after.sounds] == [[d for _, d in track] for track in before.sounds]
    assert after.stream["languages"] == ["jpn", "eng", "fra"]


def test_variable_frame_rate(tmp_path):
    times = [0, 1, 2, 10, 11, 40, 41, 100, 333, 334, 335, 600]
    scale = {"video_track_timescale": "600"}
    source = make(tmp_path / "a.mp4", times=times, time_base=Fraction(1, 600), sounds=(), muxing=scale)
    target = tmp_path / "b.mp4"
    stylize_video(source, target, same)
    _, after = check_same_times_and_sound(source, target)
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


@pytest.mark.parametrize("sound", ["libopus", "vorbis"])
def test_webm_into_mp4(tmp_path, sound):
    source = make(
        tmp_path / "a.webm", video="libvpx", sounds=(sound,), time_base=Fraction(1, 1000), times=range(0, 960, 40)
    )
    target = tmp_path / "b.mp4"
    stylize_video(source, target, invert)
    before, after = read(source), read(target)
    assert after.times == before.times
    assert [data for _, data in after.sounds[0]] == [data for _, data in before.sounds[0]]
    assert after.stream["codec"] == "h264"


def test_avi_without_timestamps_into_mkv(tmp_path):
    source = make(tmp_path / "a.avi", video="mpeg4", sounds=("mp3",))
    target = tmp_path / "b.mkv"
    stylize_video(source, target, same)
    before, after = read(source), read(target)
    assert len(after.times) == len(before.frames) == FRAMES
    assert [float(t) for t in after.times] == pytest.approx([float(t) for t in before.times], abs=0.0006)
    assert [data for _, data in after.sounds[0]] == [data for _, data in before.sounds[0]]


@pytest.mark.parametrize("suffix", sorted(CONTAINERS))
def test_each_container(tmp_path, suffix):
    source, target = make(tmp_path / "a.mp4"), tmp_path / f"b{suffix.upper()}"
    stylize_video(source, target, same)
    before, after = read(source), read(target)
    assert [float(t) for t in after.times] == pytest.approx([float(t) for t in before.times], abs=0.022)
    steps = np.diff([float(t) for t in after.times])
    np.testing.assert_allclose(steps, 1 / RATE, atol=0.0011)
    assert [data for _, data in after.sounds[0]] == [data for _, data in before.sounds[0]]
    gap = [float(clip.sounds[0][0][0] - clip.times[0]) for clip in (before, after)]
    assert gap[1] == pytest.approx(gap[0], abs=0.0011), "sound and picture have moved against each other"


def test_sound_that_does_not_fit_is_said_with_the_remedy(tmp_path):
    source = make(tmp_path / "a.mkv", sounds=("wavpack",))
    with pytest.raises(SakugaError, match=r"sound of .*a\.mkv \(wavpack\).*\.mp4.*-o b\.mkv") as caught:
        stylize_video(source, tmp_path / "b.mp4", same)
    assert "\n" not in str(caught.value)
    assert left_over(tmp_path) == {"a.mkv"}
    stylize_video(source, tmp_path / "b.mkv", same)
    assert [d for _, d in read(tmp_path / "b.mkv").sounds[0]] == [d for _, d in read(source).sounds[0]]


@pytest.mark.parametrize(("suffix", "kept"), [(".mkv", ["srt"]), (".mp4", [])])
def test_subtitles_where_the_container_holds_them(tmp_path, suffix, kept):
    source, target = make(tmp_path / "a.mkv", subtitles="subrip"), tmp_path / f"b{suffix}"
    assert read(source).stream["subtitles"] == ["srt"]
    stylize_video(source, target, same)
    assert read(target).stream["subtitles"] == kept
    if kept:
        with av.open(str(target)) as reader:
            assert [bytes(p) for p in reader.demux(subtitles=0) if p.size] == [b"hello"]


@pytest.mark.parametrize("size", [(63, 48), (64, 47), (63, 47), (2, 2), (17, 33)])
def test_exact_size(tmp_path, size):
    source, target = make(tmp_path / "a.mp4", size=size, pix_fmt="yuv444p", sounds=()), tmp_path / "b.mp4"
    stylize_video(source, target, same)
    _, after = check_same_times_and_sound(source, target)
    assert after.stream["size"] == size
    assert after.stream["pix_fmt"] == ("yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p")
    assert after.frames[0].shape == (size[1], size[0], 3)


@pytest.mark.parametrize(
    ("size", "max_side", "wanted"),
    [((64, 48), 32, (32, 24)), ((64, 48), 31, (30, 22)), ((48, 64), 40, (30, 40)), ((64, 48), 64, (64, 48))],
)
def test_max_side(tmp_path, size, max_side, wanted):
    source, target = make(tmp_path / "a.mp4", size=size, sounds=()), tmp_path / "b.mp4"
    shapes = set()

    def paint(rgb):
        shapes.add(rgb.shape)
        return rgb

    stylize_video(source, target, paint, max_side=max_side)
    assert read(target).stream["size"] == wanted
    assert shapes == {(wanted[1], wanted[0], 3)}


@pytest.mark.parametrize("turn", [90, -90, 180])
def test_rotated_video_is_painted_and_shown_upright(tmp_path, turn):
    source, target = make(tmp_path / "a.mp4", turn=turn, aspect=Fraction(4, 3), sounds=()), tmp_path / "b.mp4"
    before = read(source)
    assert before.stream["turn"] % 360 == turn % 360, "the clip does not test what it is meant to"
    upright = np.rot90(quadrants(), turn // 90)  # FFmpeg's rotation is counter-clockwise, as NumPy's
    seen = []

    def paint(rgb):
        seen.append(rgb)
        return rgb

    stylize_video(source, target, paint)
    after = read(target)
    assert np.abs(seen[0].astype(int) - upright).mean() < 4
    assert after.stream["turn"] == 0
    assert after.frames[0].shape == upright.shape
    assert np.abs(after.frames[0].astype(int) - upright).mean() < 4
    assert after.stream["aspect"] == (Fraction(4, 3) if turn == 180 else Fraction(3, 4))


@pytest.mark.parametrize("matrix", [BT709, BT601])
@pytest.mark.parametrize("full_range", [False, True])
def test_colours_are_converted_by_the_matrix_and_range_of_the_source(tmp_path, matrix, full_range):
    source = make(tmp_path / "a.mp4", matrix=matrix, full_range=full_range, sounds=())
    target = tmp_path / "b.mp4"
    seen = []

    def paint(rgb):
        seen.append(rgb)
        return rgb

    stylize_video(source, target, paint)
    after = read(target)
    assert (after.stream["matrix"], after.stream["range"]) == (matrix, 1)
    for y, x, colour in zip((10, 10, 36, 36), (14, 50, 14, 50), QUADRANTS, strict=True):  # away from the edges
        assert seen[0][y, x].astype(int) == pytest.approx(colour, abs=4)  # another matrix would be off by 10 to 20
        assert after.frames[0][y, x].astype(int) == pytest.approx(colour, abs=6)


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), BT601), ((64, 720), BT709)])
def test_an_unnamed_matrix_is_the_one_for_the_height_and_is_named_in_the_result(tmp_path, size, matrix):
    source = make(tmp_path / "a.mp4", size=size, matrix=2, times=range(2), sounds=())
    stylize_video(source, tmp_path / "b.mp4", same)
    assert read(source).stream["matrix"] == 2
    assert read(tmp_path / "b.mp4").stream["matrix"] == matrix


def test_titles_are_kept(tmp_path):
    source, target = tmp_path / "a.mkv", tmp_path / "b.mp4"
    make(tmp_path / "untitled.mkv")
    with av.open(str(tmp_path / "untitled.mkv")) as old, av.open(str(source), "w") as new:
        new.metadata["title"] = "作画"
        streams = [new.add_stream_from_template(stream, opaque=True) for stream in old.streams]
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    stylize_video(source, target, same)
    with av.open(str(target)) as reader:
        assert reader.metadata["title"] == "作画"


@pytest.mark.parametrize(("suffix", "total"), [(".mp4", FRAMES), (".mkv", None)])
def test_progress(tmp_path, suffix, total):
    calls = []
    stylize_video(make(tmp_path / f"a{suffix}"), tmp_path / "b.mp4", same, progress=lambda *call: calls.append(call))
    assert calls == [(i + 1, total) for i in range(FRAMES)]


@pytest.mark.parametrize("error", [RuntimeError("brush"), OSError(28, "brush"), KeyboardInterrupt()])
def test_a_failure_half_way_leaves_nothing_and_is_passed_on(tmp_path, error):
    source, target = make(tmp_path / "a.mp4"), tmp_path / "b.mp4"
    target.write_bytes(b"before")
    calls = []

    def paint(rgb):
        calls.append(rgb)
        if len(calls) == 12:
            assert len(left_over(tmp_path)) == 3, "no temporary file in the target's folder"
            raise error
        return rgb

    with pytest.raises((type(error), SakugaError)):
        stylize_video(source, target, paint, overwrite=True)
    assert left_over(tmp_path) == {"a.mp4", "b.mp4"}
    assert target.read_bytes() == b"before"


def test_ctrl_c_leaves_nothing(tmp_path):
    make(tmp_path / "a.mp4")
    code = """
        import time
        from pathlib import Path
        from sakuga.video import stylize_video
        def paint(rgb):
            print("painting", flush=True)
            time.sleep(0.2)
            return rgb
        stylize_video(Path("a.mp4"), Path("b.mp4"), paint)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"painting\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT, said.decode()
    assert left_over(tmp_path) == {"a.mp4"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits the size of files by POSIX means")
def test_no_space(tmp_path):
    make(tmp_path / "a.mp4", size=(256, 256), times=range(60))
    code = """
        import errno, resource, signal
        from pathlib import Path
        import numpy as np
        from sakuga.errors import SakugaError
        from sakuga.video import stylize_video
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        random = np.random.default_rng(0)
        try:
            stylize_video(Path("a.mp4"), Path("b.mp4"), lambda rgb: random.integers(0, 255, rgb.shape, np.uint8))
        except SakugaError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("b.mp4 cannot be written")
    assert done.stdout.count("\n") == 1
    assert left_over(tmp_path) == {"a.mp4"}


def test_an_existing_target_is_kept_unless_told(tmp_path):
    source, target = make(tmp_path / "a.mp4"), tmp_path / "b.mp4"
    target.write_bytes(b"mine")
    with pytest.raises(SakugaError, match=r"b\.mp4 exists"):
        stylize_video(source, target, same)
    assert target.read_bytes() == b"mine"
    stylize_video(source, target, same, overwrite=True)
    check_same_times_and_sound(source, target)


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


def test_names_that_look_like_addresses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "a.mp4").rename("http:a.mp4")
    Path("12:30").mkdir()
    stylize_video(Path("http:a.mp4"), Path("12:30/b.mp4"), same)
    assert len(read(tmp_path / "12:30" / "b.mp4").times) == FRAMES


def check_refused(source, words, target="b.mp4", error=SakugaError):
    before = left_over(source.parent)
    with pytest.raises(error, match=words) as caught:
        stylize_video(source, source.parent / target, same)
    assert "\n" not in str(caught.value)
    assert left_over(source.parent) == before


def test_missing(tmp_path):
    check_refused(tmp_path / "a.mp4", r"a\.mp4 does not exist")


def test_folder(tmp_path):
    (tmp_path / "a.mp4").mkdir()
    check_refused(tmp_path / "a.mp4", r"a\.mp4")


@pytest.mark.parametrize("content", [b"", b"not a video at all\n" * 200])
def test_not_a_video(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    check_refused(tmp_path / "a.mp4", r"a\.mp4 is not a video")


def test_no_video_stream(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        track = out.add_stream("aac", rate=SOUND_RATE)
        tone = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        tone.sample_rate, tone.pts = SOUND_RATE, 0
        out.mux(track.encode(tone))
        out.mux(track.encode())
    check_refused(tmp_path / "a.mp4", r"a\.mp4 has no video in it: name a file that has one")


@pytest.mark.parametrize("suffix", [".webm", ".avi", ".jpg", ""])
def test_an_output_that_cannot_be_written(tmp_path, suffix):
    check_refused(make(tmp_path / "a.mp4"), r"\.mp4, \.m4v, \.mov, \.mkv", target=f"b{suffix}", error=UsageError)


def test_no_folder_for_the_target(tmp_path):
    check_refused(make(tmp_path / "a.mp4"), "not an existing folder", target="none/b.mp4")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.8])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.mp4", {"muxing": {"movflags": "faststart"}}),
        ("a.mkv", {}),
        ("a.webm", {"video": "libvpx", "sounds": ("libopus",)}),
        ("a.avi", {"video": "mpeg4", "sounds": ("mp3",)}),
    ],
    ids=["mp4", "faststart", "mkv", "webm", "avi"],
)
def test_truncated(tmp_path, name, options, keep):
    """What is left could be decoded in part; it must not pass for the whole."""
    source = make(tmp_path / name, times=range(48), **options)
    data = source.read_bytes()
    source.write_bytes(data[: int(len(data) * keep)])
    check_refused(source, r"a\..* (truncated|damaged|ends at|cannot be read|no frame)")


def test_damaged_in_the_middle(tmp_path):
    source = make(tmp_path / "a.mp4", sounds=())
    with av.open(str(source)) as reader:
        packets = [(packet.pos, packet.size) for packet in reader.demux(video=0) if packet.size]
    data = bytearray(source.read_bytes())
    start, size = packets[len(packets) // 2]
    data[start : start + size] = bytes(size)
    source.write_bytes(data)
    check_refused(source, r"a\.mp4")


def test_paint_of_another_shape_is_a_mistake_of_the_caller(tmp_path):
    with pytest.raises(ValueError, match="paint"):
        stylize_video(make(tmp_path / "a.mp4"), tmp_path / "b.mp4", lambda rgb: rgb[:10])
    assert left_over(tmp_path) == {"a.mp4"}


def test_suffixes():
    assert {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"} <= SUFFIXES
    assert set(CONTAINERS) <= SUFFIXES


def test_a_style_that_enlarges_makes_a_larger_video(tmp_path):
    source = make(tmp_path / "in.mp4")
    stylize_video(source, tmp_path / "out.mp4", lambda rgb: rgb.repeat(2, 0).repeat(2, 1), scale=2)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == FRAMES
    assert frames[0].shape == (96, 128, 3)
    np.testing.assert_allclose(frames[0][24, 32], QUADRANTS[0], atol=12)
