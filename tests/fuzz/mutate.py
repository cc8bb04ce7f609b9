"""Whole files in, broken files out: the same for the same seed.

Damage is done to bytes anywhere and to the parts a format is made of (chunks, boxes, segments, entries), found by the
small walkers below: a file whose parts are repeated, dropped or given another length reaches code that noise does not.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from random import Random

Span = tuple[int, int]
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
SUFFIXES = (
    "png",
    "jpg",
    "gif",
    "webp",
    "tif",
    "avif",
    "bmp",
    "jp2",
    "ico",
    "icns",
    "tga",
    "psd",
    "sgi",
    "mp4",
    "mkv",
    "txt",
)
_BOXES = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"meta", b"iprp", b"ipco", b"edts", b"dinf", b"udta"}


def mutated(samples: list[bytes], random: Random, *, parts: bool = True) -> bytes:
    """One of the samples after one to three mutations; `parts`: of its structure too."""
    data = random.choice(samples)
    ways = [*BYTES, *(PARTS * 2 if parts else [])]
    for _ in range(random.choice((1, 1, 2, 3))):
        way = random.choice(ways)
        data = way(data, random) if way is not splice else splice(data, random, random.choice(samples))
    return with_checksums(data) if random.random() < 0.8 else data


def suffix(usual: str, random: Random) -> str:
    """The usual suffix or, one time in eight, another."""
    return random.choice(SUFFIXES) if random.random() < 0.125 else usual


# ---------------------------------------------------------------------------------------------------- anywhere


def truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def flip(data: bytes, random: Random) -> bytes:
    """Up to eight bits, half of the time near the beginning, where the headers are."""
    broken = bytearray(data)
    reach = len(data) if random.random() < 0.5 else min(len(data), 256)
    for _ in range(random.randint(1, 8) if reach else 0):
        broken[random.randrange(reach)] ^= 1 << random.randrange(8)
    return bytes(broken)


def overwrite(data: bytes, random: Random) -> bytes:
    start, length = random.randrange(len(data) + 1), random.choice((1, 2, 4, 16, 256))
    filling = random.choice((bytes(length), b"\xff" * length, random.randbytes(length)))
    return data[:start] + filling[: len(data) - start] + data[start + length :]


def delete(data: bytes, random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:start] + data[end:]


def repeat(data: bytes, random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:end] + data[start:end] * random.choice((1, 2, 30)) + data[end:]


def number(data: bytes, random: Random) -> bytes:
    """A number of one to eight bytes becomes one at which arithmetic breaks."""
    start = random.randrange(max(1, min(len(data), random.choice((64, 512, 2**30)))))
    size, order = random.choice((1, 2, 4, 8)), random.choice(("big", "little"))
    return data[:start] + (random.choice(EDGES) % 2 ** (8 * size)).to_bytes(size, order) + data[start + size :]


def splice(data: bytes, random: Random, other: bytes = b"") -> bytes:
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _span(data: bytes, random: Random) -> Span:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((1, 4, 64, 1024)))


# ----------------------------------------------------------------------------------------- the parts of a format


def drop_part(data: bytes, random: Random) -> bytes:
    start, end = _part(data, random)
    return data[:start] + data[end:]


def repeat_part(data: bytes, random: Random) -> bytes:
    start, end = _part(data, random)
    return data[:end] + data[start:end] * random.choice((1, 3, 1000 if end - start < 200 else 20)) + data[end:]


def multiply_part(data: bytes, random: Random) -> bytes:
    """One part very many times over, up to a few megabytes of it."""
    at, end = _part(data, random)
    times = min(random.choice([100, 3000, 30_000, 300_000]), (4 << 20) // max(end - at, 1))
    return with_checksums(data[:at] + data[at:end] * times + data[end:])


def xmp(random: Random) -> bytes:
    """A packet of few words, over and over: what a search that goes back would never end on."""
    words = [
        b"<",
        b">",
        b"/",
        b" ",
        b"a:",
        b"gps",
        b"exif:GPSLatitude",
        b"=",
        b'"',
        b"'",
        b"tiff:Orientation",
        b"x",
        b"\0",
    ]
    packet = b"".join(random.choices(words, k=random.randint(1, 6))) * random.choice([1, 100, 10_000])
    return b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" * random.randint(0, 1) + packet[: 1 << 18]


def move_part(data: bytes, random: Random) -> bytes:
    start, end = _part(data, random)
    rest = data[:start] + data[end:]
    at = min(_part(data, random)[0], len(rest))
    return rest[:at] + data[start:end] + rest[at:]


def edit_part(data: bytes, random: Random) -> bytes:
    """A number within the first bytes of a part: its length, its count, its size."""
    start, end = _part(data, random)
    return data[:start] + number(data[start:end], random) + data[end:]


def noise_part(data: bytes, random: Random) -> bytes:
    start, end = _part(data, random)
    start += min(8, end - start)
    return data[:start] + random.randbytes(min(end - start, 4096)) + data[end:]


BYTES: list[Callable[..., bytes]] = [truncate, flip, flip, overwrite, delete, repeat, number, splice]
PARTS: list[Callable[..., bytes]] = [drop_part, repeat_part, move_part, edit_part, edit_part, noise_part]


def _part(data: bytes, random: Random) -> Span:
    found = [(start, min(end, len(data))) for start, end in parts(data)]
    return random.choice(found) if found else _span(data, random)


def parts(data: bytes) -> list[Span]:
    """Where the parts of a file lie; empty for formats that have none or none we know, and of files too broken."""
    for start, walk in _WALKS.items():
        if re.match(start, data, re.DOTALL):
            try:
                return list(walk(data))
            except (IndexError, struct.error, ValueError):
                return []
    return []


def _png(data: bytes) -> Iterator[Span]:
    at = 8
    while at + 12 <= len(data):
        size = 12 + int.from_bytes(data[at : at + 4], "big")
        yield at, at + size
        at += size


def _riff(data: bytes) -> Iterator[Span]:
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield at, at + 8 + size + size % 2
        at += 12 if data[at : at + 4] == b"LIST" else 8 + size + size % 2


def _jpeg(data: bytes) -> Iterator[Span]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        size = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield at, at + size
        at += size


def _gif(data: bytes) -> Iterator[Span]:
    """From each block's introducer to the next: approximate, which is enough to break it."""
    starts = [found.start() for found in re.finditer(rb"\x21[\xf9\xfe\xff]|\x2c\0\0\0\0", data)]
    yield from zip(starts, [*starts[1:], len(data)], strict=True)


