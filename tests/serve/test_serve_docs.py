"""The examples of docs/serve.md run as they stand, but for the server's address and the styles."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from running import picture, video

DOCS = Path(__file__).parents[2] / "docs" / "serve.md"
COMMANDS = re.findall(r"^curl .+$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def test_there_are_examples():
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("code", EXAMPLES)
def test_example(server, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photo.jpg").write_bytes(picture(format="JPEG"))
    Path("clip.mp4").write_bytes(video())
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    code = code.replace("http://localhost:7860", server.url).replace("paprika", "blur").replace("hayao", "blur")
    exec(compile(code, str(DOCS), "exec"), {})
    made = [path for path in tmp_path.iterdir() if path.name.startswith("anime")]
    assert all(path.stat().st_size > 100 for path in made)
    assert bool(made) == ("anime" in code)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_commands(server, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(picture(format="JPEG"))
    assert len(COMMANDS) == 2
    for command in COMMANDS:
        command = command.replace("http://localhost:7860", server.url).replace("hayao", "blur")
        subprocess.run(command.replace("curl", "curl -s --fail", 1), shell=True, cwd=tmp_path, check=True)
    made = {path.name: Image.open(path).format for path in tmp_path.iterdir() if path.name != "photo.jpg"}
    assert made == {"photo.blur.jpg": "JPEG", "anime.webp": "WEBP"}


def test_every_code_is_documented():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (DOCS.parents[1] / "src/sakuga/serve").glob("*.py"))
    codes = set(re.findall(r'RefusedError\(\s*\d+, "(\w+)"', source))
    assert codes
    documented = DOCS.read_text(encoding="utf-8")
    assert {code for code in codes if f"`{code}`" not in documented} == set()
