"""The man page: what the wheel brings is what the help says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sakuga.cli import VERBS
from sakuga.commands.prepare import STEPS

PAGE = Path(__file__).parents[2] / "docs" / "sakuga.1"
OPTION = re.compile(r"^(?:│ |  )(-.*?)(?:  |$| │)", re.MULTILINE)
COMMANDS = [[verb] for verb in ("stylize", "styles", "info", *VERBS)] + [["prepare", step] for step in STEPS]


def sections(page: str) -> dict[str, str]:
    _, *rest = re.split(r'^\.SH "?(.+?)"?$', page, flags=re.MULTILINE)
    return dict(zip(rest[::2], rest[1::2], strict=True))


@pytest.fixture(scope="module")
def page() -> dict[str, str]:
    return sections(PAGE.read_text(encoding="ascii"))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_option_of_the_help_stands_in_it(run, page, command):
    status, lines, _ = run(*command, "--help")
    options = {name for line in OPTION.findall("\n".join(lines)) for name in re.findall(r"--[a-z][a-z0-9-]+", line)}
    assert status == 0
    assert options or command in (["train"], ["prepare"], ["doctor"])
    section = page[" ".join(["sakuga", *command])].replace("\\-", "-")
    listed = {
        name for line in re.findall(r"^\.B (.*)$", section, re.MULTILINE) for name in re.findall(r"--[\w-]+", line)
    }
    assert listed == options - {"--help"}, "make it anew: sakuga --man > docs/sakuga.1"


def test_what_the_command_prints(run):
    """A page as it lies in the repository, whichever verbs have what they need."""
    status, lines, err = run("--man")
    assert (status, err) == (0, "")
    printed = sections("\n".join(lines))
    assert list(printed)[:4] == ["NAME", "SYNOPSIS", "DESCRIPTION", "sakuga stylize"]
    assert "or all: a result of each" in printed["sakuga stylize"]


@pytest.mark.parametrize(
    "program", [["groff", "-man", "-Tutf8", "-ww"], ["mandoc", "-Tutf8", "-Wwarning"]], ids=lambda p: p[0]
)
def test_it_is_shown(program):
    if not shutil.which(program[0]):
        pytest.skip(f"there is no {program[0]}")
    done = subprocess.run([*program, str(PAGE)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    shown = re.sub(r"\x1b\[[\d;]*m|.\x08", "", done.stdout)
    assert re.search(r"-s STYLE, --style STYLE\n +A +name +that +`sakuga +styles` +lists", shown)
    assert "'" in shown
    assert "\\" not in shown
