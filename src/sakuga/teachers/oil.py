"""Oil paint: brush strokes that follow the forms, with marks of the bristles and a slight relief."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.teachers.filters import along, blur, flow, places, sample, to_lab, to_photo, to_rgb


@torch.inference_mode()
def oil(photo: np.ndarray) -> np.ndarray:
    """Paint a photo in oil, (H, W, 3) uint8 RGB to the same.

    An anisotropic Kuwahara filter (Kyprianidis, Kang, Döllner, 2009); marks and relief are the photo's own fine
    texture, evened in strength and drawn out along the strokes.
    """
    lab = to_lab(photo)
    paint = kuwahara(blur(lab, 0.6), radius=7)
    gy, gx, _coherence = flow(paint, 4.0)
    paint = along(paint, gy, gx, 2.5)
    fine = lab[:, :1] - blur(lab[:, :1], 1.5)
    marks = along((fine / (blur(fine * fine, 8.0).sqrt() + 1.0)).clamp(-2, 2), gy, gx, 6.0)
    y, x = places(lab)
    relief = marks - sample(marks, y + 1, x + 1)
    light = paint[:, :1] + 5.0 * marks + 6.0 * relief
    light = 50 + 1.05 * (100 * (light / 100).clamp(0, 1) ** 0.92 - 50)
    return to_photo(to_rgb(torch.cat([light, 1.25 * paint[:, 1:]], 1)))


def kuwahara(lab: Tensor, *, radius: int, power: float = 8.0) -> Tensor:
    """Means of the calmest of eight sectors of an ellipse that lies along the edge, (1, 3, H, W).

    Source: Kyprianidis, Kang, Döllner, 2009, with the polynomial weights of Kyprianidis, 2011. Every second pixel of
    the ellipse is enough of a blurred picture.
    """
    gy, gx, coherence = flow(lab, 2.0)
    major, minor = radius * (1 + coherence), radius / (1 + coherence)
    (height, width), reach = lab.shape[2:], 2 * radius
    padded = F.pad(lab, 4 * [reach], mode="replicate")
    padded = torch.cat([padded, (padded * padded).sum(1, keepdim=True), torch.ones_like(padded[:, :1])], 1)[0]
    total = torch.zeros(8, 5, height, width)  # weighted Lab, square and one
    zeta, eta, half = 2.0 / radius, 0.58, math.sqrt(0.5)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dy * dy + dx * dx > reach * reach or (dy + dx) % 2:
                continue
            u, v = (dy * gx - dx * gy) / major, (dx * gx + dy * gy) / minor  # along the edge and across it, 0..1
            inside = u * u + v * v
            if inside.min() >= 1:
                continue
            fall = torch.where(inside < 1, torch.exp(-3.125 * inside), 0.0)
            p, q = half * (u - v), half * (u + v)
            toward = torch.stack([v, -u, -v, u, q, -p, -q, p])
            beside = torch.stack([u, v, u, v, p, q, p, q])
            sectors = (toward + zeta - eta * beside * beside).clamp_min(0) ** 2
            sectors *= fall / (sectors.sum(0) + 1e-6)
            near = padded[:, reach + dy : reach + dy + height, reach + dx : reach + dx + width]
            total.addcmul_(sectors[:, None], near)
    means = total[:, :4] / (total[:, 4:] + 1e-6)
    spread = (means[:, 3:] - (means[:, :3] ** 2).sum(1, keepdim=True)).clamp_min(0).sqrt()
    weight = (1 + spread) ** -power
    return ((weight * means[:, :3]).sum(0) / weight.sum(0))[None]
