"""A picture in, a picture out: orientation, transparency, 16 bits, colour profile, EXIF, format, animation."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from sakuga import formats, metadata
from sakuga.atomic import atomic
from sakuga.errors import SakugaError, TooLargeError, UsageError
from sakuga.opening import check_size, content, identify, opened, unlimited
from sakuga.picture import Frame, Picture
from sakuga.pixels import Array, arrays, bleed, gray_alpha_bytes, icc_space, low_bytes, upright
from sakuga.quiet import quiet

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "READABLE_SUFFIXES",
    "SUFFIXES",
    "Frame",
    "Picture",
    "atomic",
    "encode",
    "extension",
    "read",
    "replace",
    "to_pil",
    "write",
]

MAX_PIXELS = 178_956_970
"""The most pixels a picture may have, all frames together, unless told otherwise: 512 MiB of RGB."""

FORMATS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "AVIF": ".avif", "GIF": ".gif"}
"""The formats that are written, with their suffixes. A picture read from any other becomes a PNG."""

SUFFIXES = {suffix: name for name, suffix in FORMATS.items()}
SUFFIXES |= {".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".tiff": "TIFF", ".apng": "PNG"}
"""The format that each suffix of an output means."""

READABLE_SUFFIXES = frozenset(SUFFIXES) | {
    *(".mpo", ".bmp", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm", ".qoi"),
    *(".psd", ".ico", ".icns", ".dds", ".sgi", ".pcx", ".heic", ".heif", ".tga"),
}
"""The suffixes by which a folder's pictures are known."""

_ANIMATED = {"GIF", "WEBP", "PNG", "AVIF"}
_MAX_SCANS = 100  # of a JPEG: each may cost a pass over the whole picture and take a few bytes; encoders write ten
_ARRAY_TYPES = (np.uint8, np.uint16)


Source = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | Array


