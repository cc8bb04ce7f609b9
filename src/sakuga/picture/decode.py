"""A picture in: orientation, transparency, 16 bits, colour profile, EXIF, animation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from PIL import Image

from sakuga.errors import SakugaError, TooLargeError, UsageError
from sakuga.picture import metadata
from sakuga.picture.formats import MAX_PIXELS
from sakuga.picture.identify import check_size, content, identify, opened, unlimited
from sakuga.picture.pixels import Array, arrays, bleed, gray_alpha_bytes, icc_space, low_bytes, upright
from sakuga.picture.quiet import quiet
from sakuga.picture.types import Frame, Picture

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
