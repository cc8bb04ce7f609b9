"""Where the command runs, and how."""

import pytest
from made_style import make_style

from sakuga.cli import main


@pytest.fixture(autouse=True)
def here(tmp_path, style_folder, monkeypatch):
    """Each test begins in an empty folder, with the styles `neg` (inverts) and `soft` (blurs)."""
    make_style(style_folder / "neg.onnx", "invert", title="Negative")
    make_style(style_folder / "soft.onnx", "blur")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def run(capsys):
    """Return a function that runs the command and returns exit status, lines of stdout, and stderr."""

    def run(*args):
        status = main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return status, out.splitlines(), err

    return run
