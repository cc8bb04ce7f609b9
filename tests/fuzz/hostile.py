"""Picture files made to hurt: small ones that claim or unfold to a lot, loops, lies about sizes, odd but legal kinds.

Each is named; what must become of it is `done` (a legal file), `refused`, or either where the standard leaves it open.
"""

import struct
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image, features
from samples import SRGB, pictures, plain_tags, save, scene, tiff

DONE, REFUSED, EITHER, LARGE = {"done"}, {"refused"}, {"done", "refused"}, {"large"}
RGB = Image.fromarray(scene())


def zeros(count: int) -> bytes:
    """A zlib stream of so many MiB of zeros: one block, which refers to nothing before it, over and over."""
    packer = zlib.compressobj(9)
    first = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (count - 1) + b"\x03\0" + struct.pack(">I", (count << 20) % 65521 << 16 | 1)


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *extra: bytes, depth: int = 8, kind: int = 2, data: bytes | None = None) -> bytes:
    """A PNG with these chunks between IHDR and IDAT; by default its pixels are black."""
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(kind, 1)
    data = zlib.compress(bytes((1 + (width * bits + 7) // 8) * height)) if data is None else data
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + chunk(b"IDAT", data) + chunk(b"IEND")


def apng(frames: int, told: int, *, outside: int = 0, first: int = 0) -> bytes:
    """An animated PNG of 8x8; `told` is how many frames it says, `outside` moves them off the canvas."""
    number, parts, idat = first, [], zlib.compress(bytes(25 * 8))
    for i in range(frames):
        parts.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 8, 8, outside, 0, 1, 25, 0, 0)))
        number += 2 if i else 1
        parts.append(chunk(b"fdAT", struct.pack(">I", number - 1) + idat) if i else chunk(b"IDAT", idat))
    whole = png(8, 8, chunk(b"acTL", struct.pack(">II", told, 0)))
    return whole[: whole.index(b"IDAT") - 4] + b"".join(parts) + chunk(b"IEND")


def pngs() -> dict[str, tuple[set[str], bytes]]:
    bomb = zeros(1024)
    thousand = b"".join(chunk(b"tEXt", b"k%d\0v" % i) for i in range(20000))
    palette = png(4, 4, chunk(b"PLTE", bytes(3)), kind=3, data=zlib.compress(b"\0\1\2\3\4" * 4))
    legal: dict[str, bytes] = {
        f"{depth}-bit kind {kind} {width}x{height}": png(width, height, depth=depth, kind=kind)
        for depth, kind in ((8, 2), (8, 6), (16, 2), (16, 6), (1, 0), (16, 0), (16, 4))
        for width, height in ((1, 65000), (65000, 1))
    }
    return {
        **{name: (LARGE, data) for name, data in legal.items()},
        "60000x60000": (REFUSED, png(60000, 60000, data=bomb)),
        "16 million pixels of a few kilobytes": (LARGE, png(4000, 4000)),
        "2**31 wide": (REFUSED, png(2**31 - 1, 2**31 - 1, data=b"")),
        "0x0": (REFUSED, png(0, 0)),
        "IDAT of a GiB for 8x8": (EITHER, png(8, 8, data=bomb)),
        "iCCP of a GiB": (EITHER, png(8, 8, chunk(b"iCCP", b"p\0\0" + bomb))),
        "zTXt of a GiB": (EITHER, png(8, 8, chunk(b"zTXt", b"k\0\0" + bomb))),
        "iTXt of a GiB": (EITHER, png(8, 8, chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb))),
        "20,000 texts": (DONE, png(8, 8, thousand)),
        "a chunk of 2**31 bytes": (REFUSED, png(8, 8, b"\x7f\xff\xff\xfftEXt")),
        "no IHDR": (REFUSED, b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND")),
        "no PLTE": (EITHER, png(4, 4, kind=3)),
        "colours beyond PLTE": (DONE, palette),
        "tRNS too short": (EITHER, png(4, 4, chunk(b"tRNS", b"\0"))),
        "three bits": (REFUSED, png(4, 4, depth=3)),
        "resolution of 2**32-1": (DONE, png(4, 4, chunk(b"pHYs", b"\xff" * 8 + b"\1"))),
        "resolution of 0": (DONE, png(4, 4, chunk(b"pHYs", bytes(8) + b"\1"))),
        "iCCP garbage": (DONE, png(4, 4, chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(range(256)))))),
        "APNG of 2**31-1 frames": (REFUSED, apng(2, 2**31 - 1)),
        "APNG of 3 frames that says 5": (DONE, apng(3, 5)),
        "APNG of 3 frames that says 0": (EITHER, apng(3, 0)),
        "APNG of 300 frames": (LARGE, apng(300, 300)),
        "APNG outside its canvas": (DONE, apng(3, 3, outside=2**31 - 1)),
        "APNG counted from 7": (DONE, apng(3, 3, first=7)),
    }


