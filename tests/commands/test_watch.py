"""A folder that is watched."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from shell import photo, pixels

from sakuga.commands.watch import watched


def wait_for(path, process):
    end = time.monotonic() + 60
    while not Path(path).exists():
        assert process.poll() is None
        assert time.monotonic() < end, path
        time.sleep(0.05)


def test_what_comes_into_the_folder_is_stylised_until_ctrl_c(style_folder):
    pytest.importorskip("watchfiles")
    before = photo("in/a.png")
    command = [sys.executable, "-m", "sakuga", "in", "-s", str(style_folder / "neg.onnx"), "-o", "out", "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for("out/a.neg.png", process)
            Path("in/bad.png").write_text("no picture")
            later = photo("in/sub/b.png", 1)
            wait_for("out/sub/b.neg.png", process)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()  # where all went well it has ended
    assert process.returncode == 130
    assert out.splitlines() == ["out/a.neg.png", "out/sub/b.neg.png"]
    lines = err.splitlines()
    assert (lines[0], lines[-1]) == ("sakuga: watching in; Ctrl-C ends", "sakuga: interrupted")
    assert [line for line in lines if "bad.png" in line] == lines[1:-1]
    assert len(lines) == 3
    np.testing.assert_array_equal(pixels("out/a.neg.png"), 255 - before)
    np.testing.assert_array_equal(pixels("out/sub/b.neg.png"), 255 - later)


@pytest.mark.timeout(60)
def test_what_comes_while_the_first_pictures_are_painted_is_news(tmp_path):
    pytest.importorskip("watchfiles")
    times = watched([str(tmp_path)])
    next(times)
    photo(tmp_path / "later.png")
    next(times)


def test_only_folders_are_watched(run):
    photo("a.png")
    status, _, err = run("a.png", "-s", "neg", "--watch")
    assert (status, "--watch is for folders" in err) == (2, True)


def test_an_empty_folder_needs_watching(run, monkeypatch):
    Path("in").mkdir()
    assert run("in", "-s", "neg")[0] == 1
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    status, _, err = run("in", "-s", "neg", "--watch")
    assert (status, err) == (2, 'sakuga: --watch needs watchfiles: pip install "sakuga[watch]"\n')
