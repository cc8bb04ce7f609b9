"""`sakuga --help`: how to begin, the options that a newcomer needs, and the verbs, those that use styles first."""

import shutil
import textwrap
from collections.abc import Iterable, Mapping

from sakuga.commands.help_text import Run, entries, help_text

BEGIN = {
    "sakuga photo.jpg": "photo.anime.jpg beside it",
    "sakuga photo.jpg -s all --sheet all.jpg": "the photo in every style, to choose from",
    "sakuga clip.mp4 -s hayao": "a video, with its sound",
    "sakuga holiday/ -o anime/": "a folder",
}
OPTIONS = ("--output", "--style", "--strength", "--keep-color", "--max-side", "--sheet", "--overwrite")
"""Options of `sakuga stylize` to begin with."""
MAKING = ("prepare", "train", "export", "evaluate", "compare", "project", "import", "download")
"""The verbs for those who make styles; the others use them."""


def overview(about: str, verbs: Mapping[str, str], run: Run) -> str:
    """Return the help of the command.

    Args:
        about: What the command is for, and how it is written.
        verbs: What each is for, by name.
        run: The command, whose `stylize --help` says what its options do.
    """
    known = [(head, what) for head, what in entries(help_text(run, "stylize")) if head.startswith("-")]
    # Of several sentences the first says enough here.
    options = [(head, what.partition(". ")[0].rstrip(".") + ".") for head, what in known if _names(head) & {*OPTIONS}]
    sections = {
        "to begin with": BEGIN.items(),
        "options (sakuga help stylize lists all)": options,
        "verbs (sakuga help VERB lists their options)": [pair for pair in verbs.items() if pair[0] not in MAKING],
        "verbs for styles of your own": [(verb, verbs[verb]) for verb in MAKING],
        "others": [
            ("-V, --version", "The version."),
            ("--completion bash|zsh|fish", "A script by which the shell completes."),
            ("--man", "The man page."),
        ],
    }
    head = ["usage: sakuga IN... [options]", "       sakuga VERB ...", "", *textwrap.wrap(about, _width())]
    return "\n".join([*head, *(line for title, rows in sections.items() for line in ("", f"{title}:", *_table(rows)))])


def _names(head: str) -> set[str]:
    return set(head.replace(",", " ").split())


def _table(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    left = max(len(head) for head, _ in rows) + 4
    lines = []
    for head, what in rows:
        first, *rest = textwrap.wrap(what, max(20, _width() - left))
        lines += [f"  {head:{left - 4}}  {first}", *(" " * left + line for line in rest)]
    return lines


def _width() -> int:
    return min(shutil.get_terminal_size().columns, 100)
