"""From any source to a picture that is recognised and not decoded yet, within the limits of what may be decoded."""

from __future__ import annotations

import os
import stat
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from io import BytesIO
from mmap import ACCESS_READ, mmap
from typing import Any, BinaryIO

from PIL import Image

from sakuga.errors import FormatError, SakugaError, TooLargeError, UsageError
from sakuga.picture import apng, metadata
from sakuga.picture.structure import MAX_FRAMES, Data, count_frames

# Only formats that are decoded in Pillow itself; EPS, for one, would run a program. TGA has no signature: it is last.
_READABLE = [
    *("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "BMP", "JPEG2000", "PPM"),
    *("QOI", "PSD", "ICO", "ICNS", "DDS", "SGI", "PCX", "HEIF", "JXL", "DIB", "TGA"),
]
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_CARRIERS = {"ICO", "ICNS", "JPEG2000"}  # what they carry can be larger than they say, and some decode it at once
_SIGNED = {"JPEG", "PNG", "WEBP", "GIF", "TIFF"}  # what begins with their signature is of their kind, or a piece of it
_FOREIGN = SyntaxError, IndexError, TypeError, KeyError, struct.error  # what is not of a kind after all
_LIMIT = threading.Lock()


@contextmanager
def opened(source: Any) -> Iterator[tuple[str, BinaryIO]]:
    """The source as a seekable file with a name for messages."""
    if isinstance(source, (str, os.PathLike)):
        name = str(source)
        try:
            file: Any = open(source, "rb")  # noqa: SIM115
        except FileNotFoundError as error:
            raise SakugaError(f"{name} does not exist: check the path") from error
        except IsADirectoryError as error:
            raise SakugaError(f"{name} is a folder: name a picture in it") from error
        except (OSError, ValueError) as error:
            raise SakugaError(f"{name} cannot be read ({getattr(error, 'strerror', None) or error})") from error
        with file:
            if stat.S_ISCHR(os.fstat(file.fileno()).st_mode):  # such as /dev/zero, which never ends
                raise SakugaError(f"{name} is a device: name a picture")
            yield name, file if file.seekable() else BytesIO(file.read())
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield "the input", BytesIO(source)
    elif isinstance(source, BytesIO) and not source.tell():
        yield str(getattr(source, "name", "the input")), source
    elif hasattr(source, "read"):
        data = source.read()
        if not isinstance(data, bytes):
            raise UsageError("the file must be opened in binary mode ('rb')")
        yield str(getattr(source, "name", "the input")), BytesIO(data)
    else:
        kind = type(source).__name__
        raise UsageError(f"a picture is a path, bytes, a binary file, a Pillow image or an array, not {kind}")


def identify(file: BinaryIO, name: str, max_pixels: int | None) -> Image.Image:
    """What `Image.open` does, for the formats we allow and without its size limit, which is a global variable."""
    file.seek(0)
    prefix = file.read(16)
    if not prefix:
        raise SakugaError(f"{name} is empty: get a whole copy of it")
    prefix = prefix.ljust(16, b"\0")  # some plugins stumble over less
    with _mapped(file) as data:
        count_frames(data, name, max_frames=None if max_pixels is None else MAX_FRAMES)
    signed = ""
    # The common ones first: it is quicker.
    for load_plugins in (Image.preinit, Image.init, partial(_load_extra, prefix, name)):
        load_plugins()
        for kind in _READABLE:
            if kind not in Image.OPEN:
                continue
            factory, accept = Image.OPEN[kind]
            if accept and accept(prefix) is not True:
                continue
            if kind in _SIGNED:
                signed = kind
            if kind == "JXL":  # which is decoded as soon as it is opened
                check_size(name, metadata.jxl_size(content(file)), 1, max_pixels)
            if kind in _CARRIERS:
                for size in metadata.carried_sizes(content(file)):
                    check_size(name, size, 1, max_pixels)
            with suppress(*_FOREIGN):
                file.seek(0)
                try:
                    return factory(file, "")
                except ValueError as error:  # of a chunk that nothing else depends on
                    if kind != "PNG" or not str(error).startswith("Truncated"):
                        raise
                    return factory(BytesIO(apng.without_short_chunks(content(file))), "")
            if kind == "PNG" and b"acTL" in (data := content(file)):  # Pillow gives up where its animation is damaged
                with suppress(*_FOREIGN):
                    return factory(BytesIO(apng.still(data)), "")
    if signed:
        raise SakugaError(f"{name} is damaged or truncated (a {signed} without a whole header): get a whole copy of it")
    raise FormatError(f"{name} is not a picture in a format that can be read: convert it to PNG or JPEG")


def _load_extra(prefix: bytes, name: str) -> None:
    """Load the plugin of a format that Pillow reads with one alone; raise FormatError where it is not installed."""
    if prefix[4:8] == b"ftyp" and prefix[8:12] in _HEIF_BRANDS:
        what, extra, module = "HEIC", "heic", "pillow_heif"
    elif prefix.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")):
        what, extra, module = "JPEG XL", "jxl", "pillow_jxl"
    else:
        return
    try:
        plugin = import_module(module)
    except ImportError as error:
        raise FormatError(f'{name} is a {what}: pip install "sakuga[{extra}]" to read it') from error
    if extra == "heic":  # the other one needs no call
        plugin.register_heif_opener()


def check_size(
    name: str, size: tuple[int, int], count: int, max_pixels: int | None, *, pixels: int | None = None
) -> None:
    """Raise TooLargeError for more than `max_pixels` pixels (None: no limit) in `count` frames, or too many frames.

    `pixels` is the number of all, where not each frame has the size.
    """
    pixels = size[0] * size[1] * count if pixels is None else pixels
    if max_pixels is not None and count > MAX_FRAMES:
        raise TooLargeError(f"{name} has {count:,} frames, more than {MAX_FRAMES:,}: make a video of it first")
    if max_pixels is not None and pixels > max_pixels:
        frames = f" in {count} frames" if count > 1 else ""
        raise TooLargeError(
            f"{name} has {size[0]}x{size[1]} pixels{frames}, {pixels:,} in all and more than the limit of "
            f"{max_pixels:,}: reduce it, or stylise it with larger --max-pixels if you trust the file"
        )


@contextmanager
def unlimited(size: tuple[int, int]) -> Iterator[None]:
    """Lift Pillow's own limit, which is global, while a picture is decoded that ours lets through and that does not."""
    if Image.MAX_IMAGE_PIXELS is None or size[0] * size[1] <= Image.MAX_IMAGE_PIXELS:
        yield
        return
    with _LIMIT:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


@contextmanager
def _mapped(file: BinaryIO) -> Iterator[Data]:
    """The bytes of a file without reading those that nobody looks at."""
    try:
        mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
    except (OSError, ValueError):  # it lies in memory
        yield content(file)
        return
    with mapped:
        yield mapped


def content(file: BinaryIO) -> bytes:
    """All bytes of a file; it stays where it is."""
    before = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(before)
    return data
