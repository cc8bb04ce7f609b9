"""Holes in a Matroska or WebM file: where its elements do not follow one another, FFmpeg goes on at the next cluster.

It says nothing of it, and a gap in the times of blocks is legal, so the elements' headers are read here (RFC 9559).
"""

from __future__ import annotations

import mmap
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

_CLUSTER, _TIMESTAMP, _SIMPLE_BLOCK, _GROUP, _BLOCK = 0x1F43B675, 0xE7, 0xA3, 0xA0, 0xA1
_INFO, _SCALE = 0x1549A966, b"\x2a\xd7\xb1"
_OUTER = {0x1A45DFA3, 0x18538067}  # EBML, Segment
_TOP = {0x114D9B74, _INFO, 0x1654AE6B, _CLUSTER, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367}
_ANYWHERE = {0xEC, 0xBF}  # Void, CRC-32
_IN_CLUSTER = {_TIMESTAMP, _SIMPLE_BLOCK, _GROUP, 0xA7, 0xAB, 0x5854, 0xAF}
_KNOWN = _OUTER | _TOP | _ANYWHERE | _IN_CLUSTER
_MAX_ELEMENTS = 1_000_000  # that are looked at: four hours of frames and sound
_OPENED = {_CLUSTER, 0x18538067}
"""Elements whose contents are looked at one by one."""


class _Element(NamedTuple):
    id: int
    begin: int
    """Of its contents."""
    end: int | None
    """None where the header leaves it open, as of what was sent while it was made."""


def holes(path: Path, until: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Return from when to when something is missing, in seconds; at the end `until`, where a cluster is cut off."""
    found: list[tuple[Fraction, Fraction]] = []
    scale, cluster, last, lost = 1_000_000, 0, Fraction(0), False
    end: int | None = None  # of a cluster, or where that is open, of its last block
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = 0
        for _ in range(_MAX_ELEMENTS):
            if at >= len(data):
                break
            element = _element(data, at)
            if element is None or not _follows(data, element):
                at = data.find(_CLUSTER.to_bytes(4), at + 1)
                if at < 0:
                    break
                lost = True
                continue
            block = element
            if element.id == _GROUP:  # whose first part is the block
                block = _element(data, element.begin) or element
            if element.id == _INFO and (there := data.find(_SCALE, element.begin, element.end or element.begin)) >= 0:
                scale = _number(data, _element(data, there)) or scale
            elif element.id == _TIMESTAMP:
                cluster = _number(data, element)
            elif block.id in (_SIMPLE_BLOCK, _BLOCK):
                track = _size(data, block.begin)
                offset = block.begin + (track[1] if track else 1)
                ticks = cluster + int.from_bytes(data[offset : offset + 2], signed=True)
                time = Fraction(ticks * scale, 1_000_000_000)
                if lost:
                    found.append((min(last, time), time))
                last, lost = (time if lost else max(last, time)), False
            if element.id == _CLUSTER or (block.id in (_SIMPLE_BLOCK, _BLOCK) and (end is None or at >= end)):
                end = element.end
            at = element.begin if element.id in _OPENED or element.end is None else element.end
        if end is not None and end > len(data):
            found.append((last, max(last, until)))
    return found


def _element(data: mmap.mmap, at: int) -> _Element | None:
    """Read the header of an element; None where there is none."""
    width = 9 - data[at].bit_length() if at < len(data) else 9
    if width > 4:
        return None
    size = _size(data, at + width)
    if size is None:
        return None
    begin = at + width + size[1]
    return _Element(int.from_bytes(data[at : at + width]), begin, None if size[0] is None else begin + size[0])


def _size(data: mmap.mmap, at: int) -> tuple[int | None, int] | None:
    """Read a number of variable width, and that width; None of all ones, which stand for unknown."""
    if at >= len(data) or not data[at]:
        return None
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width]) & ((1 << 7 * width) - 1)
    return (None if value == (1 << 7 * width) - 1 else value), width


def _follows(data: mmap.mmap, element: _Element) -> bool:
    """Whether an element is one of ours, or followed by one."""
    if element.id in _KNOWN:
        return True
    if element.end is None or element.end >= len(data):
        return False
    after = _element(data, element.end)
    return after is not None and after.id in _KNOWN


def _number(data: mmap.mmap, element: _Element | None) -> int:
    return 0 if element is None else int.from_bytes(data[element.begin : min(element.end or 0, element.begin + 8)])
