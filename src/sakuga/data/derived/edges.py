"""Edge smoothing: a cartoon without its clear outlines, which CartoonGAN and AnimeGAN show D as fake."""

import numpy as np
from PIL import Image
from scipy import ndimage

LOW, HIGH = 100, 200
"""Thresholds of the gradient: a weak edge is above the low one, and kept where it touches one above the high one."""

TAN_22_5 = 0.4142135623730951


def smooth_edges(picture: np.ndarray) -> np.ndarray:
    """Blur the surroundings of a picture's edges and leave the rest as it is; (H, W, 3) uint8 to the same.

    Within a 5×5 square around every edge of `canny`, each channel becomes Σ k(i) k(j) I(y + i, x + j), k = (1, 4, 6, 4,
    1) / 16, the picture mirrored at its border without repeating it. That is the kernel which the official code asks of
    OpenCV; there sums are cut, here they are rounded, so that edges do not become darker.

    Source: Chen, Lai, Liu, CVPR 2018, section 3.2.1; sizes from the official AnimeGAN code.
    """
    edges = canny(np.asarray(Image.fromarray(picture).convert("L")))
    height, width = edges.shape
    near = np.zeros((height + 4, width + 4), bool)
    across = np.zeros((height, width + 4), bool)
    for shift in range(5):
        across[:, shift : shift + width] |= edges
    for shift in range(5):
        near[shift : shift + height] |= across
    # Exact in 16 bits: the weights' sum is 256, and 256 · 255 + 128 < 65536.
    p = np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="reflect").astype(np.uint16)
    p = p[:-4] + p[4:] + 4 * (p[1:-3] + p[3:-1]) + 6 * p[2:-2]
    p = p[:, :-4] + p[:, 4:] + 4 * (p[:, 1:-3] + p[:, 3:-1]) + 6 * p[:, 2:-2]
    smoothed: np.ndarray = np.where(near[2:-2, 2:-2, None], ((p + 128) >> 8).astype(np.uint8), picture)
    return smoothed


def canny(grey: np.ndarray, *, low: int = LOW, high: int = HIGH) -> np.ndarray:
    """Edges of a grey picture (H, W) uint8 as (H, W) bool, one pixel wide.

    3×3 Sobel gradients (x, y) without a blur before them, the border continued; magnitude m = |x| + |y|. A pixel is a
    candidate where m > low and m is largest across the edge: horizontally where |y| < |x| tan 22.5°, vertically where
    |y| > |x| tan 67.5°, else along the diagonal that the signs tell; of two equal ones the first is kept. Edges are the
    candidates with m > high and those that touch an edge, corners included. Pixel for pixel OpenCV's `Canny`.

    Source: Canny, "A Computational Approach to Edge Detection", PAMI 1986.
    """
    g = np.pad(grey, 1, mode="edge").astype(np.int16)
    column = g[:-2] + 2 * g[1:-1] + g[2:]
    row = g[:, :-2] + 2 * g[:, 1:-1] + g[:, 2:]
    x, y = column[:, 2:] - column[:, :-2], row[2:] - row[:-2]
    # One row of zeros around, so that every neighbour is an offset into the flat array.
    m = np.pad(np.abs(x) + np.abs(y), 1)
    stride = m.shape[1]
    at = np.flatnonzero(m > low)
    flat = m.ravel()
    inside = (at // stride - 1) * x.shape[1] + at % stride - 1
    x, y = x.ravel()[inside], y.ravel()[inside]
    steep, tall = np.abs(x) * TAN_22_5, np.abs(y)
    diagonal = np.where((x < 0) == (y < 0), stride + 1, stride - 1)
    after = np.where(tall < steep, 1, np.where(tall > steep + 2.0 * np.abs(x), stride, diagonal))
    straight = after != diagonal
    here = flat[at]
    largest = (here > flat[at - after]) & ((here > flat[at + after]) | straight & (here == flat[at + after]))
    weak = np.zeros(m.shape, bool)
    weak.ravel()[at[largest]] = True
    labels, count = ndimage.label(weak, np.ones((3, 3)))
    kept = np.zeros(count + 1, bool)
    kept[labels.ravel()[at[largest & (here > high)]]] = True
    kept[0] = False
    edges: np.ndarray = kept[labels[1:-1, 1:-1]]
    return edges
