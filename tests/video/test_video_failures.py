"""Video: what goes wrong is said in a sentence, and nothing half made is left."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from fractions import Fraction

import av
import numpy as np
import pytest
from clips import SOUND_RATE, check_refused, check_same_times_and_sound, left_over, make, read, same

from sakuga.errors import IncompleteError, SakugaError, UsageError
from sakuga.video import VideoOptions, stylize_video


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


def test_a_video_of_an_unknown_kind_is_refused(tmp_path):
    source = make(tmp_path / "a.mp4")
    source.write_bytes(source.read_bytes().replace(b"avc1", b"zzz9"))
    with pytest.raises(SakugaError, match=r"a\.mp4 has a video of a kind that cannot be decoded"):
        stylize_video(source, tmp_path / "b.mp4", same)
    assert left_over(tmp_path) == {"a.mp4"}


def test_ctrl_c_leaves_nothing(tmp_path):
    make(tmp_path / "a.mp4")
    code = """
        import time
        from pathlib import Path
        from sakuga.video import VideoOptions, stylize_video
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
        from sakuga.video import VideoOptions, stylize_video
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


@pytest.mark.parametrize("suffix", [".ogv", ".avi", ".jpg", ""])
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
def test_truncated(tmp_path, capsys, name, options, keep):
    """What is left is kept, and it is said what is missing; where nothing can be decoded nothing is written."""
    source, target = make(tmp_path / name, times=range(48), **options), tmp_path / "b.mkv"
    data = source.read_bytes()
    source.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(SakugaError) as caught:
        stylize_video(source, target, same)
    assert "\n" not in str(caught.value)
    if not isinstance(caught.value, IncompleteError):
        assert re.search(r"a\..* (truncated|no frame)", str(caught.value))
        assert left_over(tmp_path) == {name}
        return
    said = re.search(
        r"a\..* is damaged or cut off: .*b\.mkv holds the rest, without ([\d.]+) to ([\d.]+) s$", str(caught.value)
    )
    assert said, caught.value
    after = read(target)
    assert float(said[1]) == pytest.approx(float(after.times[-1]) + 1 / 24, abs=0.2)
    assert float(said[2]) == pytest.approx(2, abs=0.15)
    assert after.length is None or after.length < 2
    assert re.search(r"a\..* ends at [\d.]+ of 2\.\d s; what can be read is stylized", capsys.readouterr().err)


def test_how_many_of_the_truncated_ones_can_be_read(tmp_path):
    """So that the test above does not pass by refusing all."""
    source = make(tmp_path / "a.mkv", times=range(48))
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    with pytest.raises(IncompleteError):
        stylize_video(source, tmp_path / "b.mp4", same)
    assert 10 < len(read(tmp_path / "b.mp4").times) < 40


@pytest.mark.parametrize("start", [None, "0.1", "1.5"])
def test_damaged_in_the_middle(tmp_path, start):
    """A second in, 0.2 s of packets are zeros: the frame before is shown until the next one that is whole."""
    source, target = make(tmp_path / "a.mp4", times=range(72), muxing={"movflags": "faststart"}), tmp_path / "b.mp4"
    with av.open(str(source)) as reader:
        packets = [(packet.pos, packet.size, packet.is_keyframe) for packet in reader.demux(video=0) if packet.size]
    before, data = read(source), bytearray(source.read_bytes())
    for begin, size, _ in packets[24:29]:
        data[begin : begin + size] = bytes(size)
    source.write_bytes(data)
    options = VideoOptions(start=start)
    if start == "1.5":
        stylize_video(source, target, same, options=options)  # the damage lies before
        return
    with pytest.raises(IncompleteError, match=r"holds the rest, without (0\.9|1\.\d) to 1\.\d s$"):
        stylize_video(source, target, same, options=options)
    after = read(target)
    assert 72 - 20 < len(after.times) + (3 if start else 0) < 72
    assert float(after.times[-1]) == pytest.approx(71 / 24 - float(start or 0), abs=0.001)
    if start is None:
        assert after.sounds == before.sounds
        assert set(after.times) <= {Fraction(tick, 24) for tick in range(72)}


def test_damage_is_told_in_the_time_of_a_player(tmp_path):
    """The clock of an MPEG stream begins anywhere."""
    source = make(tmp_path / "a.ts", times=range(72), delay=1000)
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as reader:
        damaged = [packet.pos for packet in reader.demux(video=0) if packet.size][36]
    data[damaged : damaged + 188] = bytes(188)
    source.write_bytes(data)
    with pytest.raises(IncompleteError, match=r"without 1\.\d to 1\.\d s$"):
        stylize_video(source, tmp_path / "b.mp4", same)
    assert len(read(tmp_path / "b.mp4").times) > 60
