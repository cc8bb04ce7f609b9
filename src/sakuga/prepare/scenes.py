"""`sakuga prepare scenes`: drawn scenes with the instructions that build them, for geneva to learn from."""

import csv
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
from tyro.conf import arg

from sakuga.data.turns import HEADER, TABLE
from sakuga.errors import UsageError
from sakuga.prepare.files import save
from sakuga.prepare.objects import COLORS, SHAPES, compose, draw, grid
from sakuga.prepare.runner import parallel
from sakuga.runtime.atomic import atomic
from sakuga.runtime.console import printable

MAX_TURNS, MIN_SIDE, MAX_SIDE = 12, 16, 1024


def scenes(
    *,
    output: Annotated[Path, arg(aliases=["-o"], metavar="DIR")],
    count: int = 10_000,
    turns: int = 5,
    side: int = 128,
    colors: int = len(COLORS),
    seed: int = 0,
    workers: int | None = None,
    overwrite: bool = False,
) -> int:
    """Draw scenes of cubes, spheres and cylinders that grow by one object with each instruction.

    They are what i-CLEVR is to GeNeVA-GAN, drawn flat: "add a red cube at the center", "add a blue sphere left of the
    red cube". Each scene is a folder of PNG pictures, the first of them empty. The table turns.csv has a line for each
    picture: its scene, its file, what was said, and the objects that are then there.

    Args:
        output: folder of the scenes, new or empty.
        count: scenes.
        turns: instructions for each.
        side: of the square pictures, pixels.
        colors: how many of red, blue, green, yellow, purple, cyan, brown and gray there are.
        seed: of all random numbers: the same one draws the same scenes, and a larger count more of them.
        workers: processes; by default one for each core.
        overwrite: draw again what is there.
    """
    bounds = {"count": (1, 10**6), "turns": (1, MAX_TURNS), "side": (MIN_SIDE, MAX_SIDE), "colors": (1, len(COLORS))}
    for (name, (least, most)), value in zip(bounds.items(), (count, turns, side, colors), strict=True):
        if not least <= value <= most:
            raise UsageError(f"--{name} must be from {least} to {most}, not {value}")
    if seed < 0:
        raise UsageError(f"--seed must be at least 0, not {seed}")
    if turns > len(SHAPES) * colors:
        raise UsageError(f"--colors {colors} gives {len(SHAPES) * colors} objects, too few for --turns {turns}")
    if output.exists() and not output.is_dir():
        raise UsageError(f"--output {output} is a file: name a folder")
    if output.is_dir() and any(output.iterdir()) and not overwrite:
        raise UsageError(f"--output {output} holds files already: name a new or an empty folder, or add --overwrite")
    output.mkdir(parents=True, exist_ok=True)
    drawn = partial(_scene, output, turns, side, tuple(COLORS)[:colors], seed)
    with atomic(output / TABLE, overwrite=True) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(HEADER)
        for _, lines in parallel(drawn, range(count), title="scenes", workers=workers):
            if isinstance(lines, Exception):
                raise lines
            table.writerows(lines)
    print(printable(f"{output}: {count} scenes of {turns} turns"), flush=True)
    return 0


def _scene(output: Path, turns: int, side: int, colors: tuple[str, ...], seed: int, number: int) -> list[list[str]]:
    """Draw one scene and return its lines of the table."""
    told = compose(np.random.default_rng((seed, number)), turns, colors)
    name = f"{number:06}"
    (output / name).mkdir(exist_ok=True)
    lines = []
    for turn, said in enumerate(["", *(instruction for instruction, _ in told)]):
        things = [thing for _, thing in told[:turn]]
        picture = f"{name}/{turn}.png"
        save(draw(things, side, grid(turns)), output / picture)
        lines.append([name, picture, said, " ".join(f"{thing.color}-{thing.shape}" for thing in things)])
    return lines
