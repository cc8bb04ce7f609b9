"""Perceptual hashes: 64 bits that stay nearly the same when a picture is scaled, compressed or brightened."""

import numpy as np
from PIL import Image

_SIDE, _LOW = 32, 8
_WAVES = np.cos(np.pi / _SIDE * np.outer(np.arange(1, _LOW + 1), np.arange(_SIDE) + 0.5))
_BITS = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


def phash(grey: np.ndarray) -> np.uint64:
    """pHash of (H, W) uint8: bit (u, v) says whether wave (u, v) of the picture is stronger than their median.

        C(u, v) = Σ_xy I(x, y) cos(π/32 (x + ½) u) cos(π/32 (y + ½) v),   u, v = 1 ... 8,   I reduced to 32×32

    Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1.
    """
    small = np.asarray(Image.fromarray(grey).resize((_SIDE, _SIDE), Image.Resampling.BOX), float)
    waves = (_WAVES @ small @ _WAVES.T).round(6)  # what is only rounding must not set bits of an even surface
    bits: np.ndarray = np.packbits(waves > np.median(waves))
    return np.uint64(bits.view(np.uint64)[0])


def distances(one: np.uint64, many: np.ndarray) -> np.ndarray:
    """Return the Hamming distance, 0 to 64, of one hash to each of (N,) uint64."""
    differing: np.ndarray = (many ^ one).view(np.uint8).reshape(-1, 8)
    found: np.ndarray = _BITS[differing].sum(1, dtype=np.int64)
    return found
