"""Video: what goes wrong is said in a sentence, and nothing half made is left."""

import os
import signal
import subprocess
import sys
import textwrap

import av
import numpy as np
import pytest
from clips import SOUND_RATE, check_refused, check_same_times_and_sound, left_over, make, same

from sakuga.errors import SakugaError, UsageError
from sakuga.video import stylize_video


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
