"""APDrawingGAN's generator: one U-Net for the portrait, one for each part of the face, and their fusion."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.networks.layers import init_normal, reflected
from sakuga.networks.unet import UNet

SIZES = {"eye_left": (80, 112), "eye_right": (80, 112), "nose": (96, 96), "mouth": (80, 128)}
"""Height and width of the rectangle of each part in a portrait of 512 pixels."""
OUTSIDE = ("hair", "background")
PARTS = (*SIZES, *OUTSIDE)
MIN_PATCH = 24
"""Pixels that a PatchGAN needs at least."""


class Patch(NamedTuple):
    """A rectangle of a picture, whole pixels."""

    top: int
    left: int
    height: int
    width: int


def patch_sizes(side: int) -> dict[str, tuple[int, int]]:
    """Height and width of the parts' rectangles in a portrait of `side` pixels: multiples of 8, MIN_PATCH or more."""
    return {
        part: tuple(max(MIN_PATCH, round(length * side / 512 / 8) * 8) for length in size)  # type: ignore[misc]
        for part, size in SIZES.items()
    }


def place_patches(points: Tensor, side: int) -> list[dict[str, Patch]]:
    """Return the rectangles around the landmarks (N, 5, 2) of each portrait: eyes, nose, corners of the mouth.

    Eyes are 8 pixels of 512 above the middle of theirs, the nose 16 above; the mouth is midway between its corners. At
    the border rectangles are moved inside.
    """
    up = torch.tensor([0.0, side / 512]).to(points)
    centres = torch.stack(
        [points[:, 0] - 8 * up, points[:, 1] - 8 * up, points[:, 2] - 16 * up, points[:, 3:].mean(1)], 1
    ).tolist()
    found = []
    for portrait in centres:
        patches = {}
        for (part, (height, width)), (x, y) in zip(patch_sizes(side).items(), portrait, strict=True):
            corner = (round(y - (height - 1) / 2), round(x - (width - 1) / 2))
            top, left = (min(max(0, at), side - size) for at, size in zip(corner, (height, width), strict=True))
            patches[part] = Patch(top, left, height, width)
        found.append(patches)
    return found


def guess_foreground(points: Tensor, side: int) -> Tensor:
    """Guess where the person is, (N, 1, side, side) of 0 and 1: an ellipse about the landmarks, another for shoulders.

    What stands in for a mask where there is none; ours.
    """
    middle = points[:, :2].mean(1)
    across = (points[:, 1] - points[:, 0]).norm(dim=1).view(-1, 1, 1, 1)
    down = (points[:, 3:].mean(1) - middle).norm(dim=1).view(-1, 1, 1, 1)
    y = torch.arange(side, device=points.device, dtype=points.dtype).view(1, 1, -1, 1)
    x = torch.arange(side, device=points.device, dtype=points.dtype).view(1, 1, 1, -1)
    dx, dy = (x - middle[:, 0, None, None, None]) / across, (y - middle[:, 1, None, None, None]) / down
    head = (dx / 1.4).square() + ((dy - 0.15) / 1.65).square()
    shoulders = (dx / 2.3).square() + ((dy - 2.7) / 1.1).square()
    return (torch.minimum(head, shoulders) < 1).to(points.dtype)


def split_outside(foreground: Tensor, places: list[dict[str, Patch]]) -> dict[str, Tensor]:
    """Return the masks of the hair, which is the foreground (N, 1, H, W) but the rectangles, and of the background."""
    free = torch.ones_like(foreground)
    for i, patches in enumerate(places):
        for top, left, height, width in patches.values():
            free[i, :, top : top + height, left : left + width] = 0
    return {"hair": foreground * free, "background": 1 - foreground}


def cut(image: Tensor, places: list[dict[str, Patch]], part: str) -> Tensor:
    """Cut a part's rectangle out of each picture (N, C, H, W)."""
    found = []
    for one, patches in zip(image, places, strict=True):
        top, left, height, width = patches[part]
        found.append(one[:, top : top + height, left : left + width])
    return torch.stack(found)


def fill(image: Tensor, mask: Tensor, value: float) -> Tensor:
    """Set what lies outside of a mask (N, 1, H, W) in [0, 1] to black (-1) or white (1)."""
    return image * mask + value * (1 - mask)


