"""The pictures of a comparison: painted at full size, and laid out on one sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from sakuga.data.images import load_image
from sakuga.errors import SakugaError
from sakuga.picture.sheet import Cell, contact_sheet
from sakuga.style import Style
from sakuga.stylizer import Stylizer

COLUMN = 480


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
        stylized = {label: stylizer(photo) for label, stylizer in workers.items()}
        rows.append(Row(path.stem, Image.fromarray(photo), stylized))
    return rows


def sheet(rows: Sequence[Row]) -> Image.Image:
    """Lay the rows below each other: the photo and every style in columns of 480 pixels, their labels below."""

    def cell(picture: Image.Image, label: str) -> Cell:
        height = round(COLUMN * picture.height / picture.width)
        return picture.resize((COLUMN, height), Image.Resampling.LANCZOS), label

    cells = [[cell(row.photo, "photo"), *(cell(made, label) for label, made in row.painted.items())] for row in rows]
    return Image.fromarray(contact_sheet(cells, side=COLUMN))