def ifd(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    """A little-endian TIFF directory of (tag, type, count, value)."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


EXIFS = {
    "EXIF directory that is itself": ifd([(0x8769, 4, 1, 8)]),
    "GPS and Interop in a loop": ifd([(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)]),
    "directories that follow themselves": ifd([(0x010F, 2, 4, 0x41424344)], 8),
    "a count of 2**32-1": ifd([(0x010F, 2, 2**32 - 1, 8), (0x0112, 3, 2**32 - 1, 8), (0x8769, 7, 2**31, 8)]),
    "values outside": ifd([(0x010F, 2, 400, 2**32 - 2), (0x8769, 4, 1, 2**31), (0x8825, 4, 1, 60000)]),
    "types that do not exist": ifd([(0x0112, 99, 1, 6), (0x010F, 0, 4, 0)]),
    "orientation 77": ifd([(0x0112, 3, 1, 77)]),
    "orientation of text": ifd([(0x0112, 2, 4, 0x36363636)]),
    "resolution over zero": ifd([(0x011A, 5, 1, 26), (0x0128, 3, 1, 2)]) + bytes(16),
    "1,000 tags": ifd([(0x9000 + i, 4, 1, i) for i in range(1000)]),
    "the same tag 4,000 times": ifd([(0x010F, 2, 4, 0x41424344)] * 4000),
    "numbers where text belongs": ifd([(0x010F, 12, 1, 26), (0x0131, 5, 2, 26), (0x9C9B, 4, 1, 5)]) + bytes(16),
    "text where numbers belong": ifd([(0xA002, 2, 4, 0x41424344), (0x8769, 2, 4, 0x41424344), (0x8825, 2, 3, 0x4142)]),
    "maker's note of nothing": ifd([(0x8769, 4, 1, 26)]) + ifd([(0x927C, 7, 50000, 4), (0xA002, 5, 1, 4)]),
}


def exifs() -> dict[str, tuple[set[str], bytes]]:
    """A fine picture with EXIF that is not: the picture counts."""
    found = {}
    for name, directory in EXIFS.items():
        raw = b"Exif\0\0II*\0\x08\0\0\0" + directory
        for format in ("JPEG", "PNG", "WEBP"):
            found[f"EXIF in {format}: {name}"] = DONE, save(RGB, format, exif=raw)
    return found


def iccs() -> dict[str, tuple[set[str], bytes]]:
    found = {}
    for name, icc in {
        "noise": np.random.default_rng(0).bytes(3000),
        "zeros": bytes(300),
        "a header alone": SRGB[:128],
        "counts of 2**32-1": SRGB[:128] + b"\xff" * 4 + SRGB[132:],
        "tags outside": SRGB[:136] + b"\xff" * 8 + SRGB[144:],
    }.items():
        for space in (b"RGB ", b"GRAY", b"CMYK", b"Lab ", b"\xff\xfe\0\n"):
            profile = icc[:16] + space + icc[20:]
            image = RGB.convert({b"GRAY": "L", b"CMYK": "CMYK"}.get(space, "RGB"))
            for format in ("JPEG", "TIFF"):
                found[f"ICC in {format}: {name}, {space!r}"] = DONE, save(image, format, icc_profile=profile)
    return found


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def scan_bomb(side: int, scans: int) -> bytes:
    """A progressive JPEG in which every scan says, in a few bytes, that nothing changes anywhere."""
    table = segment(0xC4, b"\x00" + bytes([1] + [0] * 15) + b"\0") + segment(
        0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\xe0"
    )
    frame = segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0")
    blocks = (side // 8) ** 2
    first = segment(0xDA, b"\1\1\0\0\0\0") + bytes(blocks // 8 + 1)
    run = format(0, "b").zfill(1) + format((1 << 14) - 1, "b")  # the code of EOB14, then its 14 bits
    bits = run * -(-blocks // ((1 << 15) - 1))
    bits += "1" * (-len(bits) % 8)
    packed = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)).replace(b"\xff", b"\xff\0")
    scan = segment(0xDA, b"\1\1\0\1\x3f\0") + packed
    quantisation = segment(0xDB, b"\0" + b"\1" * 64)
    return b"\xff\xd8" + quantisation + frame + table + first + scan * scans + b"\xff\xd9"


def jpegs() -> dict[str, tuple[set[str], bytes]]:
    plain = save(RGB, "JPEG")
    cmyk = save(RGB.convert("CMYK"), "JPEG")
    adobe = cmyk.index(b"Adobe") + 11
    at = plain.index(b"\xff\xc0")

    def sized(height: int, width: int) -> bytes:
        return plain[: at + 5] + struct.pack(">HH", height, width) + plain[at + 9 :]

    return {
        "CMYK": (DONE, cmyk),
        "YCCK": (DONE, cmyk[:adobe] + b"\2" + cmyk[adobe + 1 :]),
        "65535x65535": (REFUSED, sized(65535, 65535)),
        "4000x4000 with the data of 32x24, and an end": (LARGE, sized(4000, 4000)),
        "0 lines": (REFUSED, sized(0, 32)),
        "1x65000": (LARGE, save(Image.new("RGB", (1, 65000)), "JPEG")),
        "65000x1": (LARGE, save(Image.new("RGB", (65000, 1)), "JPEG")),
        "12 bits": (REFUSED, plain[: at + 4] + b"\x0c" + plain[at + 5 :]),
        "arithmetic coding": (EITHER, plain.replace(b"\xff\xc0", b"\xff\xc9")),
        "lossless": (REFUSED, plain.replace(b"\xff\xc0", b"\xff\xc3")),
        "10,000 scans": (REFUSED, scan_bomb(2000, 10000)),
        "ten scans": (DONE, scan_bomb(64, 10)),
        "two thousand comments": (DONE, plain[:2] + segment(0xFE, b"c" * 100) * 2000 + plain[2:]),
        "an ICC profile with parts missing": (DONE, plain[:2] + segment(0xE2, b"ICC_PROFILE\0\2\3xx") + plain[2:]),
        "a broken MPO": (
            DONE,
            plain[:2] + segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + ifd([(45056, 7, 4, 0)])) + plain[2:],
        ),
        "XMP that is no text": (DONE, save(RGB, "JPEG", xmp=b"\xff\xfe\0" * 900)),
    }


def gif(screen: tuple[int, int], *frames: tuple[int, int, int, int], palette: bool = True, code: int = 2) -> bytes:
    """A GIF whose frames (left, top, width, height) are of one pixel's data."""
    data = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80 if palette else 0, 0, 0) + (bytes(6) if palette else b"")
    for frame in frames:
        data += b"!\xf9\4\0\1\0\0\0" + b"," + struct.pack("<HHHHB", *frame, 0) + bytes([code, 2, 0x44, 1, 0])
    return data + b";"


