"""`sakuga prepare pairs`: two folders become pictures side by side, or the other way round."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from tyro.conf import Positional, arg

from sakuga.data.images import load_image
from sakuga.errors import SakugaError, UsageError
from sakuga.prepare.files import File, find, save
from sakuga.prepare.manifest import Row
from sakuga.prepare.runner import describe, work

SHOWN = 5


def pairs(
    inputs: Annotated[Positional[list[Path]], arg(metavar="IN [IN]", help_behavior_hint="")],
    /,
    *,
    output: Annotated[Path, arg(aliases=["-o"], metavar="DIR")],
    direction: Literal["AtoB", "BtoA"] = "AtoB",
    workers: int | None = None,
    overwrite: bool = False,
) -> int:
    """Join pictures of equal names in two folders, A and B, to pictures A|B; or divide such pictures.

    Either form is what `sakuga train pix2pix` reads. Results are PNG.

    Args:
        inputs: two folders, A and B, to be joined; or one of pictures side by side, to be divided.
        output: folder of the joined pictures, or the one in which folders A and B are made.
        direction: where A is in the picture: at the left with AtoB, at the right with BtoA.
        workers: processes; by default one for each core.
        overwrite: make again what is there.
    """
    if len(inputs) == 1:
        files = [File(file.source, "A" / file.name) for file in find(inputs, output)]
        function = partial(_divide, output, direction)
    elif len(inputs) == 2:
        files, partners = (find([folder], output) for folder in inputs)
        refuse_unmatched(files, inputs[0], partners, inputs[1])
        suffixes = {file.source.suffix for file in partners}
        function = partial(_join, inputs[1], suffixes, direction, output)
    else:
        raise UsageError(f"{len(inputs)} inputs: name two folders to join, or one to divide")
    recipe = describe("pairs", inputs=len(inputs), direction=direction)
    return work(files, function, output, recipe=recipe, workers=workers, overwrite=overwrite)


def refuse_unmatched(files: Sequence[File], folder: Path, partners: Sequence[File], other: Path) -> None:
    """Raise UsageError where a picture of one folder has no partner of its name in the other."""
    alone = {file.name: (file.source, other) for file in files}
    for file in partners:
        if alone.pop(file.name, None) is None:
            alone[file.name] = (file.source, folder)
    if alone:
        told = "; ".join(f"{source} has no partner in {missing}" for source, missing in list(alone.values())[:SHOWN])
        more = f"; and {len(alone) - SHOWN} more" if len(alone) > SHOWN else ""
        raise UsageError(f"{told}{more}: pairs must have the same name in both folders, and only one of it in each")


def _divide(output: Path, direction: str, source: Path, target: Path) -> Sequence[Row]:
    picture = load_image(source)
    width = picture.shape[1]
    if width % 2:
        raise SakugaError(f"{source} is {width} pixels wide, which cannot be halved: cut a column off, or remove it")
    halves = picture[:, : width // 2], picture[:, width // 2 :]
    rows = []
    for side, half in zip("AB" if direction == "AtoB" else "BA", halves, strict=True):
        result = output / side / target.relative_to(output / "A").with_name(f"{target.name}.png")
        result.parent.mkdir(parents=True, exist_ok=True)
        save(np.ascontiguousarray(half), result)
        rows.append(Row(str(result)))
    return rows


def _join(other: Path, suffixes: set[str], direction: str, output: Path, source: Path, target: Path) -> Sequence[Row]:
    name = target.relative_to(output)
    partner = next(p for s in suffixes if (p := other / name.with_name(f"{name.name}{s}")).is_file())
    a, b = load_image(source), load_image(partner)
    if a.shape != b.shape:
        raise SakugaError(
            f"{source} is {a.shape[1]}x{a.shape[0]} but {partner} {b.shape[1]}x{b.shape[0]}: "
            "scale one of them, a pair must have one size"
        )
    result = target.with_name(f"{target.name}.png")
    save(np.concatenate((a, b) if direction == "AtoB" else (b, a), axis=1), result)
    return [Row(str(result))]
