"""A comparison as one HTML page that needs nothing else: no server, no library, no other file."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from io import BytesIO
from pathlib import Path

from PIL import Image

from sakuga.evaluation.curves import chart, legend
from sakuga.evaluation.evaluate import Evaluation
from sakuga.evaluation.measures import named
from sakuga.evaluation.report import number
from sakuga.evaluation.runs import Training, differences
from sakuga.evaluation.sheet import Row
from sakuga.runtime.http import SCRIPTS

TEMPLATE = Path(__file__).with_name("report.html")


def page(found: Evaluation, rows: Sequence[Row], trainings: Mapping[str, Training]) -> str:
    """Return the page of figures, pictures and, by label, trainings."""
    labels = list(found.styles)
    count = found.settings["photos"]["count"]
    parts = {
        "title": escape(f"{', '.join(labels)}: a comparison"),
        "subtitle": escape(f"{len(rows)} of {count} photos; the figures are of all {count}."),
        "pictures": "\n".join(map(_photo, rows)),
        "figures": _figures(found),
        "notes": "".join(f'<p class="soft">{escape(note)}</p>' for note in found.notes),
        "trainings": _trainings(trainings) if trainings else "",
        "settings": escape(json.dumps({**found.settings, "styles": found.facts}, indent=1, ensure_ascii=False)),
        # Within a script only "</" could end it.
        "compare": SCRIPTS["compare.js"].read_text(encoding="utf-8"),
        "labels": json.dumps(["photo", *labels], ensure_ascii=False).replace("<", "\\u003c"),
    }
    template = TEMPLATE.read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda name: parts[name[1]], template)


def _photo(row: Row) -> str:
    pictures = {"photo": row.photo, **row.painted}
    strip = "".join(
        f'<figure><img src="{_embedded(picture)}" width="{picture.width}" height="{picture.height}" '
        f'alt="{escape(row.name)}, {escape(label)}"><figcaption>{escape(label)}</figcaption></figure>'
        for label, picture in pictures.items()
    )
    name = escape(row.name)
    return (
        f'<section class="photo" data-name="{name}"><h3>{name}</h3>'
        f'<div class="pair" style="--width:{row.photo.width}px" hidden><img class="left" alt="">'
        '<img class="right" alt=""></div>'
        f'<div class="strip" tabindex="0" role="group" aria-label="{name}, all">{strip}</div></section>'
    )


def _embedded(picture: Image.Image) -> str:
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=85, method=4)
    return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"


def _figures(found: Evaluation) -> str:
    rows = []
    for measure in named(found.set_name):
        values = [figures.get(measure.name) for figures in found.styles.values()]
        own = found.photo.get(measure.name)
        if all(value is None for value in (own, *values)):
            continue
        real = [value for value in values if value is not None and value == value]
        best = min(real) if measure.lower and len({*real}) > 1 else None
        cells = "".join(
            f'<td class="best">{number(value)} ★</td>' if value == best and best is not None else _cell(number(value))
            for value in values
        )
        meaning = measure.meaning + (", lower is better" if measure.lower else "")
        rows.append(f"<tr><th>{escape(measure.name)}</th>{_cell(number(own))}{cells}{_text(meaning)}</tr>")
    for name, unit, factor in (("parameters", "million, of the exported network", 1e-6), ("bytes", "MB, file", 1e-6)):
        cells = "".join(_cell(number(facts[name] * factor)) for facts in found.facts.values())
        rows.append(f"<tr><th>{name}</th>{_cell('-')}{cells}{_text(unit)}</tr>")
    return _table(["measure", "photo", *found.styles, "what it is; ★ is the best of the row"], rows)


def _trainings(trainings: Mapping[str, Training]) -> str:
    runs = list(trainings.values())
    networks = sorted({name for run in runs for name in run.parameters})
    facts = {
        "system": [run.system for run in runs],
        "steps": [str(run.steps) for run in runs],
        "seconds per 1,000 steps": [number(_times(run.seconds_per_step, 1000)) for run in runs],
        "seconds per epoch": [number(_times(run.seconds_per_step, run.steps_per_epoch)) for run in runs],
        "steps per epoch": [number(run.steps_per_epoch) for run in runs],
        "network that is exported": [run.output for run in runs],
    }
    facts |= {
        f"parameters of {n}": [f"{r.parameters[n]:,}" if n in r.parameters else "-" for r in runs] for n in networks
    }
    terms = sorted({term for run in runs for term in run.curves})
    charts = (chart(term, {k: run.curves.get(term, []) for k, run in trainings.items()}) for term in terms)
    parts = [
        "<h2>Trainings</h2>",
        _wide(trainings, facts),
        '<p class="soft">Times are medians of the log, without samples and checkpoints, where the training ran. '
        "An epoch is as many steps as photos divided by the batch.</p>",
        f'{legend(list(trainings))}<div class="charts">{"".join(charts)}</div>',
    ]
    if len(runs) > 1:
        changed = differences([run.config for run in runs])
        parts += [
            "<h2>Where their configurations differ</h2>",
            _wide(trainings, changed) if changed else "<p>Nowhere.</p>",
        ]
    return "\n".join(parts)


def _wide(columns: Iterable[str], rows: Mapping[str, Sequence[str]]) -> str:
    lines = [f"<tr><th>{escape(name)}</th>{''.join(map(_cell, values))}</tr>" for name, values in rows.items()]
    return f'<div class="wide">{_table(["", *columns], lines)}</div>'


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _text(text: str) -> str:
    return f'<td class="text">{escape(text)}</td>'


def _times(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a * b