def gifs() -> dict[str, tuple[set[str], bytes]]:
    return {
        "screen of 65535x65535": (REFUSED, gif((65535, 65535), (0, 0, 1, 1))),
        "2,000 frames": (LARGE, gif((1, 1), *[(0, 0, 1, 1)] * 2000)),
        "10,001 frames": (REFUSED, gif((1, 1), *[(0, 0, 1, 1)] * 10_001)),
        "later frame of 65535x65535": (REFUSED, gif((1, 1), (0, 0, 1, 1), (0, 0, 65535, 65535))),
        "frame beyond the screen": (EITHER, gif((4, 4), (0, 0, 1, 1), (9, 9, 4, 4))),
        "frames of no size": (EITHER, gif((4, 4), (0, 0, 0, 0), (0, 0, 0, 9))),
        "no frames": (REFUSED, gif((4, 4))),
        "no palette": (DONE, gif((1, 1), (0, 0, 1, 1), palette=False)),
        "code of 12 bits": (EITHER, gif((1, 1), (0, 0, 1, 1), code=12)),
        "code of 255 bits": (REFUSED, gif((1, 1), (0, 0, 1, 1), code=255)),
        "a comment of a megabyte": (
            DONE,
            gif((1, 1), (0, 0, 1, 1))[:-1] + b"!\xfe" + (b"\xff" + b"c" * 255) * 4096 + b"\0;",
        ),
    }


