"""What a picture file is made of, counted before a decoder sees it: segments, chunks, blocks, directories, frames.

Pillow walks over these in Python and keeps most of them, so millions of empty ones cost minutes and gigabytes.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from mmap import mmap

from sakuga.errors import SakugaError, TooLargeError

MAX_FRAMES = 10_000
"""Frames of an animation or pages of a TIFF: even one pixel takes the time of a small picture."""
MAX_PARTS = 100_000
"""Parts of a file that hold no pixels; cameras and editors write some dozens."""
MAX_PIECES = 1_000_000
"""Parts of a file that hold pixels; encoders write one for each 255 bytes (GIF) or 8 KiB (PNG)."""
_PIECES_PER_ENTRY = 4  # of a TIFF's directory: Pillow takes longer for one
_TYPE_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # of one value in it, by its type
_OFFSETS = (273, 324)  # tags of a TIFF that say where each strip or tile lies
_RATIONAL = (5, 10)  # types of values of which Pillow makes an object each
_DIRECTORIES = (0x8769, 0x8825, 0xA005)  # tags of those that hold EXIF, a place, and what programs share
_REPEATED, _REPEATED_BYTES = 16, 1 << 26  # a few pages may share their profile, but Pillow reads it for each
_MAX_PROFILES = 64  # of a PNG, which has one: Pillow unpacks each to a MiB
_MAX_EXIF_SEGMENTS = 64  # Pillow joins them one by one, which takes time in the square of their number
_MAX_STRAY_BYTES = 1 << 16  # between the segments of a JPEG: Pillow reads them singly

Data = bytes | mmap


def count_frames(data: Data, name: str, *, max_frames: int | None = MAX_FRAMES) -> int:
    """How many frames the file `name` with these contents has, at least 1; what cannot be counted here is 1.

    Takes time in proportion to the parts, and none for those beyond the limits. Raises TooLargeError for more than
    `max_frames` frames (None: no limit), SakugaError for more parts than any encoder writes.
    """
    count = _Count(name, max_frames)
    for signature, walk in _WALKS.items():
        if data[: len(signature)] == signature:
            with suppress(IndexError, struct.error):  # it ends early: that is for the decoder to say
                walk(data, count)
    return max(1, count.frames)


class _Count:
    """Counters that raise at their limits."""

    def __init__(self, name: str, max_frames: int | None) -> None:
        self.name, self.max_frames = name, max_frames
        self.frames = self.parts = self.pieces = 0

    def frame(self) -> None:
        self.frames += 1
        if self.max_frames is not None and self.frames > self.max_frames:
            raise TooLargeError(f"{self.name} has more than {self.max_frames:,} frames: make a video of it first")

    def part(self, many: int = 1) -> None:
        self.parts += many
        if self.parts > MAX_PARTS:
            self.refuse()

    def piece(self, many: int = 1) -> None:
        self.pieces += many
        if self.pieces > MAX_PIECES:
            self.refuse()

    def refuse(self) -> None:
        raise SakugaError(f"{self.name} is cut into more parts than any program writes: do not trust it")


def _jpeg(data: Data, count: _Count) -> None:
    at, stray, exif = 2, 0, 0
    while True:
        found = data.find(b"\xff", at)
        if found < 0:
            return
        stray += found - at
        marker, at = data[found + 1], found + 1
        if marker in (0, 0xFF):  # a fill byte, or no marker at all
            stray += 1
        else:
            at += 1
            if marker == 0xDA:  # the pixels begin, and Pillow stops here
                return
            if not (0xD0 <= marker <= 0xD9 or marker == 1):  # all others have a length
                exif += marker == 0xE1 and data[at + 2 : at + 6] == b"Exif"
                at += int.from_bytes(data[at : at + 2], "big")
            count.part()
        if stray > _MAX_STRAY_BYTES or exif > _MAX_EXIF_SEGMENTS:
            count.refuse()


def _png(data: Data, count: _Count) -> None:
    at, size, profiles = 8, len(data), 0
    while at + 8 <= size:
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind in (b"IDAT", b"fdAT"):
            count.piece()
        elif kind == b"fcTL":
            count.frame()
        else:
            count.part()
            profiles += kind == b"iCCP"
            if profiles > _MAX_PROFILES:
                count.refuse()
        at += 12 + length


def _gif(data: Data, count: _Count) -> None:
    def table(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    at, size = 13 + table(data[10]), len(data)
    while at < size:
        kind = data[at]
        if kind == 0x2C:
            count.frame()
            at += 11 + table(data[at + 9])
        elif kind == 0x21:
            count.piece()  # one or two belong to each frame
            at += 2
        elif kind == 0x3B:
            return
        else:  # a stray byte: decoders skip it
            count.part()
            at += 1
            continue
        blocks = 0
        while length := data[at]:
            at += 1 + length
            blocks += 1
            if blocks > MAX_PIECES:
                break
        count.piece(blocks)
        at += 1


def _riff(data: Data, count: _Count) -> None:
    at, size = 12, len(data)
    while at + 8 <= size:
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"ANMF":
            count.frame()
        else:
            count.part()
        at += 8 + length + length % 2


def _tiff(data: Data, count: _Count) -> None:
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", data, 2)[0] == 43
    number, entry, offset = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    head, one = struct.calcsize(f"={number}"), struct.Struct(f"{order}{entry}")
    (at,) = struct.unpack_from(f"{order}{offset}", data, 8 if big else 4)
    seen, held = set(), 0

    def directory(at: int) -> tuple[int, list[int]]:
        """Count one; return where the next page is, and the directories of EXIF that this one names."""
        nonlocal held
        seen.add(at)
        (entries,) = struct.unpack_from(f"{order}{number}", data, at)
        count.piece(_PIECES_PER_ENTRY * entries)
        at, named = at + head, []
        for tag, kind, values, value in one.iter_unpack(data[at : at + entries * one.size]):
            size = values * _TYPE_BYTES[kind] if kind < len(_TYPE_BYTES) else 0
            held += size
            named += [value] if tag in _DIRECTORIES else []
            if size <= len(data):
                count.part(values if kind in _RATIONAL else 0)
                count.piece(values if tag in _OFFSETS else 0)
        if held > _REPEATED * len(data) + _REPEATED_BYTES:
            count.refuse()
        return struct.unpack_from(f"{order}{offset}", data, at + entries * one.size)[0], named

    while at and at not in seen:
        count.frame()
        at, named = directory(at)
        while named:
            if (place := named.pop()) not in seen:
                with suppress(struct.error):  # as if it were not there
                    named += directory(place)[1]


def _boxes(data: Data, count: _Count) -> None:
    """Of JPEG 2000 and JPEG XL; within the header of the former are more."""
    at, size = 0, len(data)
    while at + 8 <= size:
        length, kind = struct.unpack_from(">I4s", data, at)
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
        count.part()
        at += 8 if kind in (b"jp2h", b"res ") else max(8, length or size)


def _icns(data: Data, count: _Count) -> None:
    at, size = 8, len(data)
    while at + 8 <= size:
        count.part()
        at += max(8, int.from_bytes(data[at + 4 : at + 8], "big"))


def _psd(data: Data, count: _Count) -> None:
    at = 30 + int.from_bytes(data[26:30], "big")
    end = at + 4 + int.from_bytes(data[at : at + 4], "big")
    at += 4
    while at + 8 <= min(end, len(data)):
        count.part()
        name = data[at + 6] | 1  # of an odd length, so that it ends evenly with its length before it
        length = int.from_bytes(data[at + 7 + name : at + 11 + name], "big")
        at += 11 + name + length + length % 2


def _pnm(data: Data, count: _Count) -> None:
    """The header of PPM and its kin, which Pillow reads singly: comments, spaces and two numbers or three."""
    at, numbers = 2, {b"1": 2, b"4": 2, b"0": 4, b"y": 4}.get(data[1:2], 3)  # P0CMYK and its like have a longer name
    while numbers:
        if at > _MAX_STRAY_BYTES:
            count.refuse()
        if data[at] == ord("#"):
            at = data.find(b"\n", at) % len(data)  # the last byte where there is none
        elif not data[at : at + 1].isspace() and data[at + 1] in b" \t\n\v\f\r#":
            numbers -= 1
        at += 1


_WALKS = {
    b"\xff\xd8\xff": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"GIF8": _gif,
    b"RIFF": _riff,
    b"II": _tiff,
    b"MM": _tiff,
    b"\0\0\0\x0cjP  ": _boxes,
    b"\0\0\0\x0cJXL ": _boxes,
    b"icns": _icns,
    b"8BPS": _psd,
    **{b"P%c" % kind: _pnm for kind in b"0123456fy"},
}
