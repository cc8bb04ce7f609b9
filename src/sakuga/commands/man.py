"""`sakuga --man`: the man page, made of what `--help` says."""

import re
from collections.abc import Mapping

from sakuga import __version__
from sakuga.commands.help_text import Run, entries, help_text, prose, usage
from sakuga.commands.prepare import STEPS

_ESCAPES = {"\\": r"\e", "-": r"\-", "`": r"\(ga", "'": r"\(aq", "^": r"\(ha", "~": r"\(ti"}


def man(about: str, verbs: Mapping[str, str], run: Run) -> str:
    """Return the page in roff's macros `man`.

    Args:
        about: What the command is for, and how it is written.
        verbs: What each is for, by name.
        run: The command; verbs whose extra is not installed have no more than their line.
    """
    what, _, how = about.partition(": ")
    lines = [f'.TH SAKUGA 1 "" "sakuga {__version__}" "sakuga"', ".SH NAME", f"sakuga \\- {_roff(what)}"]
    lines += [".SH SYNOPSIS", ".nf", *(_roff(f"sakuga {verb} ...") for verb in verbs), ".fi"]
    lines += [".SH DESCRIPTION", _roff(how), r"\-\-help after a verb tells what stands here."]
    for verb, line in verbs.items():
        lines += _section(f"sakuga {verb}", line, help_text(run, verb))
        for step, its_line in STEPS.items() if verb == "prepare" else ():
            lines += _section(f"sakuga prepare {step}", its_line, help_text(run, verb, step))
    lines += [".SH EXIT STATUS", "0, or 1 for failures, 2 for wrong usage, 130 after Ctrl\\-C."]
    return "\n".join(lines) + "\n"


def _section(title: str, line: str, text: str) -> list[str]:
    lines = [f'.SH "{title}"']
    if not text:
        return [*lines, _roff(line)]
    lines.append(_roff(usage(text)))
    for part in prose(text):
        rows = part.split("\n")
        if any(row.startswith("  ") for row in rows):  # a list or a formula, whose lines stay
            lines += [".PP", ".nf", *map(_roff, rows), ".fi"]
        else:
            lines += [".PP", _roff(" ".join(rows))]
    for head, what in entries(text):
        if head == "-h, --help":
            continue
        lines += [".TP", f".B {_roff(head)}", _roff(what) or r"\&"]
    return lines


def _roff(text: str) -> str:
    """Text as roff shows it, whatever its characters mean there."""
    text = re.sub(r"[\\\-`'^~]", lambda one: _ESCAPES[one[0]], text.rstrip())
    text = re.sub(r"[^\x00-\x7f]", lambda one: f"\\[u{ord(one[0]):04X}]", text)
    return rf"\&{text}" if text.startswith(".") else text.replace('"', r"\(dq")
