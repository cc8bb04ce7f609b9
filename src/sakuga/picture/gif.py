"""The frames of a GIF as browsers show them: Pillow decodes their indices, what they leave behind is decided here."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import GifImagePlugin

from sakuga.picture.pixels import Array
from sakuga.picture.types import Frame

_TO_NOTHING, _TO_PREVIOUS = 2, 3
"""Disposal methods: what a frame's rectangle becomes before the next one is drawn."""


class Patch(NamedTuple):
    """The rectangle that one frame draws, still packed."""

    left: int
    top: int
    width: int
    height: int
    flags: int
    palette: bytes
    pixels: bytes
    transparent: int | None
    disposal: int
    duration: int
    """In milliseconds."""

    def decode(self) -> tuple[Array, Array]:
        """Its colours (h, w, 3) and where it draws at all (h, w) bool."""
        bits = self.palette and 0x80 | (len(self.palette) // 3).bit_length() - 2
        size = self.width.to_bytes(2, "little") + self.height.to_bytes(2, "little")
        head = b"GIF89a" + size + bytes([bits or 0, 0, 0]) + self.palette
        alone = head + b"," + bytes(4) + size + bytes([self.flags & 0x40]) + self.pixels + b";"
        image = GifImagePlugin.GifImageFile(BytesIO(alone))
        indices = np.asarray(image)
        drawn = np.ones(indices.shape, bool) if self.transparent is None else indices != self.transparent
        return np.asarray(image.convert("RGB")), drawn


def parse(data: bytes) -> tuple[list[Patch], bool]:
    """The frames of a GIF, and whether its blocks run to its trailer: Pillow does not tell that from the file's end."""

    def table(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    def blocks(at: int) -> int:
        while at < len(data) and data[at]:
            at += 1 + data[at]
        return at + 1

    patches: list[Patch] = []
    at = 13 + table(data[10])
    shared, control = data[13:at], bytes(4)
    while at < len(data):
        kind = data[at]
        if kind == 0x3B:
            return patches, True
        if kind == 0x21:
            if data[at + 1 : at + 3] == b"\xf9\x04":
                control = data[at + 3 : at + 7].ljust(4, b"\0")
            at = blocks(at + 2)
        elif kind == 0x2C and at + 9 < len(data):
            left, top, width, height = (int.from_bytes(data[i : i + 2], "little") for i in range(at + 1, at + 9, 2))
            flags, start = data[at + 9], at + 10 + table(data[at + 9])
            end = blocks(start + 1)
            transparent = control[3] if control[0] & 1 else None
            duration = 10 * int.from_bytes(control[1:3], "little")
            patches.append(
                Patch(
                    *(left, top, width, height, flags, data[at + 10 : start] or shared, data[start:end]),
                    *(transparent, control[0] >> 2 & 7, duration),
                )
            )
            at, control = end, bytes(4)
        else:  # a stray byte: decoders skip it
            at += 1
    return patches, False


def frames(patches: list[Patch], size: tuple[int, int]) -> Iterator[Frame]:
    """Draw the frames one over the other on a transparent canvas of a width and height; alpha is 0 or 255."""
    canvas = np.zeros((size[1], size[0], 4), np.uint8)
    for patch in patches:
        place = np.s_[patch.top : patch.top + patch.height, patch.left : patch.left + patch.width]
        before = canvas[place].copy()
        if before.size:
            rgb, drawn = (values[: before.shape[0], : before.shape[1]] for values in patch.decode())
            canvas[place][drawn] = np.dstack([rgb, np.full(drawn.shape, 255, np.uint8)])[drawn]
        yield Frame(canvas[..., :3].copy(), canvas[..., 3].copy(), patch.duration)
        if patch.disposal == _TO_NOTHING:
            canvas[place] = 0
        elif patch.disposal == _TO_PREVIOUS:
            canvas[place] = before
