"""`sakuga prepare check`: a data set is looked over before it is trained on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from sakuga.errors import UsageError
from sakuga.prepare.files import save
from sakuga.prepare.findings import findings
from sakuga.prepare.needs import needs, validate
from sakuga.prepare.options import Cluster, Number
from sakuga.prepare.sheet import contact_sheet
from sakuga.prepare.survey import Survey, plural, survey
from sakuga.runtime.atomic import check_free
from sakuga.runtime.console import print_path, print_table, printable
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
    workers: Number = None,
    cluster: Cluster = None,
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
        cluster: work on all machines of the Ray cluster at HOST:PORT, ray://HOST:PORT or auto, or on one begun here.
    """
    given = {"photos": photos, "style": style, "targets": (targets,) if targets else (), "test": test}
    given = {name: places for name, places in given.items() if places}
    chosen = load_system(system) if system else None
    if not given:
        if chosen is None:
            raise UsageError("name what to check: --photos DIR, --style DIR, --targets DIR or --test DIR")
        _show_expectations(chosen, {})
        raise UsageError(f"name the folders for {chosen.name} to check them")
    if sheet is not None:
        _refuse_sheet(sheet, overwrite)
    surveys = {name: survey(name, places, workers, cluster) for name, places in given.items()}
    _show_contents(surveys)
    sentences = list(findings(surveys))
    if chosen is not None:
        print()
        _show_expectations(chosen, surveys)
        sentences += validate(chosen, given, surveys)
    elif "style" in surveys and len(surveys["style"].facts) == 1:
        sentences.append(("note", "--style holds one picture: fast_style learns from one, the others need many."))
    print()
    for kind, sentence in sorted(sentences, key=lambda one: one[0] != "problem"):
        print(printable(f"{kind}: {sentence}"))
    if sheet is not None:
        save(contact_sheet({f"--{n}": [fact.path for fact in s.facts] for n, s in surveys.items() if s.facts}), sheet)
        print_path(sheet)
    problems = sum(kind == "problem" for kind, _ in sentences)
    print(plural(problems, "problem") if problems else "fine: no problem found")
    return 1 if problems else 0


def _refuse_sheet(sheet: Path, overwrite: bool) -> None:
    """Before the pictures are looked at, which may take a minute."""
    if sheet.suffix.lower() != ".png":
        raise UsageError(f"--sheet {sheet} must end in .png")
    check_free(sheet, overwrite)
    if not sheet.absolute().parent.is_dir():
        raise UsageError(f"--sheet {sheet}: {sheet.parent} is not an existing folder; create it first")


def _show_contents(surveys: Mapping[str, Survey]) -> None:
    columns = (
        "",
        "pictures",
        "unreadable",
        "shorter side, least / median / largest",
        "formats",
        "brightness",
        "saturation",
    )
    rows = (
        (f"--{name}", len(one.facts), len(one.broken), one.sizes, one.formats, *map(one.spread, columns[-2:]))
        for name, one in surveys.items()
    )
    print_table(rows, columns)


def _show_expectations(system: type[System], surveys: Mapping[str, Survey]) -> None:
    given = {name: plural(len(found.facts), "picture") for name, found in surveys.items()}
    rows = ((f"--{need.field}", need.told, given.get(need.field, "nothing")) for need in needs(system))
    print_table(rows, (f"{system.name} expects", "what", "given"))
