"""One sentence, the right status, nothing half written."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from made_style import make_style
from shell import photo, pixels, process, tree

from sakuga.cli import main
from sakuga.errors import SakugaError
from sakuga.video import stylize_video


@pytest.mark.parametrize(
    "args",
    [
        ["--strength", "1.5"],
        ["--strength", "-1"],
        ["--strength", "nan"],
        ["--strength", "much"],
        ["--max-side", "0"],
        ["--max-side", "1.5"],
        ["--max-pixels", "0"],
        ["--threads", "0"],
        ["--threads", "9" * 20],
        ["--format", "bmp"],
        ["--bogus"],
        ["-o", "result.xyz"],
        ["-o", "result.png", "--format", "jpeg"],
        ["-s", "unknown"],
    ],
)
def test_wrong_usage_is_status_2_and_writes_nothing(run, args):
    photo("photo.png")
    status, out, err = run("photo.png", *([] if "-s" in args else ["-s", "neg"]), *args)
    assert (status, out) == (2, [])
    assert args[0].lstrip("-").replace("-", "_") in err.replace("-", "_") or args[1] in err
    assert tree() == ["photo.png"]


def test_an_unknown_style_suggests_the_nearest(run):
    photo("photo.png")
    assert run("photo.png", "-s", "softt") == (2, [], "sakuga: there is no style 'softt': did you mean 'soft'?\n")
    told = run("photo.png", "-s", "runs/gone")[2].replace("\\", "/")
    assert told == "sakuga: runs/gone does not exist: name a style or the file of one\n"


def test_nothing_to_do_is_wrong_usage(run):
    assert run("-s", "neg")[0] == 2
    status, out, _ = run()
    assert status == 2
    assert any("stylize" in line for line in out)


def broken(tmp_path, kind):
    if kind == "missing":
        return "missing.png"
    if kind == "no picture":
        Path("text.png").write_text("hello")
        return "text.png"
    if kind == "empty":
        Path("empty.png").touch()
        return "empty.png"
    photo("photo.png", size=(200, 200))
    if kind == "truncated":
        Path("photo.png").write_bytes(Path("photo.png").read_bytes()[:-5000])
    return "photo.png"


@pytest.mark.parametrize("kind", ["missing", "no picture", "empty", "truncated", "bomb", "no style", "not onnx"])
def test_failures_are_status_1_one_sentence_and_write_nothing(run, tmp_path, kind):
    name = broken(tmp_path, kind)
    style, extra, culprit = "neg", [], name
    if kind == "bomb":
        extra = ["--max-pixels", "39999"]
    if kind == "no style":
        style = culprit = str(make_style(tmp_path / "cardless.onnx", "no_card"))
    if kind == "not onnx":
        style = culprit = str(tmp_path / "text.onnx")
        Path(style).write_text("hello")
    before = tree()
    status, out, err = run(name, "-s", style, *extra)
    assert (status, out) == (1, [])
    assert re.fullmatch(rf"sakuga: {re.escape(culprit)} [^\n]+\n", err)
    assert tree() == before


def test_no_space_leaves_nothing_behind(run, monkeypatch):
    photo("in/a.png")
    photo("in/b.png")

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    status, out, err = run("in", "-s", "neg", "-o", "out")
    assert (status, out) == (1, [])
    assert err.count("no space") == 2
    assert [name for name in tree() if name.startswith("out")] == []


def test_ctrl_c_is_status_130_and_leaves_no_half_file(style_folder):
    for i in range(60):
        photo(f"in/{i:02}.png", size=(400, 400))
    with subprocess.Popen(
        [sys.executable, "-m", "sakuga", "in", "-s", "soft", "-o", "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert err == "sakuga: interrupted\n"
    written = [name for name in tree() if name.startswith("out")]
    assert len(written) < 60
    assert all(pixels(name).shape == (400, 400, 3) for name in written)


def test_a_reader_that_leaves_early_is_no_traceback():
    for i in range(30):
        photo(f"in/{i:02}.png", size=(100, 100))
    command = [sys.executable, "-m", "sakuga", "in", "-s", "soft"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        running.stdout.readline()
        running.stdout.close()
        err = running.stderr.read()
    assert running.returncode == 1
    assert "Traceback" not in err
    assert "Exception" not in err


def test_a_file_name_that_is_not_unicode():
    if sys.platform != "linux":
        pytest.skip("such names exist on Linux only")
    name = os.fsdecode(b"caf\xe9.png")
    photo(name)
    done = process(name, "-s", "neg")
    assert (done.returncode, done.stdout.strip()) == (0, b"caf\xe9.neg.png")
    done = process(os.fsdecode(b"gone\xe9.png"), "-s", "neg")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_an_address_is_not_fetched(run):
    status, _, err = run("https://example.org/photo.jpg")
    assert (status, err.count("\n")) == (2, 1)
    assert "https://example.org/photo.jpg is an address" in err


@pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors with a shell")
def test_closed_output_and_error_are_not_each_other():
    photo("a.png")
    command = f"{sys.executable} -m sakuga a.png -s neg -o none/of/x.xyz"
    done = subprocess.run(["sh", "-c", f"{command} 2>&-"], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")  # not the sentence, which is no result
    command = f"{sys.executable} -m sakuga a.png --no-such-option"
    done = subprocess.run(["sh", "-c", f"{command} >&-"], capture_output=True, timeout=60)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_a_video_is_refused_where_addresses_are_too_few(monkeypatch):
    """Libraries crash on it: x264 for one."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**20, 2**20))
    said = r"^the limit on this process \(ulimit -v\) leaves 0 MiB of memory, and a video needs about [\d,]+: raise it$"
    with pytest.raises(SakugaError, match=said):
        stylize_video("a.mp4", "b.mp4", lambda rgb: rgb)


def test_a_picture_is_refused_where_addresses_are_too_few(monkeypatch, capsys):
    """Libraries say so in lines of their own, or send this process Ctrl-C, as OpenBLAS does."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**20, 2**20))
    assert main(["a.png"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("sakuga: the limit on this process (ulimit -v) leaves 0 MiB of memory, and a picture needs")