def read(source: Source, *, max_pixels: int | None = MAX_PIXELS) -> Picture:
    """Read a picture from a path, bytes, a binary file, a Pillow image (its current frame) or an array.

    An array is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), uint8 or uint16. All frames of a GIF, WebP, PNG or AVIF
    animation are read; of other files with several pictures (TIFF, MPO) the first. Gray and CMYK profiles are applied
    (the result is sRGB), RGB profiles are kept. 16 bits a channel are kept, of PNG and TIFF.

    Raises SakugaError when the source is missing, cannot be read, is no picture, is damaged or truncated, has more
    than `max_pixels` pixels over all frames (known before they are decoded; None: no limit), or has floating-point
    values; UsageError for an array of another shape or type.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, max_pixels)
    if isinstance(source, Image.Image):
        with _damage("the image"):
            return _decode(source, "the image", max_pixels, still=True)
    with opened(source) as (name, file), _damage(name):
        return _decode(identify(file, name, max_pixels), name, max_pixels, file=file)


def encode(picture: Picture, format: str | None = None) -> bytes:
    """The bytes of a picture in `format` (a key of FORMATS or a suffix), by default its own, or PNG for unlisted ones.

    PNG, WebP, AVIF and GIF hold animations, the others the first frame. JPEG lays transparency on white. PNG and TIFF
    hold 16 bits. Raises UsageError for an unknown format, SakugaError where the format cannot hold a picture so large.
    """
    name = _format(format) if format else picture.format if picture.format in FORMATS else "PNG"
    if name not in Image.SAVE:
        Image.init()
    if name not in Image.SAVE:
        if format:
            raise UsageError(f"the installed Pillow cannot write {name}: choose PNG")
        name = "PNG"
    try:
        return formats.ENCODERS[name](picture)
    except (OSError, ValueError, OverflowError, struct.error) as error:
        height, width = picture.frames[0].rgb.shape[:2]
        raise SakugaError(f"{width}x{height} pixels cannot be written as {name} ({error}): choose PNG") from error


def write(picture: Picture, target: Path, *, format: str | None = None, overwrite: bool = False) -> None:
    """Write a picture to `target`, whole or not at all, in `format`, by default what the target's suffix says.

    Raises UsageError for an unknown format, SakugaError as `encode` and `atomic` do.
    """
    target = Path(target)
    name = _format(format) if format else _format(target.suffix, target)
    with atomic(target, overwrite=overwrite) as temporary:
        try:
            data = encode(picture, name)
        except UsageError:
            raise
        except SakugaError as error:
            raise SakugaError(f"{target}: {error}") from error.__cause__
        temporary.write_bytes(data)


def to_pil(picture: Picture) -> Image.Image:
    """The first frame as an RGB or RGBA image of 8 bits, with icc_profile, exif, xmp and dpi in its `info`."""
    image = formats.image(picture.frames[0])
    info = {"icc_profile": picture.icc, "exif": picture.exif, "xmp": picture.xmp, "dpi": picture.dpi}
    image.info.update({key: value for key, value in info.items() if value is not None})
    return image


def extension(format: str) -> str:
    """The suffix of what a picture of this (source) format is written as, with its dot."""
    return FORMATS.get(format.upper(), ".png")


def _format(name: str, target: Path | None = None) -> str:
    """The key of FORMATS for a name or a suffix."""
    known = SUFFIXES.get("." + name.lower().lstrip("."), name.upper())
    if known not in FORMATS:
        where = f"{target}: the suffix {target.suffix or '(none)'}" if target else f"format {name}"
        raise UsageError(f"{where} is not one that is written: choose one of {', '.join(FORMATS.values())}")
    return known


@contextmanager
def _damage(name: str) -> Iterator[None]:
    """Say plainly what Pillow says in many ways: its plugins raise almost anything on damaged data."""
    try:
        with quiet():
            yield
    except UsageError:
        raise
    except SakugaError as error:
        raise (error if name in str(error) else SakugaError(f"{name}: {error}")) from error.__cause__
    except Image.DecompressionBombError as error:
        raise TooLargeError(f"{name} claims a size beyond all limits ({error}): do not trust it") from error
    except MemoryError as error:
        raise SakugaError(f"{name} does not fit into the memory: make it smaller first") from error
    except Exception as error:
        raise SakugaError(f"{name} is damaged or truncated ({error}): get a whole copy of it") from error


def _decode(
    image: Image.Image, name: str, max_pixels: int | None, file: BinaryIO | None = None, *, still: bool = False
) -> Picture:
    kind = "JPEG" if image.format == "MPO" else image.format or "PNG"
    count = getattr(image, "n_frames", 1) if kind in _ANIMATED and not still else 1
    check_size(name, image.size, count, max_pixels)
    if kind == "JPEG" and file is not None and metadata.scans(content(file)) > _MAX_SCANS:
        raise SakugaError(f"{name} has more than {_MAX_SCANS} scans, which only serves to stall: do not trust it")
    low: Array | None = None
    frames: list[Frame] = []
    with unlimited(image.size):
        if file is not None and count == 1 and kind in ("PNG", "TIFF") and low_bytes(image):
            low = np.asarray(image)
            image = identify(file, name, max_pixels)
        four = file is not None and gray_alpha_bytes(image)
        # An animated PNG may begin with a picture that stands in for the animation and is no part of it.
        for index in range(1 if count > 1 and image.info.get("default_image") else 0, count):
            if index:  # a PSD, for one, has no frame 0
                image.seek(index)
                check_size(name, image.size, count, max_pixels)  # a GIF's later frames may enlarge it
            image.load()
            if not frames:
                (orientation, exif), (width, height) = metadata.exif(image), image.size
            rgb, alpha = arrays(image, low, four)
            rgb = upright(rgb[:height, :width], orientation)
            if alpha is not None:
                alpha = upright(alpha[:height, :width], orientation)
                rgb = bleed(rgb, alpha)
            duration = float(image.info.get("duration") or 0) if count > 1 else 0
            frames.append(Frame(rgb, alpha, duration))
    if kind == "GIF" and file is not None and not metadata.gif_is_whole(content(file)):
        raise EOFError("its end is missing")
    icc, loop = image.info.get("icc_profile"), image.info.get("loop")
    if kind == "GIF":  # it counts repetitions, the other formats count plays
        loop = 1 if loop is None else loop + 1 if loop else 0
    return Picture(
        frames,
        kind,
        loop=loop or 0,
        icc=icc if icc_space(icc) == "RGB" else None,
        exif=exif,
        xmp=metadata.xmp(image),
        dpi=metadata.dpi(image),
        quality=metadata.quality(image),
        lossless=kind == "WEBP" and file is not None and metadata.webp_is_lossless(content(file)),
    )


def _from_array(values: Array, max_pixels: int | None) -> Picture:
    if values.ndim == 2:
        values = np.repeat(values[..., None], 3, axis=2)
    elif values.ndim == 3 and values.shape[2] == 1:
        values = np.repeat(values, 3, axis=2)
    if values.ndim != 3 or values.shape[2] not in (3, 4) or 0 in values.shape or values.dtype not in _ARRAY_TYPES:
        raise UsageError(
            "an array must be uint8 or uint16 and (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), "
            f"not {values.dtype} and {values.shape}"
        )
    check_size("the array", (values.shape[1], values.shape[0]), 1, max_pixels)
    rgb, alpha = np.ascontiguousarray(values[..., :3]), None
    if values.shape[2] == 4:
        alpha = np.ascontiguousarray(values[..., 3])
        rgb = bleed(rgb, alpha)
    return Picture([Frame(rgb, alpha)])
