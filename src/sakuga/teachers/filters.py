"""Filters that classical looks are made of. Images are (1, C, H, W) floats, Lab with L in 0..100 unless said otherwise.

All of them are local and know no position: a picture that is shifted comes out shifted, so a small network can learn
what they do.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.data.images import to_tensor
from sakuga.losses import rgb_to_lab
from sakuga.losses.colour import XYZ

TO_LINEAR = torch.linalg.inv(torch.tensor(XYZ) / torch.tensor(XYZ).sum(1, keepdim=True))
"""From X, Y, Z in parts of white's to linear sRGB (IEC 61966-2-1)."""


def to_lab(photo: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 RGB to Lab."""
    return rgb_to_lab(to_tensor(photo))


def to_rgb(lab: Tensor) -> Tensor:
    """Lab to RGB in 0..1. Where a colour leaves the gamut its chroma shrinks and its hue stays."""
    light = lab[:, :1].clamp(0, 100)
    shrink = torch.zeros_like(light)
    for part in (0.2, 0.4, 0.5, 0.6, 0.68, 0.76, 0.84, 0.92, 1.0):
        linear = _linear(light, part * lab[:, 1:])
        inside = ((linear > -0.004) & (linear < 1.01)).all(1, keepdim=True)
        shrink = torch.where(inside, part, shrink)
    linear = _linear(light, blur(shrink, 1.0) * lab[:, 1:]).clamp(0, 1)
    return torch.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)


def to_photo(rgb: Tensor) -> np.ndarray:
    """RGB, or grey, in 0..1 to (H, W, 3) uint8."""
    rgb = rgb.expand(-1, 3, -1, -1)
    return (rgb[0].permute(1, 2, 0) * 255).round().clamp(0, 255).to(torch.uint8).numpy()


def blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur."""
    reach = math.ceil(3 * sigma)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(image.shape[1], 1, -1)
    image = F.pad(image, 4 * [reach], mode="replicate")
    image = F.conv2d(image, kernel[..., None], groups=image.shape[1])
    return F.conv2d(image, kernel[..., None, :], groups=image.shape[1])


def gradient(image: Tensor, sigma: float = 0.0) -> tuple[Tensor, Tensor]:
    """Derivatives down and to the right by Sobel's operator, of the blurred image if `sigma` is above zero."""
    image = F.pad(blur(image, sigma) if sigma else image, 4 * [1], mode="replicate")
    smooth, slope = torch.tensor([1.0, 2.0, 1.0]) / 4, torch.tensor([-1.0, 0.0, 1.0]) / 2
    down, right = (torch.outer(a, b).expand(image.shape[1], 1, 3, 3) for a, b in ((slope, smooth), (smooth, slope)))
    return F.conv2d(image, down, groups=image.shape[1]), F.conv2d(image, right, groups=image.shape[1])


def flow(image: Tensor, sigma: float) -> tuple[Tensor, Tensor, Tensor]:
    """Directions across edges, a unit vector (y, x) of (H, W) each, and how much of one direction there is, 0..1.

    The larger eigenvector of the structure tensor of all channels, smoothed by `sigma` (Di Zenzo, 1986).
    """
    down, right = gradient(image)
    tensor = torch.cat([(a * b).sum(1, keepdim=True) for a, b in ((right, right), (right, down), (down, down))], 1)
    e, f, g = blur(tensor, sigma)[0]
    angle = 0.5 * torch.atan2(2 * f, e - g)
    spread = ((e - g) ** 2 + 4 * f * f).sqrt()
    return angle.sin(), angle.cos(), spread / (e + g + 1e-3)


def sample(image: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """The image at places (H, W) between its pixels, bilinearly; outside it goes on as at its border."""
    height, width = image.shape[2:]
    places = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], -1)
    return F.grid_sample(image, places[None], mode="bilinear", padding_mode="border", align_corners=True)


