"""Figures as people and programs read them: a table on the terminal, JSON in a file."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sakuga.evaluation.evaluate import Evaluation
from sakuga.evaluation.measures import named
from sakuga.runtime.atomic import atomic


def write_json(facts: Mapping[str, Any], path: Path, overwrite: bool) -> None:
    """Write facts as JSON, whole or not at all; a missing folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path, overwrite=overwrite) as temporary:
        temporary.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


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