def _tiff(data: bytes) -> Iterator[Span]:
    order = "little" if data[:1] == b"I" else "big"
    at = int.from_bytes(data[4:8], order)
    for i in range(int.from_bytes(data[at : at + 2], order)):
        yield at + 2 + 12 * i, at + 14 + 12 * i


def _boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[Span]:
    end = len(data) if end is None else min(end, len(data))
    while at + 8 <= end:
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            return
        yield at, at + size
        kind = data[at + 4 : at + 8]
        if kind in _BOXES:
            yield from _boxes(data, at + (12 if kind == b"meta" else 8), at + size)
        at += size


def _ebml(data: bytes, at: int = 0) -> Iterator[Span]:
    while at + 2 < len(data):
        body = at + _leading(data[at]) + _leading(data[at + _leading(data[at])])
        sized = data[at + _leading(data[at]) : body]
        size = int.from_bytes(sized, "big") & (1 << 7 * len(sized)) - 1
        yield at, body + size
        is_master = (
            data[at : at + 4] in (b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75") or data[at] == 0xAE
        )
        at = body if is_master else body + size


def _leading(byte: int) -> int:
    return 9 - byte.bit_length()


def _protobuf(data: bytes, at: int = 0, end: int | None = None, depth: int = 0) -> Iterator[Span]:
    end = len(data) if end is None else min(end, len(data))
    while at < end:
        begin, tag = at, data[at]
        at, value = _varint(data, at + 1)
        if tag & 7 == 2:
            if depth < 3 and value < 100_000:
                yield from _protobuf(data, at, at + value, depth + 1)
            at += value
        elif tag & 7 in (1, 5):
            at = begin + 1 + (8 if tag & 7 == 1 else 4)
        elif tag & 7:
            return
        yield begin, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return at, value


_WALKS: dict[bytes, Callable[..., Iterator[Span]]] = {
    rb"\x89PNG": _png,
    rb"RIFF": _riff,
    rb"\xff\xd8": _jpeg,
    rb"GIF8": _gif,
    rb"II\*\0|MM\0\*": _tiff,
    rb"....(ftyp|jP  )": _boxes,
    rb"\x1a\x45\xdf\xa3": _ebml,
    rb"\x08[\x03-\x0f]": _protobuf,
}


def with_checksums(data: bytes) -> bytes:
    """A PNG's checksums made to fit its chunks: else nothing behind the first wrong one would be reached."""
    if not data.startswith(b"\x89PNG"):
        return data
    fixed = bytearray(data)
    for start, end in _png(data):
        if end <= len(data):
            fixed[end - 4 : end] = struct.pack(">I", zlib.crc32(data[start + 4 : end - 4]))
    return bytes(fixed)
