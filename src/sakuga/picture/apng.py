"""The frames of an animated PNG as browsers show them: Pillow decodes each by itself, they are put together here.

Pillow's own puts half-clear pixels on the canvas with their alpha squared, and takes what was there before a frame for
what was there before the one before it. Source: PNG specification, third edition, section 11.3.2.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from PIL import PngImagePlugin

from sakuga.picture.pixels import Array, arrays, gray_alpha_bytes
from sakuga.picture.types import Frame

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LENGTHS = {b"cHRM": 32, b"gAMA": 4, b"pHYs": 9, b"sRGB": 1, b"acTL": 8}
_TO_NOTHING, _TO_PREVIOUS = 1, 2
"""What a frame's rectangle becomes before the next one is drawn."""
_OVER = 1
"""It is blended with what is there, in place of taking its place."""


@dataclass
class Patch:
    """The rectangle that one frame draws, still packed."""

    left: int
    top: int
    width: int
    height: int
    duration: float
    """In milliseconds."""
    disposal: int
    blend: int
    header: dict[bytes, bytes]
    data: list[bytes] = field(default_factory=list)

    def decode(self, icc: bytes | None) -> Array:
        """Its pixels (h, w, 4), through the profile of a gray file."""
        size = struct.pack(">II", self.width, self.height)
        parts = {**self.header, b"IHDR": size + self.header[b"IHDR"][8:], b"IDAT": b"".join(self.data), b"IEND": b""}
        image = PngImagePlugin.PngImageFile(BytesIO(_SIGNATURE + b"".join(_chunk(*part) for part in parts.items())))
        four = gray_alpha_bytes(image)
        image.load()
        image.info["icc_profile"] = icc
        rgb, alpha = arrays(image, None, four)
        return np.dstack([rgb, np.full(rgb.shape[:2], np.iinfo(rgb.dtype).max, rgb.dtype) if alpha is None else alpha])


def parse(data: bytes) -> list[Patch]:
    """The frames of an animated PNG. Raises ValueError where they do not follow one another or leave the canvas."""
    patches: list[Patch] = []
    header: dict[bytes, bytes] = {}
    number = 0
    for kind, body in _chunks(data):
        if kind in (b"IHDR", b"PLTE", b"tRNS"):
            header.setdefault(kind, body)
        elif kind in (b"fcTL", b"fdAT"):
            if int.from_bytes(body[:4], "big") != number:
                raise ValueError("its frames do not follow one another")
            number += 1
        if kind == b"fcTL":
            _, width, height, left, top, over, under, disposal, blend = struct.unpack(">IIIIIHHBB", body)
            across, down = struct.unpack_from(">II", header[b"IHDR"])
            if not (width and height and left + width <= across and top + height <= down):
                raise ValueError("a frame lies beside its canvas")
            patches.append(Patch(left, top, width, height, 1000 * over / (under or 100), disposal, blend, header))
        elif patches and kind in (b"IDAT", b"fdAT"):
            patches[-1].data.append(body[4:] if kind == b"fdAT" else body)
    return patches


def frames(patches: list[Patch], size: tuple[int, int], icc: bytes | None) -> Iterator[Frame]:
    """Draw the frames one over the other on a clear canvas of a width and height."""
    canvas: Array | None = None
    for patch in patches:
        drawn = patch.decode(icc)
        canvas = np.zeros((size[1], size[0], 4), drawn.dtype) if canvas is None else canvas
        place = np.s_[patch.top : patch.top + patch.height, patch.left : patch.left + patch.width]
        before = canvas[place].copy()
        canvas[place] = _over(drawn, before) if patch.blend == _OVER else drawn
        yield Frame(canvas[..., :3].copy(), canvas[..., 3].copy(), patch.duration)
        if patch.disposal == _TO_NOTHING:
            canvas[place] = 0
        elif patch.disposal == _TO_PREVIOUS:
            canvas[place] = before


def still(data: bytes) -> bytes:
    """The file without its animation, with all that it says besides."""
    kept = (part for part in _chunks(data) if part[0] not in (b"acTL", b"fcTL", b"fdAT"))
    return _SIGNATURE + b"".join(_chunk(*part) for part in kept)


def without_short_chunks(data: bytes) -> bytes:
    """The file without what says too little of its colours or resolution, for which Pillow refuses it."""
    kept = (part for part in _chunks(data) if len(part[1]) >= _LENGTHS.get(part[0], 0))
    return _SIGNATURE + b"".join(_chunk(*part) for part in kept)


def _over(drawn: Array, before: Array) -> Array:
    """Pixels (h, w, 4) over others, colours not multiplied by alpha."""
    full = np.iinfo(drawn.dtype).max
    share = drawn[..., 3:] / full
    rest = before[..., 3:] / full * (1 - share)
    whole = share + rest
    rgb = (drawn[..., :3] * share + before[..., :3] * rest) / np.maximum(whole, 1e-9)
    return np.rint(np.dstack([rgb, whole * full])).astype(drawn.dtype)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
