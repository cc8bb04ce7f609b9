"""Video by the command: every flag of `stylize`, pipes, numbered pictures, and what is refused."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import FRAMES, invert, make, quadrants, read
from PIL import Image

from sakuga.cli import main
from sakuga.stylizer.streams import is_video_data
from sakuga.video import stylize_video
from sakuga.video.segments import LENGTH


@pytest.fixture(autouse=True)
def folder(tmp_path, style_folder, made_style, monkeypatch):
    """A fresh folder with a clip, and the style `neg`."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    (style_folder / "neg.onnx").write_bytes(made_style("invert").read_bytes())
    make(place / "clip.mp4")
    return place


@pytest.fixture
def run(capsys):
    def run(*args):
        status = main([*map(str, args)])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err

    return run


def first(path):
    return read(path).frames[0].astype(int)


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ([], 255 - quadrants().astype(int)),
        (["--strength", "0.5"], np.full((48, 64, 3), 127)),
        (["--strength", "0"], quadrants().astype(int)),
        (["--threads", "1"], 255 - quadrants().astype(int)),
        (["--precision", "fp32"], 255 - quadrants().astype(int)),
    ],
)
def test_flags_of_painting(run, flags, wanted):
    assert run("clip.mp4", "-s", "neg", *flags) == (0, ["clip.neg.mp4"], "")
    assert np.abs(first("clip.neg.mp4") - wanted).mean() < 5


@pytest.mark.parametrize("flags", [[], ["--stable"]])
def test_threads_do_not_change_the_result(run, flags):
    for threads in ("1", "3"):
        assert run("clip.mp4", "-s", "neg", "--threads", threads, "-o", f"{threads}.mp4", *flags)[0] == 0
    assert Path("1.mp4").read_bytes() == Path("3.mp4").read_bytes()


def test_a_format_of_pictures_is_refused(run):
    status, out, err = run("clip.mp4", "-s", "neg", "--format", "png")
    assert (status, out) == (2, [])
    assert "--format is for pictures" in err
    assert not Path("clip.neg.mp4").exists()


def test_keep_color(run):
    """The brightness is the negative's: of the first quarter 255 - (0.299 · 200 + 0.587 · 40 + 0.114 · 40) = 167."""
    assert run("clip.mp4", "-s", "neg", "--keep-color")[0] == 0
    red, green, _ = first("clip.neg.mp4")[10, 14]
    assert red > green + 50, "the red quarter is red no more"
    assert first("clip.neg.mp4")[10, 14] @ [0.299, 0.587, 0.114] == pytest.approx(167, abs=25)  # red is clipped


