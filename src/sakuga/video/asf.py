"""Frames of an ASF (WMV) that are gone: each has a number, and FFmpeg goes on at the next that it finds.

Source: Microsoft, Advanced Systems Format Specification, 2004, sections 3.2 (file properties) and 5.2 (data packets).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from struct import error as StructError
from struct import unpack_from
from typing import NamedTuple

_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # the GUIDs of two objects
_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_MAX_PACKETS = 1_000_000  # that are looked at, of a few frames each
_NUMBERS = {1: "<B", 2: "<H", 3: "<I"}  # by the two bits that say how wide a number is; 0 is left out


class _Part(NamedTuple):
    """A piece of a frame."""

    number: int
    offset: int
    size: int
    of: int
    """Bytes of the whole frame."""
    time: int
    """In milliseconds."""


def holes(path: Path, stream: int) -> list[tuple[Fraction, Fraction]]:
    """Return from when to when frames of a stream are missing, or pieces of them, in seconds."""
    found: list[tuple[Fraction, Fraction]] = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        begin, properties = data.find(_DATA) + 50, data.find(_PROPERTIES) + 24
        if begin < 50 or properties < 24 or properties + 76 > len(data):
            return []
        preroll, _, size = unpack_from("<QII", data, properties + 56)
        last: _Part | None = None
        for at in range(begin, min(len(data), begin + _MAX_PACKETS * size) - size + 1, size) if size else ():
            for part in _parts(data[at : at + size], stream):
                if last and part.number != last.number:
                    whole = last.offset + last.size == last.of and not part.offset
                    if not whole or (part.number - last.number) % 256 != 1:
                        found.append((Fraction(last.time - preroll, 1000), Fraction(part.time - preroll, 1000)))
                last = part
    return found


def _parts(packet: bytes, stream: int) -> Iterator[_Part]:
    """Yield the pieces of a stream's frames in a packet; of a damaged packet those before the damage."""
    try:
        yield from _read(packet, stream)
    except StructError:
        return


def _read(packet: bytes, stream: int) -> Iterator[_Part]:
    at = 1 + (packet[0] & 15) if packet[0] & 128 else 0  # behind what is to correct errors

    def number(width: int) -> int:
        nonlocal at
        if not width & 3:
            return 0
        (value,) = unpack_from(_NUMBERS[width & 3], packet, at)
        at += 1 << (width & 3) - 1
        return int(value)

    lengths, widths = number(1), number(1)
    number(lengths >> 5), number(lengths >> 1)
    padding = number(lengths >> 3)
    at += 6  # when it is sent, and for how long
    several = number(1) if lengths & 1 else 1
    for _ in range(several & 63):
        of_stream, frame, offset, more = number(1) & 127, number(widths >> 4), number(widths >> 2), number(widths)
        whole, time = unpack_from("<II", packet, at) if more >= 8 else (0, 0)
        at += more
        size = number(several >> 6) if lengths & 1 else len(packet) - at - padding
        if size < 0 or at + size > len(packet):
            return
        at += size
        if of_stream == stream and 0 < offset + size <= whole:  # else what tells of it is damaged itself
            yield _Part(frame, offset, size, whole, time)
