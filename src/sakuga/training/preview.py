"""Sample pictures of a run: what becomes of fixed inputs, and the sheet that shows it."""

from pathlib import Path

import numpy as np

from sakuga.data.images import to_uint8
from sakuga.export.onnx import export
from sakuga.style.inputs import FRAME
from sakuga.stylizer import Stylizer
from sakuga.stylizer.generate import contact_sheet, render
from sakuga.systems.base import Preview, System


def samples(system: System, preview: Preview, target: Path) -> tuple[np.ndarray, np.ndarray]:
    """Export a system to the file `target` and run it on fixed inputs as users run it.

    Returns:
        What it makes of them, (N, H, W, 3) uint8, and a sheet: photos above, or a grid where there are none.
    """
    style = export(system, target, name="sample", overwrite=True)
    photos = to_uint8(preview.inputs["image"]) if "image" in preview.inputs else None
    if photos is not None and len(preview.inputs) == 1:
        stylizer = Stylizer(style, brush=1, inputs={FRAME.name: "whole"} if style.card.frame else None)
        made = np.stack([stylizer.array(photo) for photo in photos])
    else:
        made = render(style, {name: value.cpu().numpy() for name, value in preview.inputs.items()})
    return made, contact_sheet([*made]) if photos is None else pairs(photos[: len(photos) // preview.rows], made)


def pairs(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Photos in one row and what became of them below, in one or more; a result that is larger keeps its size."""
    scale = after.shape[1] // before.shape[1]
    rows = [before.repeat(scale, 1).repeat(scale, 2), *np.split(after, len(after) // len(before))]
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