def webps() -> dict[str, tuple[set[str], bytes]]:
    frames = [Image.new("RGB", (8, 8), (i % 256, i // 256, 0)) for i in range(500)]
    many = save(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=20, lossless=True)
    canvas, few = many.index(b"VP8X") + 12, save(frames[0], "WEBP", save_all=True, append_images=frames[1:3])
    return {
        "500 frames": (LARGE, many),
        "canvas of 16384x16384": (REFUSED, few[:canvas] + b"\xff\x3f\0\xff\x3f\0" + few[canvas + 6 :]),
        "canvas smaller than its frames": (REFUSED, few[:canvas] + bytes(6) + few[canvas + 6 :]),
        "RIFF of 2**32-1 bytes": (EITHER, few[:4] + b"\xff\xff\xff\xff" + few[8:]),
        "1x16383": (LARGE, save(Image.new("RGB", (1, 16383)), "WEBP")),
    }


def tiffs() -> dict[str, tuple[set[str], bytes]]:
    def rgb(width: int = 8, height: int = 8, pixels: bytes | None = None, **changes: tuple[int, ...]) -> bytes:
        return tiff(plain_tags(width, height, **changes), bytes(width * height * 3) if pixels is None else pixels)

    bomb = zeros(1024)
    loop = bytearray(rgb())
    loop[8 + 2 + 9 * 12 : 8 + 2 + 9 * 12 + 4] = struct.pack("<I", 8)
    tiles = plain_tags(64, 64, t322=(16,), t323=(16,), t324=(-1,) * 3, t325=(768,) * 3)
    big = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**63) + bytes(100)
    return {
        "1x65000": (LARGE, rgb(1, 65000)),
        "65000x1": (LARGE, rgb(65000, 1)),
        "2**31 wide": (REFUSED, rgb(8, 8, t256=(2**31 - 1,), t257=(2**31 - 1,))),
        "0 wide": (REFUSED, rgb(8, 8, t256=(0,))),
        "a directory that follows itself": (DONE, bytes(loop)),
        "BigTIFF with 2**63 tags": (REFUSED, big),
        "strip of a GiB for 8x8": (EITHER, rgb(pixels=bomb, t259=(8,), t279=(len(bomb),))),
        "strips outside": (REFUSED, rgb(t273=(2**32 - 2,))),
        "a strip of 2**32-1 bytes": (EITHER, rgb(t279=(2**32 - 1,))),
        "rows of a strip 0": (EITHER, rgb(t278=(0,))),
        "64 bits a channel": (REFUSED, rgb(t258=(64, 64, 64))),
        "a thousand channels": (REFUSED, rgb(t277=(1000,))),
        "no channels": (REFUSED, rgb(t277=(0,), t258=(0,))),
        "unknown compression": (REFUSED, rgb(t259=(65000,))),
        "old JPEG": (REFUSED, rgb(t259=(6,))),
        "floating-point predictor": (EITHER, rgb(t259=(8,), t317=(3,), pixels=zlib.compress(bytes(192)))),
        "tiles missing": (EITHER, tiff({k: v for k, v in tiles.items() if k not in (273, 278, 279)}, bytes(768))),
        "tiles of 1x1": (EITHER, rgb(t322=(1,), t323=(1,), t324=(-1,) * 64, t325=(3,) * 64)),
        "tiles of 2**31": (EITHER, rgb(t322=(2**31,), t323=(2**31,), t324=(-1,), t325=(192,))),
        "YCbCr without a table": (EITHER, rgb(t262=(6,), t530=(9, 9))),
        "palette without a table": (EITHER, rgb(t262=(3,), t258=(8,), t277=(1,))),
        "CMYK that has three": (EITHER, rgb(t262=(5,))),
        "orientation 77": (DONE, rgb(t274=(77,))),
        "profile of numbers": (DONE, rgb(t34675=(1, 2, 3))),
        "XMP of numbers": (EITHER, rgb(t700=(1, 2, 3))),
        "EXIF that is itself": (DONE, rgb(t34665=(8,), t34853=(8,))),
        "SubIFDs that are itself": (DONE, rgb(t330=(8, 8, 8))),
        "planes apart": (EITHER, rgb(t284=(2,), t273=(-1, -1, -1), t279=(64, 64, 64))),
        "resolution of 2**32-1": (DONE, rgb(t282=(2**32 - 1,), t283=(2**32 - 1,), t296=(2,))),
    }


def ico(inner: bytes, told: int = 16) -> bytes:
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, told, told, 0, 0, 1, 32, len(inner), 22) + inner


@cache  # its largest pictures take seconds to make
def others() -> dict[str, tuple[set[str], bytes]]:
    def icns(inner: bytes) -> bytes:
        return b"icns" + struct.pack(">I", len(inner) + 16) + b"ic07" + struct.pack(">I", len(inner) + 8) + inner

    bmp, jp2 = save(RGB, "BMP"), save(RGB, "JPEG2000")
    big_jp2, siz = save(Image.new("L", (4200, 4200)), "JPEG2000"), jp2.index(b"\xff\x51")
    big = struct.pack(">II", 4200, 4200)
    lied = jp2.replace(b"ihdr" + struct.pack(">II", 24, 32), b"ihdr" + struct.pack(">II", 4, 4))
    tga = bytes([0, 0, 2]) + bytes(9) + struct.pack("<HHBB", 65535, 65535, 24, 0)
    pcx = bytearray(save(RGB, "PCX"))
    pcx[8:12] = b"\xff\xff\xff\xff"
    found = {
        "ICO with a picture of 6000x6000": (REFUSED, ico(png(6000, 6000))),
        "ICO with a picture of 60000x60000": (REFUSED, ico(png(60000, 60000, data=b""))),
        "ICO with itself": (REFUSED, ico(ico(png(16, 16)))),
        "ICNS with a picture of 6000x6000": (REFUSED, icns(png(6000, 6000))),
        "ICNS with a JPEG 2000 of 4200x4200": (REFUSED, icns(big_jp2)),
        "BMP of 2**31": (REFUSED, bmp[:18] + struct.pack("<II", 2**31 - 1, 2**31 - 1) + bmp[26:]),
        "BMP upside down": (DONE, bmp[:22] + struct.pack("<i", -24) + bmp[26:]),
        "BMP with run lengths": (EITHER, bmp[:30] + b"\1" + bmp[31:]),
        "PPM of 10**20": (REFUSED, b"P6 99999999999999999999 99999999999999999999 255\n"),
        "PPM of words": (REFUSED, b"P6 a b c\n"),
        "plain PPM without end": (REFUSED, b"P3 8 8 255\n" + b"1" * 5_000_000),
        "PPM of comments": (EITHER, b"P6\n" + b"# a comment\n" * 50_000 + b"2 2 255\n" + bytes(12)),
        "TGA of 65535x65535": (REFUSED, tga),
        "PCX of 65535x65535": (REFUSED, bytes(pcx)),
        "JPEG 2000 whose header lies": (REFUSED, lied),
        "JPEG 2000 of 4200x4200 that says 4x4": (
            REFUSED,
            big_jp2.replace(b"ihdr" + big, b"ihdr" + struct.pack(">II", 4, 4)),
        ),
        "JPEG 2000 of 2**32-1": (REFUSED, jp2[: siz + 6] + b"\xff" * 8 + jp2[siz + 14 :]),
        "PSD of 300000x300000": (REFUSED, b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 300000, 300000, 8, 3) + bytes(14)),
        "DDS of 2**32-1": (REFUSED, save(RGB, "DDS")[:12] + b"\xff" * 8 + bytes(200)),
        "EPS": (REFUSED, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(ls) system\n"),
        "SVG": (REFUSED, b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
        "nothing": (REFUSED, b""),
        "one byte": (REFUSED, b"\xff"),
        "a zip": (REFUSED, b"PK\3\4" + bytes(100)),
    }
    if features.check("avif"):
        avif = pictures("avif")[0]
        ispe = avif.index(b"ispe") + 8
        found["AVIF of 60000x60000"] = REFUSED, avif[:ispe] + struct.pack(">II", 60000, 60000) + avif[ispe + 8 :]
        found["AVIF of 4x4 that is larger"] = EITHER, avif[:ispe] + struct.pack(">II", 4, 4) + avif[ispe + 8 :]
    return found


KINDS: dict[str, Callable[[], dict[str, tuple[set[str], bytes]]]] = {
    "png": pngs, "exif": exifs, "icc": iccs, "jpeg": jpegs, "gif": gifs, "webp": webps, "tiff": tiffs, "other": others,
}  # fmt: skip