def view_parts(
    photo: Tensor, drawing: Tensor, foreground: Tensor, places: list[dict[str, Patch]]
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return each part of portraits (N, 3, H, W) and of their drawings (N, 1, H, W), as local discriminators see it.

    Rectangles are cut out; hair and background are black in the portrait, white in the drawing, where they are not.
    """
    masks = split_outside(foreground, places)
    inside = {part: (cut(photo, places, part), cut(drawing, places, part)) for part in SIZES}
    return inside | {part: (fill(photo, masks[part], -1), fill(drawing, masks[part], 1)) for part in OUTSIDE}


class Drawing(NamedTuple):
    """What the generator makes: drawings (N, 1, H, W) in [-1, 1], and each part before the fusion."""

    fused: Tensor
    parts: dict[str, Tensor]


class APDrawingGenerator(nn.Module):
    """A portrait (N, 3, S, S) in [-1, 1] to a drawing in black on white (N, 1, S, S).

    The global network draws all of it (54,409,857 parameters), those of the eyes, the nose and the mouth their
    rectangles (1,447,553 each), those of the hair and the background what is left of the portrait, blackened elsewhere
    (1,710,209 each). Parts are put on white, the darkest of them counts, and a fusion (157,505) draws the result of
    both drawings.

    Args:
        width: channels of the first layers.
        levels: halvings of the global network; S must be a multiple of 2 to this power, and of 16.

    Source: Yi, Liu, Lai, Rosin, "APDrawingGAN: Generating Artistic Portrait Drawings from Face Photos with Hierarchical
    GANs", CVPR 2019, section 3.3, sizes of the official code.
    """

    def __init__(self, *, width: int = 64, levels: int = 8):
        super().__init__()
        self.whole = UNet(3, 1, width=width, levels=levels)
        self.parts = nn.ModuleDict(
            {part: UNet(3, 1, width=width, levels=3, dropout=()) for part in SIZES}
            | {part: UNet(3, 1, width=width, most=2, levels=4, dropout=()) for part in OUTSIDE}
        )
        self.fusion = nn.Sequential(
            reflected(2, width, 7, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            _Residual(width),
            _Residual(width),
            reflected(width, 1, 7),
            nn.Tanh(),
        )
        init_normal(self.fusion)

    def forward(self, image: Tensor, foreground: Tensor, places: list[dict[str, Patch]]) -> Drawing:
        """Draw portraits whose person is where `foreground` (N, 1, S, S) is 1 and whose parts lie at `places`."""
        side = image.shape[2]
        masks = split_outside(foreground, places)
        parts, layers = {}, []
        for part in PARTS:
            if part in SIZES:
                parts[part] = self.parts[part](cut(image, places, part))
                rows = []
                for one, patches in zip(parts[part], places, strict=True):
                    top, left, height, width = patches[part]
                    around = (left, side - left - width, top, side - top - height)
                    rows.append(F.pad(one, around, value=1.0))
                layers.append(torch.stack(rows))
            else:
                parts[part] = fill(self.parts[part](fill(image, masks[part], -1)), masks[part], 1)
                layers.append(parts[part])
        assembled = layers[0]
        for layer in layers[1:]:
            assembled = torch.minimum(assembled, layer)
        return Drawing(self.fusion(torch.cat([self.whole(image), assembled], 1)), parts)


class _Residual(nn.Module):
    """Two reflected 3x3 convolutions with batch norm, half of the values between them dropped, added to the input."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            reflected(channels, channels, 3, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            reflected(channels, channels, 3, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.body(x)
        return result


class Penman(nn.Module):
    """Draws faces that lie where `places` has their parts, on a person that a segmenter sees, or that is `foreground`.

    The segmenter's result, (N, 1, S, S) in [-1, 1], is the person above 0, with an edge of a tenth.
    """

    foreground: Tensor

    def __init__(
        self,
        generator: APDrawingGenerator,
        segmenter: nn.Module | None,
        places: dict[str, Patch],
        foreground: Tensor,
    ):
        super().__init__()
        self.generator, self.segmenter, self.places = generator, segmenter, places
        self.register_buffer("foreground", foreground, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Draw (N, 3, S, S) in [-1, 1] as (N, 3, S, S) in gray."""
        person = self.foreground.expand(len(image), -1, -1, -1)
        if self.segmenter is not None:
            person = (0.5 + 5 * self.segmenter(image)).clamp(0, 1)
        drawing: Drawing = self.generator(image, person, [self.places] * len(image))
        return drawing.fused.expand(-1, 3, -1, -1)
