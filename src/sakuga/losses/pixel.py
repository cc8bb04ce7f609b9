"""Losses that compare or smooth pixels. Images are (N, C, H, W) in [-1, 1]."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.losses._reduce import Reduction, check_images, each, reduce


def l1(image: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Mean absolute difference, mean |x - y| over (C, H, W)."""
    check_images(image=image, target=target)
    return reduce(each((image - target).abs()), reduction)


def l2(image: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Mean squared difference, mean (x - y)² over (C, H, W)."""
    check_images(image=image, target=target)
    return reduce(each((image - target).square()), reduction)


def huber(image: Tensor, target: Tensor, *, delta: float = 1.0, reduction: Reduction = "mean") -> Tensor:
    """Mean of h(x - y) over (C, H, W), h(e) = e² / 2 where |e| ≤ δ, δ (|e| - δ / 2) elsewhere.

    Squared near zero, absolute beyond δ > 0, so large errors pull no harder than at δ (Huber, 1964).
    """
    check_images(image=image, target=target)
    if delta <= 0:
        raise ValueError(f"delta must be positive, not {delta}")
    return reduce(each(F.huber_loss(image, target, delta=delta, reduction="none")), reduction)


def gradient_l1(image: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """L1 between the finite differences of two images: mean |∂h x - ∂h y| + mean |∂w x - ∂w y|.

    It asks for the same edges, whatever the colour of the areas between them (the gradient difference loss with
    exponent 1: Mathieu, Couprie, LeCun, ICLR 2016, equation 6, without the inner absolute values, so that an edge of
    the wrong sign is not forgiven). H and W must be at least 2.
    """
    check_images(image=image, target=target)
    _check_neighbours(image)
    error = image - target
    down = each((error[..., 1:, :] - error[..., :-1, :]).abs())
    right = each((error[..., 1:] - error[..., :-1]).abs())
    return reduce(down + right, reduction)


def total_variation(
    image: Tensor, *, norm: Literal["squared", "isotropic"] = "squared", reduction: Reduction = "mean"
) -> Tensor:
    """Total variation: mean (∂h x)² + mean (∂w x)² (squared) or mean √((∂h x)² + (∂w x)²) (isotropic).

    squared averages each direction over its own differences: the smooth form that the style-transfer systems use
    (Johnson, Alahi, Fei-Fei, ECCV 2016; AnimeGANv2, 2020, with halves). isotropic is the functional of Rudin, Osher,
    Fatemi (1992), channel by channel, averaged over the (H - 1)(W - 1) pixels that have a lower and a right neighbour;
    where an image is flat its gradient is zero. H and W must be at least 2.
    """
    check_images(image=image)
    _check_neighbours(image)
    if norm == "squared":
        down = _squared_difference(image[..., 1:, :], image[..., :-1, :])
        right = _squared_difference(image[..., 1:], image[..., :-1])
        return reduce(each(down) + each(right), reduction)
    if norm == "isotropic":
        here = image[..., :-1, :-1]
        square = _squared_difference(image[..., 1:, :-1], here) + _squared_difference(image[..., :-1, 1:], here)
        # The slope of √ is infinite at zero, but that of the clamp below its bound is zero.
        return reduce(each(square.clamp_min(torch.finfo(square.dtype).tiny).sqrt()), reduction)
    raise ValueError(f"norm must be 'squared' or 'isotropic', not {norm!r}")


def line_l1(
    image: Tensor,
    target: Tensor,
    photo: Tensor,
    *,
    width: int = 7,
    full: float = 0.4,
    reduction: Reduction = "mean",
) -> Tensor:
    """L1 where lines were drawn: mean w |x - y|, w = min(1, (h(y) - h(photo))₊ / full).

    h, the bottom hat of the mean over channels (Meyer, 1979), is how much darker a pixel is than what closing with a
    square of `width` pixels, an odd number, makes of it: large in dark structures thinner than that. So w is the dark
    thin lines of the target that the photo has not. They cover few pixels, and an L1 over all pixels, which asks for
    the median of what may be there, leaves them out.

    No published source.
    """
    check_images(image=image, target=target, photo=photo)
    if width % 2 != 1:
        raise ValueError(f"width must be odd, not {width}")
    weight = ((bottom_hat(target, width) - bottom_hat(photo, width)) / full).clamp(0, 1)
    return reduce(each(weight * (image - target).abs()), reduction)


def bottom_hat(image: Tensor, width: int) -> Tensor:
    """How much darker than its closing by a square of `width` pixels the mean of the channels is: (N, 1, H, W)."""
    light = image.mean(1, keepdim=True)
    dilated = F.max_pool2d(light, width, 1, width // 2)
    return -F.max_pool2d(-dilated, width, 1, width // 2) - light


def checkerboard(image: Tensor, *, period: int = 4, window: int = 4, reduction: Reduction = "mean") -> Tensor:
    """Energy of a pattern that repeats every `period` pixels: mean over windows of Σ_ij (m_ij - m̄)² / period².

    m_ij is the mean, over a window of `window` × `window` squares of side `period`, of the pixels at place (i, j) of
    their square, m̄ the mean of all. A generator that works on squares (pixel-shuffle, strided convolutions) can meet a
    Gram matrix with one and the same texture in every square; strokes that follow the picture hardly count, for their
    phases average out. H and W must be multiples of `period` and hold at least one window.

    No published source: the remedy for what Odena, Dumoulin, Olah (2016) describe where resizing would cost too much.
    """
    check_images(image=image)
    if any(side % period or side < period * window for side in image.shape[2:]):
        raise ValueError(
            f"image must have sides of {period * window} or more, multiples of {period}, not {tuple(image.shape[2:])}"
        )
    n, channels = image.shape[:2]
    squares = F.pixel_unshuffle(image, period)
    squares = squares.view(n, channels, period**2, *squares.shape[2:])
    mean = F.avg_pool3d(squares, (1, window, window), stride=(1, max(1, window // 2), max(1, window // 2)))
    return reduce(each((mean - mean.mean(2, keepdim=True)).square()), reduction)


def _check_neighbours(image: Tensor) -> None:
    if min(image.shape[2:]) < 2:
        raise ValueError(f"image must have at least 2 rows and 2 columns, not {tuple(image.shape[2:])}")


def _squared_difference(a: Tensor, b: Tensor) -> Tensor:
    # One pass over the image in each direction, where (a - b).square() makes two.
    return F.mse_loss(a, b, reduction="none")
