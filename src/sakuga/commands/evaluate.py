"""`sakuga evaluate`: a style in figures."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from sakuga.commands.options import ADDRESS, add_usual, join_lists
from sakuga.evaluation.edited import evaluate_edited
from sakuga.evaluation.evaluate import Options, evaluate
from sakuga.evaluation.generators import evaluate_generator
from sakuga.evaluation.given import Which, styles
from sakuga.evaluation.path_lengths import STEERED, add_path_lengths
from sakuga.evaluation.report import show, tell, write_json
from sakuga.runtime.atomic import check_free


def main(args: Sequence[str]) -> int:
    """Run `sakuga evaluate STYLE|RUN --photos DIR ...`; the exit status, 1 if some picture could not be read."""
    args = add_usual(join_lists(args, command, Options), "--cluster", "local", ADDRESS)
    return tyro.cli(command, args=args, prog="sakuga evaluate")


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

    One that makes pictures of noise is given no --photos: --count of its results are compared with --style-images, and
    where these lie in a folder for each class, a classifier tells how many are of the class that was asked for. One
    that changes attributes or domains is given --photos with their --labels.

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
        loaded = styles([style], which=which, scratch=Path(scratch))
        ((label, one),) = loaded.items()
        if options.labels is not None and one.card.photo:
            found = evaluate_edited(label, one, options)
        else:
            found = evaluate(loaded, options) if one.card.photo else evaluate_generator(label, one, options)
        if options.pairs and one.card.system in STEERED:
            add_path_lengths(found, label, style, which, options)
    if json is not None:
        write_json(found.to_dict(), json, overwrite)
    show(found)
    return tell(found)
