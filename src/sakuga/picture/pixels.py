"""From a Pillow image to arrays: every mode as RGB and alpha, 16 bits kept, upright, colour under transparency."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sakuga.errors import SakugaError

if TYPE_CHECKING:
    from sakuga.picture.types import Frame

Array = np.ndarray[Any, Any]

# The raw modes under which Pillow decodes 16-bit colour to its high bytes, and those that give the low bytes instead.
_LOW = {f"{mode};16{a}": f"{mode};16{b}" for mode in ("RGB", "RGBA") for a, b in ("BL", "LB")}
_LOW |= {f"{mode};16N": f"{mode};16{'B' if sys.byteorder == 'little' else 'L'}" for mode in ("RGB", "RGBA")}
_TIFF_BITS, _TIFF_PLANAR = 258, 284


def to8(values: Array) -> Array:
    """uint16 in [0, 65535] to the nearest uint8 in [0, 255]; uint8 is returned as it is."""
    if values.dtype == np.uint8:
        return values
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def over_white(frame: Frame) -> Array:
    """A frame's pixels on white where it is transparent: (H, W, 3) uint8."""
    rgb = to8(frame.rgb)
    if frame.alpha is None:
        return rgb
    share = to8(frame.alpha)[..., None] / np.float32(255)
    return np.rint(255 + (rgb - np.float32(255)) * share).astype(np.uint8)


def upright(values: Array, orientation: int) -> Array:
    """`values` (H, W, ...) turned as EXIF orientation 1 to 8 asks; (W, H, ...) for 5 to 8. Other numbers mean 1."""
    if orientation in (2, 3, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7):
        values = values[::-1]
    if orientation in (5, 7):
        values = values.swapaxes(0, 1)
    if orientation in (6, 8):
        values = np.rot90(values, -1 if orientation == 6 else 1)
    return np.ascontiguousarray(values)


