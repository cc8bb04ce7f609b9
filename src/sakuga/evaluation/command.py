"""`sakuga evaluate`: a style in figures."""

import json as json_
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table

from sakuga.atomic import atomic
from sakuga.errors import SakugaError
from sakuga.evaluation.evaluate import Evaluation, Options, evaluate
from sakuga.evaluation.given import Which, styles
from sakuga.evaluation.measures import named
from sakuga.lists import join_lists


def main(args: Sequence[str]) -> int:
    """Run `sakuga evaluate STYLE|RUN --photos DIR ...`; the exit status, 1 if some picture could not be read."""
    return tyro.cli(command, args=join_lists(args, command, Options), prog="sakuga evaluate")


def command(
    style: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="STYLE|RUN")],
    /,
    options: Annotated[Options, tyro.conf.arg(name="")],
    *,
    which: Which = "last",
    json: Path | None = None,
    overwrite: bool = False,
) -> int:
    """Measure a style: how near it comes to its pictures, what it keeps of the photo, grain, flicker, speed.

    Args:
        style: a style's name or file, or the folder of a training.
        options: what is measured.
        which: of a training, the last weights or the best by KID.
        json: also write the figures to this file, with everything they depend on.
        overwrite: replace an existing file.
    """
    if json is not None:
        check_free(json, overwrite)
    with tempfile.TemporaryDirectory() as scratch:
        found = evaluate(styles([style], which=which, scratch=Path(scratch)), options)
    if json is not None:
        write_json(found.to_dict(), json, overwrite)
    show(found)
    return tell(found)


def check_free(path: Path, overwrite: bool) -> None:
    """Raise SakugaError before the work, not after it, when a file is in the way or there can be no such file."""
    if path.exists() and not overwrite:
        raise SakugaError(f"{path} exists already: choose another name or allow overwriting (--overwrite)")
    above = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if path.is_dir() or (above != path and not above.is_dir()):
        raise SakugaError(f"{path} cannot be written: choose another name")


def write_json(facts: Mapping[str, Any], path: Path, overwrite: bool) -> None:
    """Write facts as JSON, whole or not at all; a missing folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path, overwrite=overwrite) as temporary:
        temporary.write_text(json_.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def tell(found: Evaluation) -> int:
    """Print notes and failures on standard error; the exit status."""
    for note in (*found.notes, *found.failed):
        print(f"sakuga: {note}", file=sys.stderr)
    return 1 if found.failed else 0


def show(found: Evaluation) -> None:
    """Print the table on standard output."""
    width = None if sys.stdout.isatty() else 60 + 24 * len(found.styles) + 40
    Console(highlight=False, markup=False, emoji=False, width=width).print(table(found))


def table(found: Evaluation) -> Table:
    """Return the figures as a table: a row for each measure, a column for the photo and each style."""
    shown = Table("measure", "photo", *found.styles, "what it is", box=None, pad_edge=False)
    for column in shown.columns[1:-1]:
        column.justify = "right"
    for measure in named(found.set_name):
        columns = [found.photo, *found.styles.values()]
        if any(measure.name in column for column in columns):
            meaning = measure.meaning + (", lower is better" if measure.lower else "")
            shown.add_row(measure.name, *(number(column.get(measure.name)) for column in columns), meaning)
    return shown


def number(value: float | None) -> str:
    """Four digits, or a dash where there is no figure."""
    return "-" if value is None or value != value else f"{value:.4g}"
