"""Scenes of coloured objects on a plain ground, one instruction after another: what is said, and how it looks."""

from collections.abc import Sequence
from math import ceil, sqrt
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

Shape = Literal["cube", "sphere", "cylinder"]
SHAPES: tuple[Shape, ...] = ("cube", "sphere", "cylinder")
COLORS = {
    "red": (173, 35, 35),
    "blue": (42, 75, 215),
    "green": (29, 105, 20),
    "yellow": (255, 238, 51),
    "purple": (129, 38, 192),
    "cyan": (41, 208, 208),
    "brown": (129, 74, 25),
    "gray": (87, 87, 87),
}
"""CLEVR's eight colours (Johnson et al., CVPR 2017)."""
GROUND = (206, 206, 206)
FINER = 4
"""How many times larger a scene is drawn, for smooth edges."""


class Thing(NamedTuple):
    """An object of a scene."""

    color: str
    shape: Shape
    column: int
    row: int
    """Its cell of the scene's grid."""
    x: float
    y: float
    """Its centre, as a share of the scene's side."""

    @property
    def name(self) -> str:
        """As instructions call it."""
        return f"{self.color} {self.shape}"


def compose(rng: np.random.Generator, turns: int, colors: Sequence[str] = tuple(COLORS)) -> list[tuple[str, Thing]]:
    """Return `turns` instructions, each with the object that it adds; no two of a scene look the same.

    The first object stands in the middle. Any other lies left or right of, above or below one or two that are there, in
    a cell of its own, so what is said of it is true and nothing is hidden. At most 3 · len(colors) turns.
    """
    cells = grid(turns)
    middle = cells // 2 * (cells + 1)
    free = rng.permutation([place for place in range(cells**2) if place != middle])
    looks = rng.permutation(len(SHAPES) * len(colors))[:turns]
    told: list[tuple[str, Thing]] = []
    for place, look in zip((middle, *free[: turns - 1]), looks, strict=True):
        row, column = divmod(int(place), cells)
        x, y = ((spot + 0.5 + rng.uniform(-0.1, 0.1)) / cells for spot in (column, row))
        thing = Thing(colors[look // len(SHAPES)], SHAPES[look % len(SHAPES)], column, row, x, y)
        others = [other for _, other in told]
        near = rng.permutation(len(others))[: rng.integers(1, 3)]
        where = " and ".join(_relation(thing, others[i], rng) for i in near) or "at the center"
        told.append((f"add a {thing.name} {where}", thing))
    return told


def grid(turns: int) -> int:
    """Cells on each side of a scene: an odd number, for a middle, and half as many again as objects in all, or more."""
    return ceil(sqrt(1.5 * turns)) | 1


def _relation(thing: Thing, other: Thing, rng: np.random.Generator) -> str:
    """How one object lies to another, in the direction in which they are further apart."""
    across, down = thing.column - other.column, thing.row - other.row
    if abs(across) > abs(down) or (abs(across) == abs(down) and rng.random() < 0.5):
        return f"{'left' if across < 0 else 'right'} of the {other.name}"
    return f"{'above' if down < 0 else 'below'} the {other.name}"


def draw(things: Sequence[Thing], side: int, cells: int) -> np.ndarray:
    """Return a scene (side, side, 3) uint8 with these objects, on a grid of `cells` a side."""
    fine = Image.new("RGB", (side * FINER, side * FINER), GROUND)
    pen = ImageDraw.Draw(fine)
    for thing in sorted(things, key=lambda thing: thing.y):  # what is nearer to the viewer last
        x, y, r = thing.x * side * FINER, thing.y * side * FINER, 0.36 * side * FINER / cells
        dark, plain, light = (_shade(COLORS[thing.color], share) for share in (-0.35, 0.0, 0.4))
        if thing.shape == "sphere":
            pen.ellipse((x - r, y - r, x + r, y + r), fill=dark)
            pen.ellipse((x - r, y - r, x + 0.8 * r, y + 0.8 * r), fill=plain)
            pen.ellipse((x - 0.55 * r, y - 0.6 * r, x - 0.1 * r, y - 0.15 * r), fill=light)
        elif thing.shape == "cube":
            left, top, right, low = x - r, y - 0.5 * r, x + 0.5 * r, y + r
            pen.rectangle((left, top, right, low), fill=plain)
            slope = 0.5 * r
            pen.polygon([(left, top), (left + slope, top - slope), (right + slope, top - slope), (right, top)], light)
            pen.polygon([(right, top), (right + slope, top - slope), (right + slope, low - slope), (right, low)], dark)
        else:
            wide, flat = 0.62 * r, 0.28 * r
            pen.ellipse((x - wide, y + r - 2 * flat, x + wide, y + r), fill=plain)
            pen.rectangle((x - wide, y - r + flat, x + wide, y + r - flat), fill=plain)
            pen.rectangle((x + 0.35 * wide, y - r + flat, x + wide, y + r - flat), fill=dark)
            pen.ellipse((x - wide, y - r, x + wide, y - r + 2 * flat), fill=light)
    return np.asarray(fine.reduce(FINER))


def _shade(color: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    """Make a colour lighter, or darker where the share is negative."""
    goal = 255 if share > 0 else 0
    red, green, blue = (round(value + (goal - value) * abs(share)) for value in color)
    return red, green, blue
