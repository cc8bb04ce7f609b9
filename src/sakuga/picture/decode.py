"""A picture in: orientation, transparency, 16 bits, colour profile, EXIF, animation."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from itertools import count as count_up
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from sakuga.errors import SakugaError, TooLargeError, UsageError
from sakuga.picture import apng, gif, metadata
from sakuga.picture.color import nclx_coding, png_coding
from sakuga.picture.formats import MAX_PIXELS
from sakuga.picture.identify import check_size, content, identify, opened, unlimited
from sakuga.picture.pixels import (
    Array,
    arrays,
    bleed,
    gray_alpha_bytes,
    icc_space,
    is_wide,
    low_bytes,
    over_white,
    to8,
    upright,
)
from sakuga.picture.quiet import quiet
from sakuga.picture.types import Frame, Picture

_ANIMATED = {"GIF", "WEBP", "PNG", "AVIF"}
_SEARCHED = {"JPEG", "GIF", "WEBP", "PNG", "AVIF", "HEIF", "JXL"}  # by us, for what Pillow does not say
_NCLX = {"AVIF", "HEIF"}
_SUBFILE_TYPE, _NO_PAGE = 254, 1 | 4  # a TIFF's smaller version of another page, or the mask of one
_CHANGING = {"ICO", "ICNS"}  # the size in their header is not always that of their pixels
_MAX_SCANS = 100  # of a JPEG: each may cost a pass over the whole picture and take a few bytes; encoders write ten
_NARROW = "it has 16 bits a channel, of which an animation is read with 8"
_ARRAY_TYPES = (np.uint8, np.uint16)


Source = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | Array


class Header(NamedTuple):
    """What a picture's header says: Pillow's name of its format, its size once it is upright, and how many frames."""

    format: str
    width: int
    height: int
    frames: int


def read(source: Source, *, max_pixels: int | None = MAX_PIXELS, still: bool = False, draft: int = 0) -> Picture:
    """Read a picture from a path, bytes, a binary file, a Pillow image (its current frame) or an array.

    An array is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), uint8 or uint16. All frames of a GIF, WebP, PNG or AVIF
    animation and all pages of a TIFF are read; the first alone, with a note, where a later frame of an animation is
    damaged; the first of other files with several pictures (MPO). Gray and CMYK profiles are applied (the result is
    sRGB), RGB profiles are kept. 16 bits a channel are kept, of PNG and TIFF. `still`: the first frame alone. `draft`:
    a JPEG may be reduced to a half, a quarter or an eighth, in a fraction of the time, while both of its sides stay at
    least as long as this.

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
        return _decode(identify(file, name, max_pixels), name, max_pixels, file=file, still=still, draft=draft)


def read_rgb(source: Source, *, draft: int = 0) -> Array:
    """Read the first frame of a picture upright, over white, as (H, W, 3) uint8 RGB; `draft` and errors as `read`."""
    return over_white(read(source, still=True, draft=draft).frames[0])


def read_header(source: Source, *, max_pixels: int | None = MAX_PIXELS) -> Header:
    """The format, the upright size and the number of frames of a picture that `read` would return, without its pixels.

    Raises SakugaError as `read` does, of damage only what shows in the header.
    """
    if isinstance(source, (np.ndarray, Image.Image)):
        picture = read(source, max_pixels=max_pixels)
        height, width = picture.frames[0].rgb.shape[:2]
        return Header(picture.format, width, height, 1)
    with opened(source) as (name, file), _damage(name):
        image = identify(file, name, max_pixels)
        kind = _kind(image)
        check_size(name, image.size, 1, max_pixels)
        count = len(_indices(image, name, max_pixels))
        if kind in _CHANGING:
            image.load()
        width, height = image.size
        # A TIFF's size is upright already, unless only its XMP says how it lies.
        says = not isinstance(image, TiffImagePlugin.TiffImageFile) or ExifTags.Base.Orientation not in image.tag_v2
        if kind == "PNG":  # to see what stands behind its pixels Pillow would decode them
            says = any(word in content(file) for word in metadata.PNG_WORDS)
        if says and metadata.orientation(image) >= 5:
            width, height = height, width
        return Header(kind, width, height, count)


def _kind(image: Image.Image) -> str:
    return "JPEG" if image.format == "MPO" else image.format or "PNG"


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
        raise SakugaError(f"{name} is damaged or truncated{_because(error)}: get a whole copy of it") from error


