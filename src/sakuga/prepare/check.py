"""`sakuga prepare check`: a data set is looked over before it is trained on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from rich.table import Table
from tyro.conf import arg

from sakuga.errors import UsageError
from sakuga.prepare.files import save
from sakuga.prepare.findings import findings
from sakuga.prepare.needs import needs, validate
from sakuga.prepare.report import show
from sakuga.prepare.sheet import contact_sheet
from sakuga.prepare.survey import Survey, plural, survey
from sakuga.systems import load_system
from sakuga.systems.base import System


def check(
    *,
    photos: tuple[Path, ...] = (),
    style: tuple[Path, ...] = (),
    targets: Path | None = None,
    test: tuple[Path, ...] = (),
    system: Annotated[str, arg(name="for", metavar="SYSTEM", help_behavior_hint="")] = "",
    sheet: Path | None = None,
    overwrite: bool = False,
    workers: int | None = None,
) -> int:
    """Look over a data set before training: what there is, what cannot be read, what is there twice, what does not fit.

    The exit status is 1 where there is a problem; notes are for you to judge.

    Args:
        photos: folders of photographs, as for `sakuga train`.
        style: folders of pictures in the style; one picture for fast_style.
        targets: folder of the partners of --photos, for pix2pix.
        test: folders that are kept for testing, none of whose pictures should be in the others.
        system: the system to be trained: tells what it expects, and whether the folders are that.
        sheet: draw pictures from all over the folders on one, a PNG.
        overwrite: replace the sheet.
        workers: processes; by default one for each core.
    """
    given = {"photos": photos, "style": style, "targets": (targets,) if targets else (), "test": test}
    given = {name: places for name, places in given.items() if places}
    chosen = load_system(system) if system else None
    if not given:
        if chosen is None:
            raise UsageError("name what to check: --photos DIR, --style DIR, --targets DIR or --test DIR.")
        show(_expectations(chosen, {}))
        raise UsageError(f"name the folders for {chosen.name} to check them.")
    if sheet is not None:
        _refuse_sheet(sheet, overwrite)
    surveys = {name: survey(name, places, workers) for name, places in given.items()}
    show(_contents(surveys))
    sentences = list(findings(surveys))
    if chosen is not None:
        print()
        show(_expectations(chosen, surveys))
        sentences += validate(chosen, given, surveys)
    elif "style" in surveys and len(surveys["style"].facts) == 1:
        sentences.append(("note", "--style holds one picture: fast_style learns from one, the others need many."))
    print()
    for kind, sentence in sorted(sentences, key=lambda one: one[0] != "problem"):
        print(f"{kind}: {sentence}")
    if sheet is not None:
        save(contact_sheet({f"--{n}": [fact.path for fact in s.facts] for n, s in surveys.items() if s.facts}), sheet)
        print(sheet)
    problems = sum(kind == "problem" for kind, _ in sentences)
    print(plural(problems, "problem") if problems else "fine: no problem found")
    return 1 if problems else 0


def _refuse_sheet(sheet: Path, overwrite: bool) -> None:
    """Before the pictures are looked at, which may take a minute."""
    if sheet.suffix.lower() != ".png":
        raise UsageError(f"--sheet {sheet} must end in .png.")
    if sheet.exists() and not overwrite:
        raise UsageError(f"--sheet {sheet} exists already: choose another name or allow overwriting (--overwrite).")
    if not sheet.absolute().parent.is_dir():
        raise UsageError(f"--sheet {sheet}: {sheet.parent} is not an existing folder; create it first.")


def _contents(surveys: Mapping[str, Survey]) -> Table:
    columns = (
        "",
        "pictures",
        "unreadable",
        "shorter side, least / median / largest",
        "formats",
        "brightness",
        "saturation",
    )
    table = Table(*columns, box=None, pad_edge=False)
    for name, one in surveys.items():
        numbers = (str(len(one.facts)), str(len(one.broken)), one.sizes, one.formats)
        table.add_row(f"--{name}", *numbers, one.spread("brightness"), one.spread("saturation"))
    return table


def _expectations(system: type[System], surveys: Mapping[str, Survey]) -> Table:
    table = Table(f"{system.name} expects", "what", "given", box=None, pad_edge=False)
    for need in needs(system):
        found = surveys.get(need.field)
        table.add_row(f"--{need.field}", need.told, plural(len(found.facts), "picture") if found else "nothing")
    return table
