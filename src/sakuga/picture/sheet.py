"""A contact sheet: pictures in rows, what each is below it."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sakuga.picture.pixels import Array, over_white
from sakuga.picture.types import Picture

SIDE, GAP, CAPTION, FONT = 320, 8, 24, 16
"""Pixels: the longest side of a picture, what lies between two, the height of a line of text and of its letters."""

Cell = tuple[Image.Image, str]
"""A picture and what is written below it."""


def reduced(picture: Picture, side: int = SIDE) -> Image.Image:
    """The first frame in sRGB, over white, neither side longer than `side`."""
    image = Image.fromarray(over_white(picture.frames[0]))
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    if not picture.icc:
        return image
    from PIL import ImageCms

    try:
        converted = ImageCms.profileToProfile(image, BytesIO(picture.icc), ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):  # a profile that is none is no reason to show nothing
        return image
    return converted or image


def contact_sheet(rows: Sequence[Sequence[Cell]], *, side: int = SIDE) -> Array:
    """Lay rows of cells, none larger than `side`, below each other on white, as (H, W, 3) uint8."""
    font = ImageFont.load_default(FONT)
    heights = [max(image.height for image, _ in row) for row in rows]
    columns = max(map(len, rows))
    height = GAP + sum(heights) + (CAPTION + GAP) * len(rows)
    sheet = Image.new("RGB", (GAP + columns * (side + GAP), height), "white")
    draw = ImageDraw.Draw(sheet)
    top = GAP
    for row, tall in zip(rows, heights, strict=True):
        for i, (image, text) in enumerate(row):
            middle = GAP + i * (side + GAP) + side // 2
            sheet.paste(image, (middle - image.width // 2, top + (tall - image.height) // 2))
            draw.text((middle, top + tall + 3), _fitting(text, font, side), "black", font, anchor="ma")
        top += tall + CAPTION + GAP
    return np.asarray(sheet)


def _fitting(text: str, font: "ImageFont.ImageFont | ImageFont.FreeTypeFont", width: int) -> str:
    """The text, or as much of its beginning as the width has room for."""
    text = "".join(c if c.isprintable() else "?" for c in text[:width])
    while len(text) > 1 and font.getlength(text) > width:
        text = text[:-2] + "…"
    return text
