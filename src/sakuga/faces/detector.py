"""The detector: boxes and six points of every face in a picture, upright or turned, however small."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, pi

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakuga.faces.align import Matrix, apply, compose, cut, inverse, square_at
from sakuga.picture.pixels import Array

SIDE = 256
MIN_SCORE = 0.5
MAX_OVERLAP = 0.3
"""Of two boxes that share more than this of the smaller one, the one of the lower score is left out."""
MAX_LEVELS = 3
MIN_TILE_PIXELS = SIDE
"""Smaller tiles would be enlarged to show faces of fewer than some 20 pixels."""

Run = Callable[[Array], Sequence[Array]]
"""(1, SIDE, SIDE, 3) in [-1, 1] to regressors (1, 896, 16) and the logits of scores (1, 896, 1)."""


@dataclass(frozen=True)
class Detection:
    """A face as the detector sees it.

    `box`: x0, y0, x1, y1; `points` (6, 2): eyes, nose, mouth, ears, left and right as the picture shows them of an
    upright face; both in pixels of the picture.
    """

    score: float
    box: NDArray[np.float64]
    points: NDArray[np.float64]


def detect(rgb: Array, run: Run, *, levels: int = MAX_LEVELS) -> list[Detection]:
    """Find the faces of a picture (H, W, 3) uint8, those of the highest score first.

    The whole picture is looked at in four orientations, then, for faces that are too small there, in tiles of half
    its longer side and of a quarter: `levels` sizes in all.

    Source: Bazarevsky et al., BlazeFace, 2019, whose anchors these are: two of each place of a grid of 16x16, six of
    8x8.
    """
    found: list[Detection] = []
    height, width = rgb.shape[:2]
    # Reduced once to what the smallest tiles need, so that a photo of 50 megapixels takes hardly longer
    scale = min(1, SIDE * 2 ** (levels - 1) / max(height, width))
    small = Image.fromarray(rgb).resize([max(1, round(side * scale)) for side in (width, height)], reducing_gap=3)
    there = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
    pixels = np.asarray(small)
    for matrix in views(width, height, levels):
        view = cut(pixels, compose(matrix, inverse(there)), (SIDE, SIDE), outside="black").astype(np.float32)
        regressors, logits = run(view[None] / 127.5 - 1)
        found += decode(regressors[0], logits[0, :, 0], inverse(matrix))
    return suppress(found)


def views(width: int, height: int, levels: int) -> Iterator[Matrix]:
    """Yield the matrices from a picture to the squares that the detector is given."""
    longer, center = max(width, height), (np.array([width, height]) - 1) / 2
    for quarter in range(4):
        yield square_at(center, longer, quarter * pi / 2, SIDE)
    for level in range(1, levels):
        tile = longer / 2**level
        if tile < MIN_TILE_PIXELS:
            return
        places = [_places(length, tile) for length in (width, height)]
        for y in places[1]:
            for x in places[0]:
                yield square_at(np.array([x, y]), tile, 0, SIDE)


def _places(length: int, tile: float) -> list[float]:
    """Centres of tiles that cover a length, each sharing a quarter or more with the next."""
    if length <= tile:
        return [(length - 1) / 2]
    count = 1 + ceil((length - tile) / (0.75 * tile))
    return list(np.linspace((tile - 1) / 2, length - (tile + 1) / 2, count))


def anchors() -> NDArray[np.float64]:
    """Return the centres (896, 2) that boxes are relative to, in pixels of the square."""
    rows = []
    for cells, each in ((16, 2), (8, 6)):
        y, x = np.mgrid[:cells, :cells]
        grid = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) * (SIDE / cells)
        rows.append(grid.repeat(each, 0))
    return np.concatenate(rows)


def decode(regressors: Array, logits: Array, back: Matrix) -> list[Detection]:
    """Turn what the network says into detections; `back` leads from the square to the picture."""
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -80, 80)))
    kept = np.flatnonzero(scores >= MIN_SCORE)
    values = regressors[kept].reshape(-1, 8, 2).astype(np.float64)
    values[:, [0, *range(2, 8)]] += anchors()[kept][:, None] - 0.5
    found = []
    for score, (center, size, *points) in zip(scores[kept], values, strict=True):
        corners = center + size / 2 * [[-1, -1], [1, -1], [-1, 1], [1, 1]]
        corners = apply(back, corners)
        box = np.concatenate([corners.min(0), corners.max(0)])
        found.append(Detection(float(score), box, apply(back, np.array(points))))
    return found


def suppress(found: Sequence[Detection]) -> list[Detection]:
    """Keep the detection of the highest score of every face (non-maximum suppression)."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda each: -each.score):
        if all(overlap(one.box, other.box) <= MAX_OVERLAP for other in kept):
            kept.append(one)
    return kept


def overlap(first: Array, second: Array) -> float:
    """Return the share of the smaller of two boxes that lies in the other."""
    shared = np.prod(np.clip(np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2]), 0, None))
    return float(shared / max(min(np.prod(first[2:] - first[:2]), np.prod(second[2:] - second[:2])), 1e-9))
