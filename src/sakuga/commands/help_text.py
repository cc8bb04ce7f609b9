"""What `--help` prints, read again: by the completion of shells and by the man page."""

import io
import os
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

Run = Callable[[list[str]], int]
WIDTH = "1000"
"""Columns at which no line of a help is broken."""


def help_text(run: Run, *words: str) -> str:
    """What `sakuga WORDS --help` prints; nothing where an extra that the verb needs is not installed."""
    printed = io.BytesIO()
    with (
        redirect_stdout(io.TextIOWrapper(printed, "utf-8", write_through=True)) as out,  # else there are no boxes
        redirect_stderr(io.StringIO()),
        patch.dict(os.environ, COLUMNS=WIDTH),
    ):
        status = run([*words, "--help"])
        out.flush()
    return printed.getvalue().decode().replace("\r\n", "\n") if status == 0 else ""


def entries(text: str) -> list[tuple[str, str]]:
    """The arguments and options of a help as its boxes list them: how each is written, and what it does."""
    found: list[list[str]] = []
    for line in re.findall(r"^│ (.*?) *│$", text, re.MULTILINE):
        if line.startswith(" "):
            found[-1].append(line.strip())
        else:
            found.append(re.split(r" {2,}", line, maxsplit=1))
    return [(head, " ".join(rest)) for head, *rest in found]


def prose(text: str) -> list[str]:
    """The paragraphs of a help between its usage and its boxes."""
    body = re.split(r"^╭", text, maxsplit=1, flags=re.MULTILINE)[0]
    return [part for part in re.split(r"\n{2,}", body.strip("\n"))[1:] if part.strip()]


def usage(text: str) -> str:
    """How a help says that its command is written, without the word before it."""
    return re.sub(r"\s+", " ", text.partition("\n\n")[0].removeprefix("usage:")).strip()
