"""A contact sheet: pictures from all over some sets, side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sakuga.prepare.glance import glance
from sakuga.prepare.survey import plural

SIDE, GAP, HEADER, COLUMNS, ROWS = 160, 6, 28, 8, 3


def contact_sheet(sets: Mapping[str, Sequence[Path]]) -> np.ndarray:
    """Draw up to 24 pictures of each set below its name, as (H, W, 3) uint8; the pictures must be readable."""
    lines = {name: -(-min(len(paths), COLUMNS * ROWS) // COLUMNS) for name, paths in sets.items()}
    cell = SIDE + GAP
    height = GAP + sum(HEADER + count * cell for count in lines.values())
    sheet = Image.new("RGB", (GAP + COLUMNS * cell, height), (40, 40, 40))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    top = GAP
    for name, paths in sets.items():
        draw.text((GAP, top + 2), f"{name}: {plural(len(paths), 'picture')}", "white", font)
        top += HEADER
        count = min(len(paths), COLUMNS * ROWS)
        for i, path in enumerate(paths[len(paths) * i // count] for i in range(count)):
            picture = Image.fromarray(glance(path, SIDE))
            left = GAP + i % COLUMNS * cell + (SIDE - picture.width) // 2
            sheet.paste(picture, (left, top + i // COLUMNS * cell + (SIDE - picture.height) // 2))
        top += lines[name] * cell
    return np.asarray(sheet)
