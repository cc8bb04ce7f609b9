"""What a picture file says besides its pixels: orientation, EXIF, XMP, resolution, quality; whether it is whole."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from itertools import islice
from typing import Any

from PIL import Image

from sakuga.errors import SakugaError
from sakuga.picture.structure import MAX_PARTS

_ORIENTATION, _EXIF_IFD, _GPS_IFD, _INTEROP_IFD = 0x0112, 0x8769, 0x8825, 0xA005
# Tags of a TIFF directory that say how its pixels are stored, or that are kept apart (ICC, XMP, resolution).
_STORAGE = {*range(254, 260), 262, *range(263, 269), 273, *range(277, 285), *range(288, 294), 296, 301, 317}
_STORAGE |= {*range(320, 326), 330, 332, 338, 339, 340, 341, 342, 347, *range(512, 522), *range(529, 533)}
_STORAGE |= {700, 33723, 34377, 34675}
MAX_XMP_BYTES = 1 << 20
MAX_EXIF_BYTES = 1 << 18
"""Four times what a JPEG's segment holds: Pillow makes an object of each of its numbers."""
_ATTRIBUTE = re.compile(rb"\s([^\s=<>\"'/]+)\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_STANDARD_LUMINANCE = 3688  # the sum of the luminance table in JPEG's standard (annex K), which is quality 50

PNG_WORDS = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")
"""One of these is in a PNG that says how it lies."""


def orientation(image: Image.Image) -> int:
    """How a picture is to be turned, EXIF's 1 to 8; 1 where it says nothing or something else.

    A JPEG XL is upright already, unless it is a JPEG that was packed.
    """
    if image.format == "JXL" and not getattr(image, "jpeg", False):
        return 1
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # as in `exif`
        return 1
    return int(value) if value in range(1, 9) else 1


def exif(image: Image.Image) -> bytes | None:
    """The EXIF of a decoded image with orientation 1, without the old thumbnail.

    None where there is none, more than `MAX_EXIF_BYTES`, or what cannot be parsed.
    """
    if len(image.info.get("exif") or b"") > MAX_EXIF_BYTES:  # None in a HEIC that has none
        return None
    try:
        source = image.getexif()
        tags = {tag: value for tag, value in source.items() if tag not in _STORAGE}
        for tag in (_EXIF_IFD, _GPS_IFD):
            if tag in tags:
                tags[tag] = dict(source.get_ifd(tag))
        if _INTEROP_IFD in tags.get(_EXIF_IFD, ()):
            tags[_EXIF_IFD][_INTEROP_IFD] = dict(source.get_ifd(_INTEROP_IFD))
    except Exception:  # what cameras and editors wrote is parsed on best effort: the picture itself is fine
        return None
    if _ORIENTATION in tags:
        tags[_ORIENTATION] = 1
    tags = tags if _written(tags) else {tag: value for tag, value in tags.items() if _written({tag: value})}
    return _written(tags) if tags else None


def _written(tags: Mapping[int, Any]) -> bytes | None:
    result = Image.Exif()
    result.update(tags)
    try:
        return result.tobytes()
    except Exception:  # a tag whose value does not fit its type
        return None


def xmp(image: Image.Image) -> bytes | None:
    """The XMP packet, with orientation 1; None where there is none, or more than `MAX_XMP_BYTES`."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        packet = packet.encode()
    if not isinstance(packet, bytes) or len(packet) > MAX_XMP_BYTES:
        return None
    return re.sub(rb'(tiff:Orientation(?:\s*=\s*["\']|>))[2-8]', rb"\g<1>1", packet)


def exif_without_place(exif: bytes) -> bytes | None:
    """EXIF without its GPS directory; None where it cannot be read."""
    tags = Image.Exif()
    try:
        tags.load(exif)
        kept = {tag: tags.get_ifd(tag) if tag == _EXIF_IFD else value for tag, value in tags.items()}
    except Exception:  # as in `exif`
        return None
    kept.pop(_GPS_IFD, None)
    return _written(kept) if kept else None


def xmp_without_place(xmp: bytes) -> bytes | None:
    """An XMP packet without coordinates; None where some remain, whatever way they are written. One pass over it."""
    kept, at, inside = [], 0, None
    for tag in re.finditer(rb"<[^<>]*>", xmp):
        kept += [] if inside else [xmp[at : tag.start()]]
        at, text = tag.end(), tag[0]
        name = text[1:-1].removeprefix(b"/").split(maxsplit=1)[:1]
        if inside:
            inside = None if text[1:2] == b"/" and name == inside else inside
        elif name and _mentions_place(name[0]):
            inside = None if text.endswith(b"/>") else name
        else:
            kept.append(_ATTRIBUTE.sub(lambda found: b"" if _mentions_place(found[1]) else found[0], text))
    kept += [] if inside else [xmp[at:]]
    result = b"".join(kept)
    return None if _mentions_place(result.replace(b"\0", b"")) else result  # a packet may be UTF-16


def _mentions_place(text: bytes) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in (b"gps", b"latitude", b"longitude"))


def dpi(image: Image.Image) -> tuple[float, float] | None:
    """The resolution in dots per inch, where the file gives a sensible one."""
    try:
        x, y = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 0 < x < 65536 and 0 < y < 65536 else None  # what a JPEG holds; PNG and TIFF fail far beyond


def quality(image: Image.Image) -> int | None:
    """The quality (1 to 100) that a JPEG's luminance table amounts to on libjpeg's scale; None for other files."""
    tables = getattr(image, "quantization", None)
    if not tables or 0 not in tables:
        return None
    scale: float = 100 * sum(tables[0]) / _STANDARD_LUMINANCE
    return min(max(round(100 - scale / 2 if scale <= 100 else 5000 / scale), 1), 100)


def scans(data: bytes) -> int:
    """How many scans a JPEG has: its markers, each with the length of its header and the number of its components."""
    return len(re.findall(rb"\xff\xda\0[\x08\x0a\x0c\x0e][\1-\4]", data))


def carried_sizes(data: bytes) -> list[tuple[int, int]]:
    """The width and height of every PNG header and JPEG 2000 codestream within a file.

    Raises SakugaError for more of them than any program writes.
    """
    found = re.finditer(rb"\x89PNG\r\n\x1a\n.{4}IHDR(.{8})|\xff\x4f\xff\x51.{4}(.{8})", data, re.DOTALL)
    sizes = [struct.unpack(">II", one[1] or one[2]) for one in islice(found, MAX_PARTS + 1)]
    if len(sizes) > MAX_PARTS:
        raise SakugaError("it holds more pictures than any program writes: do not trust it")
    return sizes


def jxl_size(data: bytes) -> tuple[int, int]:
    """The width and height of a JPEG XL (ISO/IEC 18181-1, SizeHeader), before it is turned.

    Raises ValueError where it says none.
    """
    return _jxl_sides(_Bits(_jxl_codestream(data)))


def jxl_is_animated(data: bytes) -> bool:
    """Whether a JPEG XL is animated (ISO/IEC 18181-1, ImageMetadata); False too where it has a preview."""
    bits = _Bits(_jxl_codestream(data))
    _jxl_sides(bits)
    if bits.take(1) or not bits.take(1):  # all is as usual, or the extra fields are
        return False
    bits.take(3)  # the orientation
    if bits.take(1):
        _jxl_sides(bits)  # the size at which to show it
    return not bits.take(1) and bits.take(1) == 1


class _Bits:
    """Numbers out of bytes, the lowest bit first."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        """Return the next one."""
        value, self._bits = self._bits & ((1 << count) - 1), self._bits >> count
        return value


def _jxl_codestream(data: bytes) -> bytes:
    """The first bytes of a JPEG XL's codestream (18181-2, boxes), its signature left out. Raises ValueError without."""
    at = 0
    while not data.startswith(b"\xff\x0a", at):
        size, kind = struct.unpack_from(">I4s", data, at) if at + 8 <= len(data) else (0, b"")
        head = 16 if size == 1 else 8
        size = int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size
        if kind in (b"jxlc", b"jxlp"):
            at += head + (4 if kind == b"jxlp" else 0)
            if not data.startswith(b"\xff\x0a", at):
                raise ValueError("it has no codestream")
        elif size < head:
            raise ValueError("it has no codestream")
        else:
            at += size
    return data[at + 2 : at + 40]


def _jxl_sides(bits: _Bits) -> tuple[int, int]:
    def side(small: bool) -> int:
        return 8 * (bits.take(5) + 1) if small else bits.take((9, 13, 18, 30)[bits.take(2)]) + 1

    small = bits.take(1) == 1
    height = side(small)
    ratio = bits.take(3)
    if not ratio:
        return side(small), height
    across, down = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
    return height * across // down, height


def webp_is_lossless(data: bytes) -> bool:
    """Whether the first picture in a WebP file is coded without loss."""
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind in (b"VP8 ", b"VP8L"):
            return kind == b"VP8L"
        at += 8 + (16 if kind == b"ANMF" else size + size % 2)  # a frame's own chunks follow its header
    return False


def webp_with_alpha(data: bytes) -> bytes:
    """A WebP file that says it is transparent.

    libwebp leaves that out where what is drawn of each frame is opaque, though the canvas around it is clear.
    """
    return data if data[12:16] != b"VP8X" else data[:20] + bytes([data[20] | 0x10]) + data[21:]


def is_whole_animation(kind: str, data: bytes) -> bool:
    """Whether nothing is missing at the end of an animated PNG or WebP, so that damage in it is that of a frame."""
    if kind == "WEBP":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return kind == "PNG" and data.rfind(b"IEND") > 0
