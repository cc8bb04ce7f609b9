"""One picture of a request: read, painted, written, in a thread of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from PIL import Image

from sakuga.errors import FormatError, SakugaError, TooLargeError, UsageError
from sakuga.picture import FORMATS, Picture, encode, metadata, read
from sakuga.picture.quiet import quiet
from sakuga.serve.errors import RefusedError
from sakuga.serve.limits import Limits
from sakuga.serve.options import PictureOptions
from sakuga.style import Style
from sakuga.stylizer import Stylizer

MEDIA_TYPES = {name: f"image/{name.lower()}" for name in FORMATS}
_HEAVY = 8_000_000  # pixels
_COMMON = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "BMP")
_SMALLEST = 64  # narrower pictures are padded to this before they are painted


class AbandonedError(Exception):
    """Nobody waits for the result any more."""


@dataclass(frozen=True)
class Painted:
    """A result: its bytes, the key of FORMATS, its size, and the seconds that each part took."""

    data: bytes
    format: str
    width: int
    height: int
    pixels: int
    seconds: dict[str, float]


def is_heavy(file: BinaryIO) -> bool:
    """Whether a picture is one of those that would keep others waiting, by what its header claims."""
    try:
        with quiet(), Image.open(file, formats=_COMMON) as header:
            return header.width * header.height * getattr(header, "n_frames", 1) > _HEAVY
    except Exception:  # a rare format, or no picture: that is for `paint` to say
        return True
    finally:
        file.seek(0)


def paint(file: BinaryIO, style: Style, options: PictureOptions, limits: Limits, left: threading.Event) -> Painted:
    """Paint what is in `file`; `left` says that it is of no use any more.

    Raises RefusedError for what cannot be painted, AbandonedError after `left`.
    """
    seconds: dict[str, float] = {}
    with _timed(seconds, "decode"):
        picture = _without_place(_read(file, limits), options.strip)
        _check(picture, style, options, limits)
    stylizer = Stylizer(style, strength=options.strength, keep_color=options.keep_color, max_side=options.max_side)
    with _timed(seconds, "paint"):
        frames = []
        for frame in picture.frames:  # one by one: an animation can be given up on its way
            if left.is_set():
                raise AbandonedError
            frames += stylizer.picture(replace(picture, frames=[frame])).frames
    picture = replace(picture, frames=frames)
    name = (options.format or picture.format).upper()
    name = name if name in FORMATS else "PNG"
    with _timed(seconds, "encode"):
        try:
            data = encode(picture, name)
        except UsageError:
            raise
        except SakugaError as error:
            raise RefusedError(422, "bad_option", f"format: {error}.") from error
    height, width = frames[0].rgb.shape[:2]
    return Painted(data, name, width, height, sum(f.rgb.shape[0] * f.rgb.shape[1] for f in frames), seconds)


def _read(file: BinaryIO, limits: Limits) -> Picture:
    try:
        return read(file.read(), max_pixels=limits.max_pixels)
    except TooLargeError as error:
        sentence = f"The picture has more than {limits.max_pixels:,} pixels, or too many frames: make it smaller."
        raise RefusedError(413, "too_many_pixels", sentence) from error
    except FormatError as error:
        sentence = "The file is not a picture in a format that can be read: convert it to PNG or JPEG."
        raise RefusedError(415, "no_picture", sentence) from error
    except SakugaError as error:
        raise RefusedError(400, "damaged", f"{str(error).replace('the input', 'The file', 1)}.") from error


def _without_place(picture: Picture, strip: bool) -> Picture:
    if strip:
        return replace(picture, exif=None, xmp=None, dpi=None)
    exif = picture.exif and metadata.exif_without_place(picture.exif)
    xmp = picture.xmp and metadata.xmp_without_place(picture.xmp)
    return replace(picture, exif=exif, xmp=xmp)


def _check(picture: Picture, style: Style, options: PictureOptions, limits: Limits) -> None:
    """Raise RefusedError for a picture that is small enough to be read but not to be painted."""
    height, width = picture.frames[0].rgb.shape[:2]
    longest = max(height, width)
    limits.check_side("picture", width, height, options.max_side)
    side = min(longest, options.max_side or longest)
    # Narrow pictures are padded; and a style that enlarges makes more of each pixel.
    tall, wide = (max(_SMALLEST, round(length * side / longest)) for length in (height, width))
    if tall * wide * len(picture.frames) * style.card.scale**2 > limits.max_pixels:
        sentence = (
            f"The style {style.name} would work on more than {limits.max_pixels:,} pixels: ask for a smaller max_side."
        )
        raise RefusedError(413, "too_many_pixels", sentence)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - begin
