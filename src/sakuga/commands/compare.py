"""`sakuga compare`: styles and trainings side by side on one page."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from sakuga.commands.options import ADDRESS, add_usual, join_lists
from sakuga.data.images import find_images
from sakuga.errors import SakugaError, UsageError
from sakuga.evaluation import given
from sakuga.evaluation.evaluate import Options, evaluate, spread
from sakuga.evaluation.page import page
from sakuga.evaluation.report import show, tell, write_json
from sakuga.evaluation.runs import read_training
from sakuga.evaluation.sheet import paint, sheet
from sakuga.runtime.atomic import atomic, check_free
from sakuga.runtime.console import print_path


def main(args: Sequence[str]) -> int:
    """Run `sakuga compare A B ... --photos DIR -o DIR|FILE.html`; the exit status, 1 for unreadable photos."""
    args = add_usual(join_lists(args, command, Options), "--cluster", "local", ADDRESS)
    return tyro.cli(command, args=args, prog="sakuga compare")


def command(
    styles: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[STYLE|RUN ...]")],
    /,
    options: Annotated[Options, tyro.conf.arg(name="")],
    *,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR|FILE.html")],
    runs: tuple[Path, ...] = (),
    which: given.Which = "last",
    pictures: int = 6,
    max_side: int = 1280,
    overwrite: bool = False,
) -> int:
    """Make a page that lays styles and trainings side by side: pictures with a slider, figures, curves.

    Args:
        styles: names or files of styles, or folders of trainings.
        options: what is measured.
        output: a folder, for compare.html, compare.png and compare.json, or the name of the page, beside which the
            other two lie.
        runs: folders of trainings; the same as naming them among the styles.
        which: of trainings, the last weights or the best by KID.
        pictures: how many photos the page shows, spread evenly; the figures are of all.
        max_side: photos are shown at their full size, but no larger than this.
        overwrite: replace existing files.
    """
    names = [*styles, *map(str, runs)]
    if not names:
        raise UsageError("name two styles or more, or folders of trainings.")
    for option, value in (("pictures", pictures), ("max-side", max_side)):
        if value < 1:
            raise UsageError(f"--{option} must be at least 1, not {value}.")
    target = output if output.suffix.lower() in (".html", ".htm") else output / "compare.html"
    if output.is_file() and target != output:
        raise UsageError(f"-o {output} is a file; name a folder or a .html file.")
    sheet_file, json_file = target.with_suffix(".png"), target.with_suffix(".json")
    for path in (target, sheet_file, json_file):
        check_free(path, overwrite)

    with tempfile.TemporaryDirectory() as scratch:
        loaded = given.styles(names, which=which, scratch=Path(scratch))
        labelled = zip(loaded, names, strict=True)
        trainings = {label: read_training(Path(name), which) for label, name in labelled if given.is_run(name)}
        found = evaluate(loaded, options)
        shown = spread(spread(find_images(options.photos), options.count), pictures)
        rows = paint(shown, loaded, max_side=max_side, threads=options.threads)
    if not rows:
        raise SakugaError("none of the photos that the page was to show can be read; ask for more (--pictures).")
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic(target, overwrite=overwrite) as temporary:
        temporary.write_text(page(found, rows, trainings), encoding="utf-8")
    with atomic(sheet_file, overwrite=overwrite) as temporary:
        sheet(rows).save(temporary, format="PNG")
    write_json(found.to_dict() | {"trainings": {k: v.describe() for k, v in trainings.items()}}, json_file, overwrite)
    show(found)
    print_path(target)
    return tell(found)
