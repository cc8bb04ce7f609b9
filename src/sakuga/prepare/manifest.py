"""`manifest.csv` in an output folder: what became of every source, and why; a step started again goes on from it."""

import csv
import os
from collections.abc import Collection, Iterable
from io import StringIO
from pathlib import Path
from typing import Literal, NamedTuple

from sakuga.errors import UsageError
from sakuga.runtime.atomic import atomic, remove_leftovers

NAME = "manifest.csv"
HEADER = ("source", "target", "kept", "why")

Kept = Literal["yes", "no", "failed", ""]


class Row(NamedTuple):
    """What became of a source, or of a part of it (a frame, a crop).

    `target` is the file's path below the output folder (of what was not kept: the name it would have had, or nothing),
    `why` the reason it was not kept, or a remark on what was ("night").
    """

    target: str = ""
    kept: Kept = "yes"
    why: str = ""


class Manifest:
    """The manifest of a folder, which is made if it is missing.

    Sources are written relative to the folder, so a data set can be moved as a whole. The first line below the header,
    which has no source, holds the step and its options. A line that a kill cut short is left out, and so are failures
    of earlier runs: those sources are tried again.

    Args:
        out: the output folder.
        recipe: the step and the options that matter to its results: `crop size=256`.
        again: sources whose lines are forgotten; unless None, the folder may have been made with other options.

    Raises:
        UsageError: the folder holds files and no manifest, or was made with another recipe (unless `again` is given).
    """

    def __init__(self, out: Path, recipe: str, *, again: Collection[Path] | None = None) -> None:
        self.path = out / NAME
        if out.exists() and not out.is_dir():
            raise UsageError(f"--output {out} is a file: name a folder")
        before = read(out)
        if again is None:
            if not before and out.is_dir() and any(not file.name.startswith(".") for file in out.iterdir()):
                raise UsageError(f"--output {out} holds files already and no {NAME}: name a new or an empty folder")
            made = next((rows[0].why for source, rows in before.items() if not source), recipe)
            if made != recipe:
                raise UsageError(
                    f"--output {out} was made by `{made}`, not by `{recipe}`: name another folder, "
                    "or make it again with --overwrite"
                )
        forgotten = {"", *map(self._key, again or ())}
        self.rows: dict[str, list[Row]] = {"": [Row("", "", recipe)]}
        """The rows of every source that is done, by its path relative to the folder."""
        for source, rows in before.items():
            if source not in forgotten and all(row.kept != "failed" for row in rows):
                self.rows[source] = rows
        out.mkdir(parents=True, exist_ok=True)
        for folder in {leftover.parent for leftover in out.rglob(".sakuga-*")}:
            remove_leftovers(folder)
        with atomic(self.path, overwrite=True) as temporary:
            lines = _lines([HEADER, *((source, *row) for source, rows in self.rows.items() for row in rows)])
            temporary.write_text(lines, encoding="utf-8", errors="surrogateescape", newline="")

    def __contains__(self, source: Path) -> bool:
        return self._key(source) in self.rows

    def of(self, source: Path) -> list[Row]:
        """Return the rows of a source that is done."""
        return self.rows[self._key(source)]

    def add(self, source: Path, rows: Iterable[Row]) -> None:
        """Append the rows of one source, all in one write; from then on it is done, unless one of them failed."""
        key = self._key(source)
        self.rows[key] = list(rows) or [Row("", "no", "nothing in it")]
        with self.path.open("a", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(_lines((key, *row) for row in self.rows[key]))

    def _key(self, source: Path) -> str:
        try:
            return Path(os.path.relpath(source, self.path.parent)).as_posix()
        except ValueError:  # on another drive
            return Path(os.path.abspath(source)).as_posix()


def read(out: Path) -> dict[str, list[Row]]:
    """Return the rows of a folder's manifest by source; nothing where there is none.

    Raises:
        UsageError: the file is something else.
    """
    path = out / NAME
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return {}
    header, *lines = csv.reader(StringIO(text[: text.rfind("\n") + 1], newline="")) or [[]]
    if tuple(header) != HEADER:
        raise UsageError(f"{path} is not a manifest of sakuga: name another output folder")
    found: dict[str, list[Row]] = {}
    for line in lines:
        if len(line) == len(HEADER):
            source, target, kept, why = line
            found.setdefault(source, []).append(Row(target, kept, why))  # type: ignore[arg-type]
    return found


def _lines(rows: Iterable[Iterable[str]]) -> str:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
