"""The pictures of a comparison: painted at full size, and laid out on one sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sakuga.data.images import load_image
from sakuga.errors import SakugaError
from sakuga.style import Style
from sakuga.stylizer import Stylizer

COLUMN, GAP, LINE = 480, 8, 26


@dataclass
class Row:
    """One photo and what each style makes of it, by label."""

    name: str
    photo: Image.Image
    painted: dict[str, Image.Image] = field(default_factory=dict)


def paint(
    paths: Sequence[Path], styles: Mapping[str, Style], *, max_side: int, threads: int | None = None
) -> list[Row]:
    """Paint photos, reduced to `max_side` where they are larger; those that cannot be read are left out."""
    workers = {label: Stylizer(style, threads=threads) for label, style in styles.items()}
    rows = []
    for path in paths:
        try:
            photo = load_image(path, max_side=max_side)
        except SakugaError:
            continue
        stylized = {label: Image.fromarray(stylizer.array(photo)) for label, stylizer in workers.items()}
        rows.append(Row(path.stem, Image.fromarray(photo), stylized))
    return rows


def sheet(rows: Sequence[Row]) -> Image.Image:
    """Lay the rows below each other: the photo and every style in columns of 480 pixels, their labels above."""
    columns = ["photo", *rows[0].painted]
    step = COLUMN + GAP
    heights = [round(COLUMN * row.photo.height / row.photo.width) for row in rows]
    whole = np.full((LINE + sum(heights) + GAP * len(rows), step * len(columns) - GAP, 3), 255, np.uint8)
    canvas = Image.fromarray(whole)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(16)
    for i, label in enumerate(columns):
        draw.text((i * step + 4, 3), label, "black", font)
    top = LINE
    for row, height in zip(rows, heights, strict=True):
        for i, picture in enumerate([row.photo, *row.painted.values()]):
            canvas.paste(picture.resize((COLUMN, height), Image.Resampling.LANCZOS), (i * step, top))
        top += height + GAP
    return canvas
