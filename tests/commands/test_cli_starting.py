"""What is imported for what, what a terminal shows, and that nothing is sent."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from shell import photo


def imported_by(code):
    heavy = ["numpy", "PIL", "onnxruntime", "av", "tyro", "rich", "torch", "onnx"]
    code += f"\nimport sys, json; print(json.dumps([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_package_alone_imports_nothing_heavy():
    assert imported_by("import sakuga; sakuga.SakugaError") == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_bars_stand_in_a_terminal_and_results_in_the_pipe():
    import pty

    photo("in/[a].png")  # not Rich's markup
    photo("in/b.png")
    reader, terminal = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "sakuga", "in", "-s", "neg"], stdout=subprocess.PIPE, stderr=terminal, timeout=60
    )
    os.close(terminal)
    seen = b""
    while chunk := _read(reader):
        seen += chunk
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == [str(Path("in/[a].neg.png")), str(Path("in/b.neg.png"))]
    assert b"2/2" in seen
    assert b"2 done" in seen


def _read(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


def test_one_picture_imports_only_what_it_needs():
    photo("photo.png")
    code = "from sakuga.cli import main; assert main(['photo.png', '-s', 'neg']) == 0"
    assert imported_by(code) == ["numpy", "PIL", "onnxruntime", "tyro"]


def test_listing_styles_needs_neither_torch_nor_av():
    code = "from sakuga.cli import main; assert main(['styles']) == 0"
    assert not {"torch", "onnx", "av", "PIL"} & set(imported_by(code))


def test_the_help_needs_nothing_of_what_pictures_need():
    code = "from sakuga.cli import main; assert main(['--help']) == 0"
    assert imported_by(code) == ["tyro"]


def test_the_systems_are_listed_without_importing_one():
    code = "from sakuga.cli import main; assert main(['train', '--help']) == 0"
    assert imported_by(code) == ["tyro"]


def test_nothing_is_reported_to_anybody(here, tmp_path):
    """ONNX Runtime would leave an identity in the home folder and send what it runs, were it not told otherwise."""
    photo("in.png")
    empty = [tmp_path / "home", tmp_path / "temporary"]
    for folder in empty:
        folder.mkdir()
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    variables |= {"HOME": str(empty[0]), "TMPDIR": str(empty[1])}
    subprocess.run([sys.executable, "-m", "sakuga", "in.png", "-s", "neg"], env=variables, check=True)
    assert [file for folder in empty for file in folder.rglob("*")] == []