def bleed(colour: Array, weight: Array) -> Array:
    """Colour (H, W, 3) with the places of zero weight (H, W) filled from around them, diffused with the distance.

    A pyramid: the weighted mean of each 2x2 block, filled in turn, fills what its block lacks. Other places stay as
    they are; so does everything where all weights are zero.
    """
    holes = weight == 0
    if not holes.any() or holes.all():
        return colour
    height, width = ((size + 1) // 2 for size in holes.shape)
    total, mass = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    for y in (0, 1):
        for x in (0, 1):
            part = weight[y::2, x::2].astype(np.float32)
            mass[: part.shape[0], : part.shape[1]] += part
            total[: part.shape[0], : part.shape[1]] += colour[y::2, x::2] * part[..., None]
    coarse = bleed(total / np.maximum(mass, np.finfo(np.float32).tiny)[..., None], mass)
    # Each pixel lies a quarter of a block from its block's centre: interpolate with the next block on that side.
    rows, columns = np.arange(holes.shape[0]), np.arange(holes.shape[1])
    beside_y, beside_x = (np.clip(i // 2 + i % 2 * 2 - 1, 0, n - 1) for i, n in ((rows, height), (columns, width)))
    filled = colour.copy()
    for band in np.array_split(rows, -(-len(rows) // 256)):  # a band at a time, for the memory's sake
        fine = 0.75 * coarse[band // 2] + 0.25 * coarse[beside_y[band]]
        fine = 0.75 * fine[:, columns // 2] + 0.25 * fine[:, beside_x]
        fine = np.rint(fine) if colour.dtype.kind == "u" else fine
        np.copyto(filled[band[0] : band[-1] + 1], fine, "unsafe", where=holes[band][..., None])
    return filled


def is_wide(image: Image.Image) -> bool:
    """Whether a just opened, undecoded image is 16-bit colour, of which Pillow would keep the high bytes only."""
    args = [(tile.args,) if isinstance(tile.args, str) else tile.args for tile in getattr(image, "tile", [])]
    planar = getattr(image, "tag_v2", {}).get(_TIFF_PLANAR) == 2
    return not planar and bool(args) and all(each and each[0] in _LOW for each in args)


def low_bytes(image: Image.Image) -> None:
    """Make a just opened, undecoded image that `is_wide` decode to its low bytes.

    Pillow has no 16-bit colour mode. Reading the same file twice, once as if its byte order were the other one, gives
    all sixteen bits.
    """
    tiles: list[Any] = getattr(image, "tile", [])
    for index, tile in enumerate(tiles):
        raw, *rest = (tile.args,) if isinstance(tile.args, str) else tile.args
        tiles[index] = tile._replace(args=(_LOW[raw], *rest))


def gray_alpha_bytes(image: Image.Image) -> bool:
    """Make a just opened 16-bit gray and alpha PNG decode to the bytes of its pixels; False where it is none."""
    tiles: list[Any] = getattr(image, "tile", [])
    if [tile.args for tile in tiles] != ["LA;16B"]:
        return False
    tiles[0] = tiles[0]._replace(args="RGBA")
    return True


def icc_space(icc: object) -> str:
    """The colour space an ICC profile describes: "RGB", "GRAY", "CMYK", ...; empty when there is none.

    Of a damaged TIFF it can be anything.
    """
    return icc[16:20].decode("latin-1").strip() if isinstance(icc, bytes) and len(icc) >= 128 else ""


def arrays(image: Image.Image, low: Array | None = None, four: bool = False) -> tuple[Array, Array | None]:
    """The pixels of a decoded image as rgb (H, W, 3) and alpha (H, W) or None; uint16 where there are 16 bits.

    `low` are the low bytes of 16-bit colour (`low_bytes`); `four` says that the channels are the bytes of 16-bit gray
    and alpha (`gray_alpha_bytes`). Gray and CMYK profiles in `image.info` are applied (to sRGB). Raises SakugaError
    for floating-point pictures and for 32-bit values that are not within 0 to 65535.
    """
    icc = image.info.get("icc_profile")
    alpha: Array | None = None
    if image.mode == "F":
        raise SakugaError("a picture of floating-point values has no agreed white: convert it to 16 bits first")
    if image.mode == "I" or image.mode.startswith("I;16"):
        gray = np.asarray(image)
        if gray.size and (gray.min() < 0 or gray.max() > 65535):
            raise SakugaError("its 32-bit values are not within 0 to 65535: convert it to 16 bits first")
        gray = gray.astype(np.uint16)
        key = image.info.get("transparency")
        if isinstance(key, int):
            alpha = np.where(gray == key, 0, 65535).astype(np.uint16)
        if getattr(image, "tag_v2", {}).get(_TIFF_BITS) == (12,):
            gray = (gray.astype(np.uint32) * 65535 // 4095).astype(np.uint16)
        return _from_gray(gray, icc), alpha
    if four:
        words = np.asarray(image).view(">u2").astype(np.uint16)
        return _from_gray(words[..., 0], icc), words[..., 1]
    if low is not None:
        values = np.asarray(image).astype(np.uint16) << 8 | low
        key = image.info.get("transparency")
        if values.shape[2] == 4:
            alpha = values[..., 3]
        elif isinstance(key, tuple):
            alpha = np.where((values == key).all(axis=2), 0, 65535).astype(np.uint16)
        return values[..., :3], alpha
    if image.mode == "La":
        image = image.convert("LA")
    gray_mode = image.mode in ("1", "L", "LA")
    if image.mode in ("CMYK", "LAB"):
        image = _to_srgb(image, icc)
    values = np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    if values.shape[2] == 4:
        alpha = values[..., 3]
    return _from_gray(values[..., 0], icc) if gray_mode else values[..., :3], alpha


def _from_gray(gray: Array, icc: bytes | None) -> Array:
    """Gray (H, W) as colour (H, W, 3), through its gray profile where it has one."""
    if icc_space(icc) == "GRAY":
        from PIL import ImageCms

        assert icc is not None
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        try:
            table: Array = np.asarray(ImageCms.profileToProfile(ramp, BytesIO(icc), _srgb(), outputMode="RGB"))[0]
        except (ImageCms.PyCMSError, OSError):  # a damaged profile: the values speak for themselves
            return np.repeat(gray[..., None], 3, axis=2)
        if gray.dtype == np.uint8:
            return table[gray]
        curves = [np.interp(np.arange(65536) / 257, np.arange(256), table[:, i] * 257.0) for i in range(3)]
        wide: Array = np.rint(np.stack(curves, axis=1)).astype(np.uint16)
        return wide[gray]
    return np.repeat(gray[..., None], 3, axis=2)


def _to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """A CMYK or Lab image in sRGB: by its own profile where it has one, else by Pillow's plain conversion."""
    from PIL import ImageCms

    try:
        if image.mode == "LAB":
            profile: Any = ImageCms.createProfile("LAB")
        elif icc_space(icc) == "CMYK" and icc is not None:
            profile = BytesIO(icc)
        else:
            return image.convert("RGB")
        converted = ImageCms.profileToProfile(image, profile, _srgb(), outputMode="RGB")
        assert converted is not None
        return converted
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")


def in_srgb(rgb: Array, icc: bytes | None) -> Array:
    """Colours (H, W, 3) uint8 of a profile as sRGB's; as they are where there is none, or a damaged one."""
    if icc is None:
        return rgb
    from PIL import ImageCms

    try:
        shown = ImageCms.profileToProfile(Image.fromarray(rgb), BytesIO(icc), _srgb(), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return rgb
    return np.asarray(shown)


def _srgb() -> Any:
    from PIL import ImageCms

    return ImageCms.createProfile("sRGB")


def match_histogram(image: Array, reference: Array) -> Array:
    """Give each channel of an image (H, W, 3) the distribution of the reference's (h, w, 3); both of one dtype.

    A value below which lies a share q of the image becomes the reference's quantile q, in the image's order.
    """
    levels = np.iinfo(image.dtype).max + 1
    matched = np.empty_like(image)
    for channel in range(3):
        counts, targets = (np.bincount(a[..., channel].ravel(), minlength=levels) for a in (image, reference))
        # A level's share is taken at its middle, so that equal histograms map every level to itself.
        share, quantile = ((np.cumsum(n) - n / 2) / n.sum() for n in (counts, targets))
        present = np.flatnonzero(targets)
        table = np.rint(np.interp(share, quantile[present], present)).astype(image.dtype)
        matched[..., channel] = table[image[..., channel]]
    return matched
