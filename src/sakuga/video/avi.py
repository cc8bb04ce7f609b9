"""Frames of an AVI that are gone: its index says where each one lies, and FFmpeg goes on at the next that is there."""

from __future__ import annotations

import mmap
from fractions import Fraction
from pathlib import Path
from struct import iter_unpack, unpack_from

from sakuga.video.ends import MAX_PARTS

_MAX_ENTRIES = 1_000_000  # of an index: four hours of frames and sound


def holes(path: Path, stream: int, step: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Return from when to when something is missing, in seconds; nothing of a file without an index.

    `stream`: the number of that of the pictures; `step`: for how long each is shown.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        movie, begin, size = _parts(data)
        if size > 16 * _MAX_ENTRIES:
            return []
        entries = list(iter_unpack("<4sIII", data[begin : begin + size - size % 16]))
        for base in (movie, 0):  # offsets count from the list of chunks, or from the beginning of the file
            # Of a name the first two letters, the stream: the others may differ. "rec " is of several chunks.
            gone = [
                name != b"rec " and data[base + offset : base + offset + 2] != name[:2]
                for name, _, offset, _ in entries
            ]
            if 2 * sum(gone) < len(gone):
                break
        else:  # it is no index of this file
            return []
    found, shown = [], 0
    for (name, *_), lost in zip(entries, gone, strict=True):
        if lost:
            found.append((shown * step, (shown + 1) * step))
        shown += name[:2] == b"%02d" % stream
    return found


def _parts(data: mmap.mmap) -> tuple[int, int, int]:
    """Return where the list of chunks begins, by which offsets count, where its index does, and the index's bytes."""
    movie, at = 0, 12
    for _ in range(MAX_PARTS):
        if at + 12 > len(data):
            break
        name, size, kind = unpack_from("<4sI4s", data, at)
        if kind == b"movi":
            movie = at + 8
        if name == b"idx1":
            return movie, at + 8, min(size, len(data) - at - 8)
        at += 8 + size + size % 2
    return movie, 0, 0