def _decode(
    image: Image.Image,
    name: str,
    max_pixels: int | None,
    file: BinaryIO | None = None,
    *,
    still: bool = False,
    draft: int = 0,
) -> Picture:
    kind = _kind(image)
    data = content(file) if file is not None and kind in _SEARCHED else b""
    if kind == "JPEG" and metadata.scans(data) > _MAX_SCANS:
        raise SakugaError(f"{name} has more than {_MAX_SCANS} scans, which only serves to stall: do not trust it")
    if draft and kind == "JPEG":
        image.draft(None, (draft, draft))
    unsaid = kind == "WEBP" and data and image.mode == "RGB" and getattr(image, "n_frames", 1) > 1
    if unsaid:  # it may be clear where no frame draws, as browsers show it
        image = identify(BytesIO(metadata.webp_with_alpha(data)), name, max_pixels)
    frames: list[Frame] = []
    note = ""
    indices = [0] if still or (kind == "GIF" and data) else _indices(image, name, max_pixels)
    if kind == "GIF" and data:
        frames, note = _gif(data, image.size, name, max_pixels, still=still)
        picture = _described(image, data)
    elif kind == "PNG" and file is not None and len(indices) > 1:
        note = _NARROW if is_wide(image) else ""
        try:
            picture, frames = _apng(image, data, name, max_pixels, len(indices))
        except Exception as error:
            if not metadata.is_whole_animation(kind, data):
                raise
            first = _decode(identify(file, name, max_pixels), name, max_pixels, file, still=True)
            return replace(first, note=_damaged_animation(error))
    else:
        check_size(name, image.size, 1, max_pixels)
        twin: Image.Image | None = None
        for index in indices:
            try:
                if index:  # a PSD, for one, has no frame 0
                    image.seek(index)
                    check_size(name, image.size, 1, max_pixels)
                low: Array | None = None
                if file is not None and is_wide(image) and (kind == "TIFF" or len(indices) == 1):
                    twin = twin or identify(file, name, max_pixels)
                    low = _low_bytes(twin, index)
                    image = image if kind == "TIFF" else identify(file, name, max_pixels)
                frames.append(_frame(image, low, file is not None and gray_alpha_bytes(image), len(indices)))
            except Exception as error:
                if not index or not metadata.is_whole_animation(kind, data) or file is None:
                    raise
                first = _decode(identify(file, name, max_pixels), name, max_pixels, file, still=True)
                return replace(first, note=_damaged_animation(error))
            if len(frames) == 1:
                picture = _described(image, data)
        if kind != "TIFF":
            picture = _described(image, data)  # with what stands behind the last frame
    if unsaid and all(frame.alpha is None or frame.alpha.min() == 255 for frame in frames):
        frames = [replace(frame, alpha=None) for frame in frames]
    if kind == "PNG" and len(indices) == 1 and not still and b"acTL" in data:
        try:
            apng.parse(data)
        except (ValueError, KeyError, struct.error) as error:
            note = _damaged_animation(error)
    if kind == "JXL" and metadata.jxl_is_animated(data):
        note = "it is animated, and its first picture alone is taken: make a WebP or PNG of it first"
    if kind == "HEIF" and not still and (many := getattr(image, "n_frames", 1)) > 1:
        note = f"it holds {many} pictures, of which the main one alone is taken: export the others first"
    coding = png_coding(data) if kind == "PNG" else nclx_coding(data) if kind in _NCLX and not picture.icc else None
    if coding:
        for index, frame in enumerate(frames):
            rgb, icc = coding.apply(frame.rgb)
            alpha = frame.alpha if frame.alpha is None or rgb.dtype == frame.rgb.dtype else to8(frame.alpha)
            frames[index], picture = replace(frame, rgb=rgb, alpha=alpha), replace(picture, icc=icc)
    return replace(picture, frames=frames, note=note)


def _because(error: Exception) -> str:
    """What a decoder says, in brackets, where that is words: a number, a key or a name means nothing to a reader."""
    said = str(error)
    return f" ({said})" if re.search(r"[^\W\d]\W+[^\W\d]", said) else ""


def _damaged_animation(error: Exception) -> str:
    return f"its animation is damaged{_because(error)}, its first picture alone is taken: get a whole copy of it"


