"""Colour spaces and the losses that compare in them. Images are RGB, (N, 3, H, W) in [-1, 1]."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from sakuga.losses._reduce import Reduction, check_images, full, reduce
from sakuga.losses.pixel import huber, l1
from sakuga.picture.arrays import BT601

YUV = (
    BT601,
    (-0.14714119, -0.28886916, 0.43601035),
    (0.61497538, -0.51496512, -0.10001026),
)
"""Y, U, V of red, green, blue in [0, 1] (BT.601)."""

LUMA = YUV[0]

XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
"""X, Y, Z of linear sRGB in [0, 1]; the sums of the rows are the white point D65 (IEC 61966-2-1)."""


def rgb_to_yuv(image: Tensor) -> Tensor:
    """Convert to YUV: Y in [0, 1], |U| ≤ 0.436, |V| ≤ 0.615, no offset, from RGB scaled to [0, 1]; (N, 3, H, W).

    Y = 0.299 R + 0.587 G + 0.114 B, U = 0.492 (B - Y), V = 0.877 (R - Y) (ITU-R BT.601).
    """
    _check_rgb(image=image)
    return _mix((full(image) + 1) / 2, YUV)


def rgb_to_lab(image: Tensor) -> Tensor:
    """Convert to CIE L*a*b*: L in [0, 100], a and b in about ±100; (N, 3, H, W).

    sRGB is made linear, c / 12.92 up to 0.04045 and ((c + 0.055) / 1.055)^2.4 above, then mixed to X, Y, Z. With
    f(t) = ∛t above δ³ and t / (3 δ²) + 4/29 below, δ = 6/29, of each divided by that of white (D65):

        L = 116 f(Y) - 16, a = 500 (f(X) - f(Y)), b = 200 (f(Y) - f(Z))

    Greys have a = b = 0; the gradient is finite everywhere. Source: IEC 61966-2-1, CIE 15.
    """
    _check_rgb(image=image)
    c = (full(image) + 1) / 2  # eight bits of precision would blur differences of colours that are near
    # The clamps change no value that is taken; without them the branch that is not would have an infinite slope.
    linear = torch.where(c > 0.04045, ((c.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4, c / 12.92)
    t = _mix(linear, [[share / sum(row) for share in row] for row in XYZ])
    delta = 6 / 29
    f = torch.where(t > delta**3, t.clamp_min(delta**3) ** (1 / 3), t / (3 * delta**2) + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def grayscale(image: Tensor, *, channels: int = 1) -> Tensor:
    """Take the colour away: 0.299 R + 0.587 G + 0.114 B, in [-1, 1] like the image; (N, channels, H, W).

    With three channels the grey is repeated (a view): AnimeGAN's grey copies of anime. Weights of ITU-R BT.601.
    """
    _check_rgb(image=image)
    return _mix(image, [LUMA]).expand(-1, channels, -1, -1)


def random_color_shift(
    *images: Tensor, form: Literal["code", "paper"] = "code", generator: torch.Generator | None = None
) -> tuple[Tensor, ...]:
    """White-box's texture representation: all images in one and the same random grey, (N, 1, H, W) each.

    The grey is w · (R, G, B), one w for the call. With luma Y = (0.299, 0.587, 0.114) and β ~ U(-1, 1) for each colour:

        code:  w = (Y + 0.1 β) / Σ (Y + 0.1 β), which stays in [-1, 1]
        paper: w = 0.2 β + 0.8 Y, which may leave it (to ±1.4) and change the brightness

    D then cannot tell a cartoon by its colours or tones, only by its texture.

    Args:
        images: (N, 3, H, W) in [-1, 1], of any sizes: the cartoons and the generator's outputs.
        form: the official code's or the paper's.
        generator: the source of chance, on any device; torch's own if not given.

    Source: Wang, Yu (White-box Cartoonization), CVPR 2020, section 3.3 with α = 0.8; its official code.
    """
    if not images:
        raise ValueError("images must hold at least one")
    for i, image in enumerate(images):
        _check_rgb(**{f"images[{i}]": image})
    device = generator.device if generator else images[0].device
    beta = torch.rand(3, generator=generator, device=device) * 2 - 1
    luma = beta.new_tensor(LUMA)
    if form == "code":
        weights = luma + 0.1 * beta
        weights = weights / weights.sum()
    elif form == "paper":
        weights = 0.8 * luma + 0.2 * beta
    else:
        raise ValueError(f"form must be 'code' or 'paper', not {form!r}")
    return tuple((weights.to(image)[:, None, None] * image).sum(1, keepdim=True) for image in images)


def color_reconstruction(image: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Keep the photo's colours: mean |Y - Y'| + mean h(U - U') + mean h(V - V'), h Huber's with δ = 1.

    Source: Chen, Liu, Chen (AnimeGAN), ISICA 2019; weight 10, in AnimeGANv2 10 to 50.
    """
    _check_rgb(image=image, target=target)
    y, u, v = rgb_to_yuv(image).chunk(3, 1)
    y2, u2, v2 = rgb_to_yuv(target).chunk(3, 1)
    chroma = huber(u, u2, reduction="none") + huber(v, v2, reduction="none")
    return reduce(l1(y, y2, reduction="none") + chroma, reduction)


def lab_color(image: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Keep the photo's colours as the eye sees them: 2 mean |L - L'| / 100 + mean |a - a'| / 255 + mean |b - b'| / 255.

    Source: the official code of AnimeGANv3 (2023); weight 10 (Hayao) or 8 (Shinkai).
    """
    _check_rgb(image=image, target=target)
    x, y = rgb_to_lab(image).chunk(3, 1), rgb_to_lab(target).chunk(3, 1)
    lightness, a, b = (l1(p, q, reduction="none") for p, q in zip(x, y, strict=True))
    return reduce(2 * lightness / 100 + a / 255 + b / 255, reduction)


def _mix(image: Tensor, rows: Sequence[Sequence[float]]) -> Tensor:
    # Not a matrix product, which autocast would round to bfloat16 and some devices to TF32.
    r, g, b = image.unbind(1)
    return torch.stack([p * r + q * g + s * b for p, q, s in rows], 1)


def _check_rgb(**images: Tensor) -> None:
    check_images(**images)
    for name, image in images.items():
        if image.shape[1] != 3:
            raise ValueError(f"{name} must have 3 channels, not {image.shape[1]}")