def places(image: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of the image's pixels, (H, W) each."""
    y, x = torch.meshgrid(*(torch.arange(float(side)) for side in image.shape[2:]), indexing="ij")
    return y, x


def streamline(image: Tensor, ty: Tensor, tx: Tensor, steps: int) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Yield (distance, y, x) along the streamline of a field of directions through every pixel, both ways."""
    height, width = image.shape[2:]
    y0, x0 = places(image)
    yield 0.0, y0, x0
    for sign in (1.0, -1.0):
        y, x, dy, dx = y0, x0, sign * ty, sign * tx
        for step in range(1, steps + 1):
            y, x = y + dy, x + dx
            nearest = (y.round().clamp(0, height - 1) * width + x.round().clamp(0, width - 1)).long()
            ny, nx = ty.take(nearest), tx.take(nearest)
            turn = torch.where(ny * dy + nx * dx < 0, -1.0, 1.0)  # directions have no sign
            dy, dx = turn * ny, turn * nx
            yield float(step), y, x


def along(image: Tensor, gy: Tensor, gx: Tensor, sigma: float) -> Tensor:
    """Gaussian smoothing along edges, across which (gy, gx) points (line integral convolution)."""
    total, weights = torch.zeros_like(image), 0.0
    for distance, y, x in streamline(image, gx, -gy, math.ceil(2.2 * sigma)):
        weight = math.exp(-distance * distance / (2 * sigma * sigma))
        total += weight * sample(image, y, x)
        weights += weight
    return total / weights


def difference_of_gaussians(
    image: Tensor, gy: Tensor, gx: Tensor, *, sigma: float, length: float, ratio: float = 1.6
) -> tuple[Tensor, Tensor]:
    """A narrow and a wide Gaussian mean across edges, both smoothed by `length` along them (Kang, Lee, Chui, 2007)."""
    y0, x0 = places(image)
    reach = math.ceil(2.5 * ratio * sigma)
    near, far, near_weights, far_weights = torch.zeros_like(image), torch.zeros_like(image), 0.0, 0.0
    for t in torch.arange(-reach, reach + 0.1, 0.5).tolist():
        value = sample(image, y0 + t * gy, x0 + t * gx)
        a, b = (math.exp(-t * t / (2 * s * s)) for s in (sigma, ratio * sigma))
        near, far, near_weights, far_weights = near + a * value, far + b * value, near_weights + a, far_weights + b
    near, far = along(torch.cat([near / near_weights, far / far_weights], 1), gy, gx, length).chunk(2, 1)
    return near, far


def smooth(lab: Tensor, *, passes: int, tone: float, space: float = 3.0) -> Tensor:
    """Flatten areas and keep edges: a bilateral filter across edges, then along them, `passes` times.

    `tone` is the distance in Lab, `space` that in pixels at which a neighbour counts exp(-1/2) as much.

    Source: Kyprianidis, Döllner, "Image Abstraction by Structure Adaptive Filtering", 2008.
    """
    reach = math.ceil(2 * space)
    for _ in range(passes):
        gy, gx, _coherence = flow(lab, 2.0)
        y0, x0 = places(lab)
        straight = ((float(abs(t)), y0 + t * gy, x0 + t * gx) for t in range(-reach, reach + 1))
        for line in (straight, streamline(lab, gx, -gy, reach)):
            total, weights = torch.zeros_like(lab), torch.zeros_like(lab[:, :1])
            for distance, y, x in line:
                near = sample(lab, y, x)
                apart = ((near - lab) ** 2).sum(1, keepdim=True) / (2 * tone * tone)
                weight = torch.exp(-apart - distance * distance / (2 * space * space))
                total += weight * near
                weights += weight
            lab = total / weights
    return lab


def steps(light: Tensor, *, width: float, sharpness: float | Tensor) -> Tensor:
    """Draw lightness towards the middles of steps of `width` (Winnemöller, Olsen, Gooch, 2006), softly or sharply."""
    middle = ((light / width).floor() + 0.5) * width
    sharp = torch.as_tensor(sharpness)
    return middle + width / 2 * (sharp * (light - middle) / width).tanh() / (sharp / 2).tanh()


def lines(lab: Tensor, *, sigma: float, length: float, threshold: float, sharpness: float, rounds: int = 2) -> Tensor:
    """Lines along edges: 1 on paper, towards 0 on lines, (1, 1, H, W).

    Flow-based difference of Gaussians (Kang, Lee, Chui, 2007), again on the picture with the first lines drawn in.
    Contrast counts in parts of the light around, so that dark skin has lines too; a and b join, so that red on a green
    as light has an outline; where edges have no common direction, as in leaves, lines fade.
    """
    gy, gx, coherence = flow(lab, 2.5)
    coherence = (0.35 + 1.3 * coherence).clamp(0, 1)
    line = torch.ones_like(lab[:, :1])
    for _ in range(rounds):
        drawn = lab / 100
        drawn[:, :1] *= torch.minimum(torch.ones_like(line), 0.4 + 0.6 * line)
        near, far = difference_of_gaussians(drawn, gy, gx, sigma=sigma, length=length)
        light = (near - far)[:, :1] / (far[:, :1] + 0.18)
        color = 0.6 * (near - far)[:, 1:].amin(1, keepdim=True)
        edge = coherence * torch.minimum(light, color)
        line = torch.where(edge > -threshold, 1.0, 1 + (sharpness * (edge + threshold)).tanh())
    return line


def _linear(light: Tensor, chroma: Tensor) -> Tensor:
    """Linear sRGB of Lab under D65; outside 0..1 where there is no such colour."""
    y = (light + 16) / 116
    f = torch.cat([y + chroma[:, :1] / 500, y, y - chroma[:, 1:] / 200], 1)
    delta = 6 / 29
    xyz = torch.where(f > delta, f**3, 3 * delta**2 * (f - 4 / 29))
    return F.conv2d(xyz, TO_LINEAR[..., None, None])
