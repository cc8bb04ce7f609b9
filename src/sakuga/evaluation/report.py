"""Figures as people and programs read them: a table on the terminal, JSON in a file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sakuga.evaluation.evaluate import Evaluation
from sakuga.evaluation.measures import named
from sakuga.runtime.atomic import atomic
from sakuga.runtime.console import print_table, say


def write_json(facts: Mapping[str, Any], path: Path, overwrite: bool) -> None:
    """Write facts as JSON, whole or not at all; a missing folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path, overwrite=overwrite) as temporary:
        temporary.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def tell(found: Evaluation) -> int:
    """Print notes and failures on standard error; the exit status."""
    for note in (*found.notes, *found.failed):
        say(note)
    return 1 if found.failed else 0


def show(found: Evaluation) -> None:
    """Print a table: a row for each measure, a column for the photo, where there is one, and each style."""
    rows = []
    photo = {"photo": found.photo} if found.photo else {}  # none where pictures are made of noise
    columns = (photo | found.styles).values()
    for measure in named(found.set_name):
        if any(measure.name in column for column in columns):
            meaning = measure.meaning + (", lower is better" if measure.lower else "")
            rows.append((measure.name, *(number(column.get(measure.name)) for column in columns), meaning))
    header = ("measure", *photo, *found.styles, "what it is")
    print_table(rows, header, right=range(1, len(columns) + 1), width=100 + 24 * len(found.styles))


def number(value: float | None) -> str:
    """Four digits, or a dash where there is no figure."""
    return "-" if value is None or value != value else f"{value:.4g}"
