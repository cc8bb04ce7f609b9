"""Animation cel: bilateral smoothing, superpixels, extended difference of Gaussians."""

import numpy as np
from scipy import ndimage
from skimage import color, graph, segmentation


def cel(photo: np.ndarray) -> np.ndarray:
    """Paint a photo as an animation cel: flat areas of clear colour in steps of light, ink lines.

    (1) Repeated bilateral smoothing removes texture and keeps edges. (2) Half of the paint is SLIC superpixels, merged
    where their colours agree and filled with their mean colour (White-box's structure representation: Wang and Yu, CVPR
    2020). (3) Lightness is drawn towards nine steps, softly (Winnemöller, Olsen, Gooch, 2006). (4) Ink from an extended
    difference of Gaussians of the smoothed lightness (Winnemöller, Kyprianidis, Olsen, 2012) is multiplied in.

    Args:
        photo: (H, W, 3) uint8 RGB; both sides at least 2.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    smooth = _bilateral(color.rgb2lab(photo).astype(np.float32), passes=3)
    painted = 0.5 * _flat(smooth) + 0.5 * smooth
    painted[..., 0] = _steps(painted[..., 0])
    painted[..., 0] = np.clip(50 + (painted[..., 0] - 50) * 1.06 + 4, 0, 100)
    painted[..., 1:] *= 1.25
    rgb = color.lab2rgb(painted) * _ink(smooth[..., 0])[..., None]
    picture: np.ndarray = (rgb * 255).round().clip(0, 255).astype(np.uint8)
    return picture


def _bilateral(lab: np.ndarray, *, passes: int, radius: int = 4, space: float = 2.5, tone: float = 7.0) -> np.ndarray:
    """Bilateral filter in Lab by shifted sums: every neighbour weighs by its distance in place and in colour."""
    height, width = lab.shape[:2]
    for _ in range(passes):
        padded = np.pad(lab, ((radius, radius), (radius, radius), (0, 0)), mode="symmetric")
        total, weights = np.zeros_like(lab), np.zeros(lab.shape[:2], np.float32)
        for dy in range(-radius, radius + 1):
            for dx in range(-radius, radius + 1):
                if dy * dy + dx * dx > radius * radius:
                    continue
                near = padded[radius + dy : radius + dy + height, radius + dx : radius + dx + width]
                distance = ((near - lab) ** 2).sum(-1) / (2 * tone * tone) + (dy * dy + dx * dx) / (2 * space * space)
                weight = np.exp(-distance)
                total += weight[..., None] * near
                weights += weight
        lab = total / weights[..., None]
    return lab


def _flat(lab: np.ndarray, *, area: int = 150, merge: float = 6.0) -> np.ndarray:
    """Fill superpixels of about `area` pixels with their mean colour, joining neighbours closer than `merge` (Lab)."""
    count = max(2, lab.shape[0] * lab.shape[1] // area)
    labels = segmentation.slic(
        lab, n_segments=count, compactness=0.05, sigma=0.5, convert2lab=False, start_label=0, channel_axis=-1
    )
    if labels.max() > labels.min():  # a graph of one region has no edge to cut
        labels = graph.cut_threshold(labels, graph.rag_mean_color(lab, labels), merge)
    _, labels = np.unique(labels, return_inverse=True)
    labels = labels.reshape(lab.shape[:2])
    index = np.arange(labels.max() + 1)
    return np.stack([ndimage.mean(lab[..., c], labels, index)[labels] for c in range(3)], axis=-1).astype(np.float32)


def _steps(lightness: np.ndarray, *, count: int = 9, sharpness: float = 3.0) -> np.ndarray:
    """Draw lightness in 0..100 towards the middles of `count` steps; the borders between steps stay soft."""
    width = 100 / count
    middle = (np.floor(lightness / width) + 0.5) * width
    drawn: np.ndarray = middle + width / 2 * np.tanh(sharpness * (lightness - middle) / width) / np.tanh(sharpness / 2)
    return drawn


def _ink(
    lightness: np.ndarray,
    *,
    sigma: float = 0.8,
    ratio: float = 1.6,
    p: float = 14.0,
    eps: float = 0.55,
    phi: float = 5.0,
) -> np.ndarray:
    """Extended difference of Gaussians of lightness in 0..100: 1 on paper, towards 0.1 on lines."""
    light = lightness / 100
    sharp = (1 + p) * ndimage.gaussian_filter(light, sigma) - p * ndimage.gaussian_filter(light, ratio * sigma)
    line = np.where(sharp >= eps * light, 1.0, 1.0 + np.tanh(phi * (sharp - eps * light)))
    return np.clip(line, 0.1, 1.0)
