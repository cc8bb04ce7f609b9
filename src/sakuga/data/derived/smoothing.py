"""Smoothing of pictures (H, W, 3), floats in [0, 1]: AnimeGANv3's way to clean what its support tail paints."""

import numpy as np
from scipy import fft
from skimage.restoration import denoise_nl_means

from sakuga.losses.colour import XYZ

RGB_TO_WHITE = np.array([[share / sum(row) for share in row] for row in XYZ])
"""X, Y, Z, each divided by white's, of linear red, green, blue."""

ROOTS_TO_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]])
"""L + 16, a, b of the roots f of those."""

DELTA = 6 / 29


def l0_smooth(picture: np.ndarray, *, strength: float = 0.005) -> np.ndarray:
    """Allow a picture few places where it changes: min over S of Σ (S - I)² + λ #{p : ∂x S ≠ 0 or ∂y S ≠ 0}.

    Small changes vanish, large ones stay sharp. Solved by turns, with β from 2 λ to 1e5, twice as large each time:

        (h, v) = (∂x S, ∂y S) where Σ_channels (∂x S)² + (∂y S)² ≥ λ / β, else 0
        F(S) = (F(I) + β (F(∂x)* F(h) + F(∂y)* F(v))) / (1 + β (|F(∂x)|² + |F(∂y)|²)),   F Fourier's transform

    so a picture goes on at the other side. The mean colour is kept; the result may leave [0, 1] a little. In single
    precision, which is three times as fast and less than 1/255 away from double.

    Args:
        picture: I.
        strength: λ; the paper's 0.02 leaves areas, AnimeGANv3's 0.005 most of the drawing.

    Source: Xu, Lu, Xu, Jia, "Image Smoothing via L0 Gradient Minimization", SIGGRAPH Asia 2011, algorithm 1.
    """
    height, width = picture.shape[:2]
    s = np.ascontiguousarray(picture.transpose(2, 0, 1), dtype=np.float32)
    rows, columns = np.arange(height) / height, np.arange(width // 2 + 1) / width
    # Of a difference of neighbours, |F(∂)|² = 2 - 2 cos ω.
    laplacian = ((2 - 2 * np.cos(2 * np.pi * rows))[:, None] + (2 - 2 * np.cos(2 * np.pi * columns))).astype(s.dtype)
    wanted = fft.rfft2(s)
    beta = 2 * strength
    while beta < 1e5:
        down, right = np.roll(s, -1, 1) - s, np.roll(s, -1, 2) - s
        kept = (down**2 + right**2).sum(0) >= strength / beta
        down *= kept
        right *= kept
        adjoint = fft.rfft2(np.roll(down, 1, 1) - down + np.roll(right, 1, 2) - right)
        adjoint[:, 0, 0] = 0  # but for rounding, which β would make a change of colour
        s = fft.irfft2((wanted + beta * adjoint) / (1 + beta * laplacian), s=(height, width))
        beta *= 2
    smooth: np.ndarray = s.transpose(1, 2, 0)
    return smooth


def non_local_means(
    picture: np.ndarray, *, luma: float = 7, chroma: float = 6, patch: int = 7, search: int = 7
) -> np.ndarray:
    """Average every pixel with those around it whose surroundings are alike; L by itself, a and b together.

        out(p) = Σ_q w(p, q) I(q) / Σ_q w(p, q),   w = exp(-d / h²),   q in the `search` square around p
        d = mean of (I(p + k) - I(q + k))² over the `patch` square of k, and over the channels

    This is OpenCV's `fastNlMeansDenoisingColored(h, hColor, templateWindowSize, searchWindowSize)`, on average within
    1/255. `luma` and `chroma` are its h and hColor, in steps of an 8-bit Lab whose L has 255 from 0 to 100; as there,
    Lab is taken of the colours as if they were linear light. OpenCV makes an even template odd: patch is 7 for its 6.
    `search` is twice scikit-image's `patch_distance` plus 1. And scikit-image's fast mode sums d over (patch - 1)²
    pixels but divides by patch², so it is given h (patch - 1) / patch.

    Source: Buades, Coll, Morel, "A Non-Local Algorithm for Image Denoising", CVPR 2005; values of AnimeGANv3's code.
    """

    def denoised(channels: np.ndarray, h: float) -> np.ndarray:
        axis = None if channels.ndim == 2 else 2
        h *= (patch - 1) / patch
        result: np.ndarray = denoise_nl_means(
            channels, patch_size=patch, patch_distance=search // 2, h=h, channel_axis=axis
        )
        return result

    white = picture @ RGB_TO_WHITE.T
    lab = np.where(white > DELTA**3, np.cbrt(white), white / (3 * DELTA**2) + 4 / 29) @ ROOTS_TO_LAB.T
    lab = np.dstack([denoised(lab[..., 0], luma * 100 / 255), denoised(lab[..., 1:], chroma)])
    roots = lab @ np.linalg.inv(ROOTS_TO_LAB).T
    white = np.where(roots > DELTA, roots**3, 3 * DELTA**2 * (roots - 4 / 29))
    clean: np.ndarray = (white @ np.linalg.inv(RGB_TO_WHITE).T).clip(0, 1)
    return clean
