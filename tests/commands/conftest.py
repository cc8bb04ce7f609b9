"""Where the command runs, and how."""

import pytest
from made_style import make_style

from sakuga.cli import main
from sakuga.style.checksum import weights_sha256


@pytest.fixture(autouse=True)
def here(tmp_path, style_folder, monkeypatch):
    """Each test begins in an empty folder, with the styles `neg` (inverts) and `soft` (blurs)."""
    for name, kind in (("neg", "invert"), ("soft", "blur")):
        path = make_style(style_folder / f"{name}.onnx", kind)
        make_style(path, kind, title="Negative" if name == "neg" else "soft", sha256=weights_sha256(path))
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