def _indices(image: Image.Image, name: str, max_pixels: int | None) -> list[int]:
    """The frames of an animation, or the pages of a TIFF without its thumbnails and masks."""
    kind = _kind(image)
    if kind in _ANIMATED:
        count = getattr(image, "n_frames", 1)
        check_size(name, image.size, count, max_pixels)
        # An animated PNG may begin with a picture that stands in for the animation and is no part of it.
        return list(range(1 if count > 1 and image.info.get("default_image") else 0, count))
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return [0]
    pages, pixels = [], 0
    with suppress(EOFError):
        for index in count_up():
            image.seek(index)
            use = image.tag_v2.get(_SUBFILE_TYPE)
            if not (isinstance(use, int) and use & _NO_PAGE):
                pages.append(index)
                pixels += image.width * image.height
    image.seek(0)
    check_size(name, image.size, len(pages), max_pixels, pixels=pixels)
    return pages or [0]


def _low_bytes(twin: Image.Image, index: int) -> Array:
    if index:
        twin.seek(index)
    low_bytes(twin)
    with unlimited(twin.size):
        return np.asarray(twin)


def _frame(image: Image.Image, low: Array | None, four: bool, count: int) -> Frame:
    with unlimited(image.size):
        image.load()
    orientation = metadata.orientation(image)
    rgb, alpha = arrays(image, low, four)
    rgb = upright(rgb, orientation)
    if alpha is not None:
        alpha = upright(alpha, orientation)
        rgb = bleed(rgb, alpha)
    return Frame(rgb, alpha, float(image.info.get("duration") or 0) if count > 1 else 0)


def _described(image: Image.Image, data: bytes) -> Picture:
    """What a decoded image says besides its pixels."""
    kind, icc, loop = _kind(image), image.info.get("icc_profile"), image.info.get("loop")
    if kind == "GIF":  # it counts repetitions, the other formats count plays
        loop = 1 if loop is None else loop + 1 if loop else 0
    return Picture(
        [],
        kind,
        loop=loop or 0,
        icc=icc if icc_space(icc) == "RGB" else None,
        exif=metadata.exif(image),
        xmp=metadata.xmp(image),
        dpi=metadata.dpi(image),
        quality=metadata.quality(image),
        lossless=kind == "WEBP" and metadata.webp_is_lossless(data),
    )


def _gif(
    data: bytes, size: tuple[int, int], name: str, max_pixels: int | None, *, still: bool
) -> tuple[list[Frame], str]:
    """The frames of a GIF, or its first and a note where a later one is damaged."""
    patches, whole = gif.parse(data)
    if not whole:
        raise EOFError("its end is missing")
    patches = patches[:1] if still else patches
    check_size(name, size, len(patches), max_pixels)
    check_size(name, size, 1, max_pixels, pixels=sum(patch.width * patch.height for patch in patches))
    frames, note = [], ""
    try:
        for frame in gif.frames(patches, size):
            frames.append(frame)
    except Exception as error:
        if not frames:
            raise
        frames, note = [replace(frames[0], duration=0)], _damaged_animation(error)
    if all(frame.alpha is None or frame.alpha.all() for frame in frames):
        return [replace(frame, alpha=None) for frame in frames], note
    return [replace(frame, rgb=bleed(frame.rgb, frame.alpha)) for frame in frames if frame.alpha is not None], note


def _apng(
    image: Image.Image, data: bytes, name: str, max_pixels: int | None, count: int
) -> tuple[Picture, list[Frame]]:
    """What an animated PNG says besides its pixels, and its frames, of which there are to be `count`."""
    patches = apng.parse(data)[:count]
    if len(patches) < count:
        raise EOFError("a frame of it is missing")
    alone = identify(BytesIO(apng.still(data)), name, max_pixels)
    with unlimited(image.size):
        alone.load()
        frames = list(apng.frames(patches, image.size, alone.info.get("icc_profile")))
    turn, clear = metadata.orientation(alone), alone.has_transparency_data
    for index, frame in enumerate(frames):
        rgb, alpha = upright(frame.rgb, turn), None if frame.alpha is None else upright(frame.alpha, turn)
        clear = clear or (alpha is not None and not alpha.all())
        frames[index] = replace(frame, rgb=rgb if alpha is None else bleed(rgb, alpha), alpha=alpha)
    if not clear:
        frames = [replace(frame, alpha=None) for frame in frames]
    return replace(_described(alone, data), loop=image.info.get("loop") or 0), frames


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