@pytest.mark.parametrize(
    ("flags", "name", "check"),
    [
        (["--max-side", "32"], "clip.neg.mp4", lambda clip: clip.stream["size"] == (32, 24)),
        (["--start", "0.5"], "clip.neg.mp4", lambda clip: len(clip.times) == FRAMES // 2),
        (["--duration", "0:00.25"], "clip.neg.mp4", lambda clip: len(clip.times) == 6),
        (["--fps", "12"], "clip.neg.mp4", lambda clip: clip.times[1] == Fraction(1, 12)),
        (["--codec", "h265"], "clip.neg.mp4", lambda clip: clip.stream["codec"] == "hevc"),
        (["--crf", "40"], "clip.neg.mp4", lambda clip: len(clip.times) == FRAMES),
        (["--stable"], "clip.neg.mp4", lambda clip: len(clip.times) == FRAMES),
        (["-o", "new/b.mkv"], "new/b.mkv", lambda clip: len(clip.sounds) == 1),
        (["-o", "new/"], "new/clip.neg.mp4", lambda clip: len(clip.sounds) == 1),
    ],
)
def test_flags_of_the_result(run, flags, name, check):
    status, out, err = run("clip.mp4", "-s", "neg", *flags)
    assert (status, [Path(line) for line in out], err) == (0, [Path(name)], "")
    assert check(read(name))


def test_overwrite_and_an_existing_result(run):
    Path("clip.neg.mp4").write_bytes(b"mine")
    status, _, err = run("clip.mp4", "-s", "neg")
    assert (status, Path("clip.neg.mp4").read_bytes()) == (1, b"mine")
    assert "--overwrite" in err
    assert run("clip.mp4", "-s", "neg", "--overwrite")[0] == 0
    assert len(read("clip.neg.mp4").times) == FRAMES


def test_a_folder_with_a_video_and_a_picture_takes_flags_of_both(run):
    Image.fromarray(quadrants()).save("photo.png")
    status, out, err = run(".", "-s", "neg", "-o", "out", "--fps", "12", "--format", "webp")
    assert status == 0, err
    assert sorted(map(Path, out)) == [Path("out/clip.neg.mp4"), Path("out/photo.neg.webp")]
    assert len(read("out/clip.neg.mp4").times) == 12


@pytest.mark.parametrize("flag", [["--fps", "5"], ["--start", "1"], ["--stable"], ["--codec", "av1"], ["--crf", "0"]])
def test_flags_of_videos_are_refused_for_a_picture(run, flag):
    Image.fromarray(quadrants()).save("photo.png")
    status, out, err = run("photo.png", "-s", "neg", *flag)
    assert (status, out) == (2, [])
    assert err == f"sakuga: {flag[0]} is for videos, but photo.png is a picture: leave it out\n"


@pytest.mark.parametrize("flag", [["--fps", "x"], ["--start", "1:99"], ["--codec", "mpeg1"], ["--crf", "99"]])
def test_wrong_values(run, flag):
    status, out, err = run("clip.mp4", "-s", "neg", *flag)
    assert (status, out) == (2, [])
    assert flag[0].strip("-") in err
    assert "Traceback" not in err


def test_numbered_pictures(run):
    assert run("clip.mp4", "-s", "neg", "-o", "frames/%03d.png") == (0, [str(Path("frames/%03d.png"))], "")
    assert len(list(Path("frames").iterdir())) == FRAMES
    status, out, err = run("frames/%03d.png", "-s", "neg", "--fps", "24")
    assert (status, err) == (0, "")
    assert [Path(line).resolve() for line in out] == [Path("frames.neg.mp4").resolve()]
    assert read("frames.neg.mp4").times == [Fraction(i, 24) for i in range(FRAMES)]
    assert run("frames/*.png", "-s", "neg", "-o", "c.gif")[:2] == (0, ["c.gif"])
    assert run("frames/*.png", "-s", "neg", "-o", "each")[0] == 0, "without a name of a video they are pictures"
    assert len(list(Path("each").iterdir())) == FRAMES


def sakuga(*args, **options):
    command = [sys.executable, "-m", "sakuga", *map(str, args)]
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_standard_input_and_output():
    done = sakuga("-", "-s", "neg", "-o", "-", "--fps", "12", input=Path("clip.mp4").read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    with av.open(io.BytesIO(done.stdout)) as reader:
        assert "matroska" in reader.format.name
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in reader.decode(video=0)]
    assert len(frames) == 12
    assert np.abs(frames[0] - (255 - quadrants().astype(int))).mean() < 5
    done = sakuga("-", "-s", "neg", "-o", "there", input=Path("clip.mp4").read_bytes())
    assert [Path(line) for line in done.stdout.decode().splitlines()] == [Path("there/stdin.neg.mp4")]
    assert sorted(os.listdir()) == ["clip.mp4", "there"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((f"a.{kind}", {}) for kind in ("mp4", "mkv", "mov", "ts")),
        ("a.avi", {"video": "mpeg4", "sounds": ("mp3",)}),
        ("a.webm", {"video": "libvpx", "sounds": ("libopus",)}),
        ("a.mpg", {"video": "mpeg2video", "sounds": ("mp2",)}),
        ("a.flv", {"video": "flv", "sounds": ()}),
    ],
)
def test_videos_are_known_by_their_first_bytes(name, options):
    assert is_video_data(make(Path(name), **options).read_bytes()[:512])


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF", "BMP"])
def test_pictures_are_no_videos(format):
    data = io.BytesIO()
    Image.fromarray(quadrants()).save(data, format)
    assert not is_video_data(data.getvalue()[:512])


def test_text_is_no_video():
    assert not is_video_data(b"")
    assert not is_video_data(b"GIGIGIGIG" * 60)


