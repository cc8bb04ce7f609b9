"""Sample pictures of a run: what becomes of fixed inputs, and the sheet that shows it."""

import copy
import math
from pathlib import Path

import numpy as np
import torch

from sakuga.data.images import to_uint8
from sakuga.export.onnx import export
from sakuga.stylizer import Stylizer
from sakuga.systems.base import Preview, System


def stylized(system: System, preview: Preview, style: Path) -> np.ndarray:
    """Export a system to the file `style` and return what it makes of its photos as users run it.

    Returns:
        (N, H, W, 3) uint8.
    """
    stylizer = Stylizer(export(system, style, name="sample", overwrite=True))
    return np.stack([stylizer.array(photo) for photo in to_uint8(preview.inputs["image"])])


@torch.inference_mode()
def generated(system: System, preview: Preview) -> np.ndarray:
    """Return what a system makes of inputs without a photo, in evaluation mode: (N, H, W, 3) uint8."""
    artefact = system.artefact()
    network = copy.deepcopy(artefact.module).eval()
    device = next(network.parameters()).device
    pictures = network(*(preview.inputs[one.name].to(device) for one in artefact.inputs))
    return to_uint8(pictures.expand(-1, 3, -1, -1))


def pairs(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Photos in one row and what became of them below; a result that is larger by a whole factor keeps its size."""
    scale = after.shape[1] // before.shape[1]
    rows = before.repeat(scale, 1).repeat(scale, 2), after
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows])


def grid(pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, 3) row by row in a square, black where there are none left."""
    side = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / side)
    empty = np.zeros((rows * side - len(pictures), *pictures.shape[1:]), pictures.dtype)
    n, height, width, channels = (cells := np.concatenate([pictures, empty])).shape
    arranged = cells.reshape(rows, side, height, width, channels).swapaxes(1, 2)
    return arranged.reshape(rows * height, n // rows * width, channels)
