"""A picture out: the bytes of any format that is written, whole or not at all."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

from PIL import Image

from sakuga.errors import SakugaError, UsageError
from sakuga.picture import encoders
from sakuga.picture.formats import FORMATS, SUFFIXES
from sakuga.picture.types import Picture
from sakuga.runtime.atomic import atomic


def encode(picture: Picture, format: str | None = None) -> bytes:
    """The bytes of a picture in `format` (a key of FORMATS or a suffix), by default its own, or PNG for unlisted ones.

    PNG, WebP, AVIF and GIF hold animations, TIFF pages; of what does not fit the first frame is taken. JPEG lays
    transparency on white. PNG and TIFF hold 16 bits. Raises UsageError for an unknown format, SakugaError where the
    format cannot hold a picture so large.
    """
    name = _format(format) if format else picture.format if picture.format in FORMATS else "PNG"
    if name not in Image.SAVE:
        Image.init()
    if name not in Image.SAVE:
        if format:
            raise UsageError(f"the installed Pillow cannot write {name}: choose PNG")
        name = "PNG"
    if dropped(picture, name):
        picture = replace(picture, frames=picture.frames[:1])
    try:
        return encoders.ENCODERS[name][1](picture)
    except (OSError, ValueError, OverflowError, struct.error) as error:
        height, width = picture.frames[0].rgb.shape[:2]
        raise SakugaError(f"{width}x{height} pixels cannot be written as {name} ({error}): choose PNG") from error


def dropped(picture: Picture, format: str | None = None) -> str:
    """What a person should hear of the frames that a picture loses when it is written in `format`, as `encode` does."""
    name = _format(format) if format else picture.format if picture.format in FORMATS else "PNG"
    count, pages = len(picture.frames), picture.format == "TIFF"
    if count == 1 or (name != "JPEG" and not (pages and name != "TIFF")):
        return ""
    kind, remedy = ("pages", "TIFF") if pages else ("frames", "GIF or WebP")
    return f"of its {count} {kind} a {name} holds the first alone: write a {remedy} for all"


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


def check_suffix(target: Path) -> None:
    """Raise UsageError, before the work, for a name whose suffix is not one that is written."""
    _format(target.suffix, target)


def to_pil(picture: Picture) -> Image.Image:
    """The first frame as an RGB or RGBA image of 8 bits, with icc_profile, exif, xmp and dpi in its `info`."""
    image = encoders.image(picture.frames[0])
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