SLOW = """
import os, sys, time
from sakuga import cli
from sakuga.stylizer import stylizer
array = stylizer.Stylizer.array
count = 0
def slow(self, rgb):
    global count
    count += 1
    if count == {stop}:
        print("now", flush=True)
        while not os.path.exists("go"):
            time.sleep(0.05)
    return array(self, rgb)
stylizer.Stylizer.array = slow
raise SystemExit(cli.main({args!r}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_how_to_go_on_and_goes_on(run, number):
    make(Path("long.mp4"), times=range(LENGTH + 50))
    args = ["long.mp4", "-s", "neg"]
    command = [sys.executable, "-c", SLOW.format(stop=LENGTH + 40, args=args)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"now\n"
        for _ in range(100):  # until the writer has finished the segment
            if Path(".long.neg.mp4.sakuga-part/000000.npz").exists():
                break
            signal.sigtimedwait([], 0.1)
        process.send_signal(number)
        Path("go").touch()  # a frame that is being painted is painted
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.decode() == f"sakuga: interrupted; the same command goes on from frame {LENGTH}\n"
    facts = json.loads(Path(".long.neg.mp4.sakuga-part/made-of.json").read_text("utf-8"))
    assert re.fullmatch(r"[0-9a-f]{64}", facts["style"]["style"])
    assert run(*args)[0] == 0
    assert run(*args, "-o", "whole.mp4")[0] == 0
    assert Path("long.neg.mp4").read_bytes() == Path("whole.mp4").read_bytes()
    assert not Path(".long.neg.mp4.sakuga-part").exists()


def test_the_command_and_the_function_agree(run):
    assert run("clip.mp4", "-s", "neg")[0] == 0
    stylize_video(Path("clip.mp4"), Path("b.mp4"), invert)
    assert Path("b.mp4").read_bytes() == Path("clip.neg.mp4").read_bytes()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names are any bytes there")
@pytest.mark.parametrize("name", ["100%done.mp4", "%05d.mp4", "%s.mp4", f"{'n' * 240}.mp4", f"{'写' * 80}.mp4"])
def test_any_name_of_a_file_is_a_name(run, name):
    """A percent sign is no pattern, and the work folder's name may not become too long."""
    source, target = make(Path(name), times=range(3)), Path("out") / name
    assert run(name, "-s", "neg", "-o", str(target))[0] == 0
    assert len(read(target).times) == len(read(source).times)
    assert [path.name for path in target.parent.iterdir()] == [name]
    assert run(name, "-s", "neg", "-o", "to%%%02d.png")[0] == 0
    assert Path("to%03.png").is_file()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names are any bytes there")
@pytest.mark.parametrize("encoding", ["utf-8", "ascii:strict", "cp1252"])
def test_names_need_not_be_utf_8_nor_printable(run, encoding):
    folder = Path("in")
    folder.mkdir()
    for name in ("n\udcffme.mp4", "写真.mp4"):
        make(folder / name, times=range(3))
    code = "import sys; from sakuga.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "in", "-s", "neg", "-o", "out"]
    done = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"2 done" in done.stderr
    assert {path.name for path in Path("out").iterdir()} == {"n\udcffme.neg.mp4", "写真.neg.mp4"}


def test_an_animated_picture_becomes_a_video_or_numbered_pictures(run):
    frames = [Image.fromarray(quadrants(shade=i)) for i in (0, 9, 18)]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:], duration=[100, 200, 300])
    assert run("a.gif", "-s", "neg", "-o", "a.mp4") == (0, ["a.mp4"], "")
    assert read("a.mp4").times == [0, Fraction(1, 10), Fraction(3, 10)]
    assert run("a.gif", "-s", "neg", "-o", "f/%03d.png", "--start", "0.1") == (0, [str(Path("f/%03d.png"))], "")
    assert sorted(os.listdir("f")) == ["001.png", "002.png"]
    for args, words in (
        (["a.gif", "-o", "b.gif", "--fps", "5"], "--fps is for videos, but a.gif is a picture"),
        (["a.gif", "-o", "b.mp4", "--format", "png"], "--format is for pictures, but a.gif becomes a video"),
        (["f/001.png", "-o", "b.mp4"], "001.png is one picture and no video"),
    ):
        status, out, err = run(*args, "-s", "neg")
        assert (status, out) == (2, [])
        assert words in err
    assert run("f/001.png", "-s", "neg", "-o", "100%done.png")[:2] == (0, ["100%done.png"])
    assert Path("100%done.png").is_file()


@pytest.mark.parametrize("target", ["b.mp4", "-"])
def test_standard_input_is_called_so(target):
    """An animated picture through a pipe; and the sentence about a damaged one, or a video cut off, names no file."""
    frames = [Image.fromarray(quadrants(shade=i)) for i in (0, 9, 18)]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:], duration=100)
    data = Path("a.gif").read_bytes()
    done = sakuga("-", "-s", "neg", "-o", target, input=data)
    assert (done.returncode, done.stderr) == (0, b"")
    done = sakuga("-", "-s", "neg", "-o", target, "--overwrite", input=data[:-30])
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"sakuga: standard input is damaged or truncated")
    whole = make(Path("long.mkv"), times=range(60)).read_bytes()
    for size in (1000, len(whole) * 2 // 3):
        done = sakuga("-", "-s", "neg", "-o", target, "--overwrite", input=whole[:size])
        assert done.returncode == 1
        assert b"sakuga: standard input" in done.stderr
        assert b"/" not in done.stderr
    there = b"standard output" if target == "-" else b"b.mp4"
    assert b"standard input is damaged or cut off: " + there + b" holds the rest, without" in done.stderr
