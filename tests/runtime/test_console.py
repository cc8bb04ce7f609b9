"""What strangers named does not steer the terminal that shows it."""

import io
import json
import os
import subprocess
import sys

import pytest

from sakuga.runtime.console import accept_any_name, print_json, print_path, print_table, printable, say

HOSTILE = "a\x1b[2J\x9b31m\u202egnp.\u2066\r\n\x07\udcff\U000e0041é写"
SHOWN = "a\\u001b[2J\\u009b31m\\u202egnp.\\u2066\\r\\n\\u0007\\udcff\\udb40\\udc41é写"


def test_printable():
    assert printable(HOSTILE) == SHOWN
    assert printable("Ünïcødé 写真 🎨 a b") == "Ünïcødé 写真 🎨 a b"


def test_sentences_tables_and_json(capsys):
    say(HOSTILE)
    print_table([(HOSTILE.replace("\n", ""), "two\nlines")], ("x", "y"))
    print_json({"name": HOSTILE})
    out, err = capsys.readouterr()
    assert err == f"sakuga: {SHOWN}\n"
    assert all(line.isprintable() for line in out.split("\n"))
    table, facts = out.split("{", 1)
    assert SHOWN.replace("\\n", "") in table
    assert "lines" in table.splitlines()[2]
    assert json.loads("{" + facts)["name"].encode("utf-16", "surrogatepass") == HOSTILE.encode(
        "utf-16", "surrogatepass"
    )


@pytest.mark.parametrize("terminal", [True, False])
def test_a_path_is_exact_in_a_pipe_and_escaped_on_a_terminal(monkeypatch, terminal):
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="surrogateescape")
    monkeypatch.setattr(out, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stdout", out)
    print_path(os.fsdecode(b"\xff\x1b.png"))
    assert out.buffer.getvalue() == (b"\\udcff\\u001b.png\n" if terminal else b"\xff\x1b.png\n")


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", "写 é ".encode() + b"\xff"), ("cp1252", b"\\u5199 \xe9 \xff"), ("ascii", b"\\u5199 \\xe9 \xff")],
)
def test_names_that_an_encoding_lacks_are_written_all_the_same(monkeypatch, encoding, expected):
    out = io.TextIOWrapper(io.BytesIO(), encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", out)
    accept_any_name()
    print(os.fsdecode("写 é ".encode() + b"\xff"), flush=True)
    assert out.buffer.getvalue().rstrip() == expected


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names there are text")
def test_a_batch_goes_on_over_names_that_cannot_be_printed(tmp_path, style_folder):
    from made_style import make_style
    from PIL import Image

    make_style(style_folder / "neg.onnx", "invert")
    for name in (b"a\xff.png", "写.png".encode(), b"c.png"):
        Image.new("RGB", (8, 8)).save(os.path.join(os.fsencode(tmp_path), name).decode("utf-8", "surrogateescape"))
    for encoding in ("ascii:strict", "cp1252:strict", "utf-8:strict"):
        done = subprocess.run(
            [sys.executable, "-m", "sakuga", str(tmp_path), "-s", "neg", "--overwrite"],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 3
        assert b"3 done" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(tmp_path, style_folder, closed):
    from made_style import make_style
    from PIL import Image

    make_style(style_folder / "neg.onnx", "invert")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    for arguments, status in (
        ("a.png -s neg --overwrite", 0),
        (". -s neg --overwrite", 0),
        ("- -s neg -o b.png", 2 if "<" in closed else 1),
    ):
        command = f"{sys.executable} -m sakuga {arguments} {closed}"
        done = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == status
    assert (tmp_path / "a.neg.png").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="needs the list of users")
def test_no_home_and_an_unknown_user(tmp_path):
    """As in a container that runs as some number."""
    code = "import pwd, sys\npwd.getpwuid = {}.__getitem__\nfrom sakuga.cli import main\nsys.exit(main(['styles']))"
    variables = {
        name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_DATA_HOME", "SAKUGA_STYLES")
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
