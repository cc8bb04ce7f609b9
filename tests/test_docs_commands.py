"""The commands of the pages: quoted as every shell takes it, cmd.exe and PowerShell too."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_commands_have_double_quotes():
    lines = []
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        lines += [(page.name, line) for block in blocks for line in block.splitlines()]
        lines += [(page.name, code) for code in re.findall(r"`((?:pip install|sakuga) [^`]*)`", text)]
    assert len(lines) > 100
    bare = [(page, re.sub(r'"[^"]*"|(^|\s)#.*', "", line)) for page, line in lines]
    assert [(page, line) for page, line in bare if "'" in line] == []
