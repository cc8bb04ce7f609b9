"""Files that end within one of their parts: what FFmpeg reads of them is all that is there, and it says nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from struct import unpack_from

_SYNC, _SIZES = 0x47, (188, 192, 204)  # of an MPEG transport stream: what each packet begins with, and its bytes
_ALIKE = 5  # packets that are enough to know where they begin
_LISTS = (b"moov", b"moof")  # MP4's, of all tracks and of a fragment
_INDEX = (b"idx1", b"JUNK")  # of an AVI, behind all that is shown
MAX_PARTS = 100_000
"""Of a file that are looked at: one of more is made to take time."""


def ends_within(path: Path, format: str) -> bool:
    """Whether a file is cut off, by the name of its container.

    Within a packet of a transport stream, a chunk of an AVI, or MP4's list of tracks or of a fragment's frames.
    """
    if "mp4" in format:
        return _within_list(path)
    if format == "avi":
        return _within_chunk(path)
    return format == "mpegts" and _within_packet(path)


def _within_packet(path: Path) -> bool:
    """The last packets tell: where recordings were joined the first ones may lie otherwise."""
    length = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, length - _SIZES[-1] * (_ALIKE + 1)))
        end = file.read()
    for size in _SIZES:
        for rest in range(1, size + 1):
            begins = range(len(end) - rest, -1, -size)
            if len(begins) >= _ALIKE and all(end[at] == _SYNC for at in begins):
                # Of 192 bytes, as cameras have them, four stand before the sync byte.
                return rest != (size if size != 192 else 188)
    return False


def _within_chunk(path: Path) -> bool:
    def part(head: bytes) -> tuple[bytes, int]:
        name, size = unpack_from("<4sI", head)
        # The length of what was still being written is 0: what is in it follows.
        return name, 12 if name == b"RIFF" or (name == b"LIST" and not size) else 8 + size + size % 2

    name, beyond = _last(path, part, least=12)
    return name not in _INDEX and beyond > 1


def _within_list(path: Path) -> bool:
    def part(head: bytes) -> tuple[bytes, int]:
        size, name = unpack_from(">I4s", head)
        if size == 1 and len(head) == 16:
            (size,) = unpack_from(">Q", head, 8)
        return name, size if size >= 8 else 0  # 0: to the end of the file

    name, beyond = _last(path, part, least=8)
    return name in _LISTS and beyond > 0


def _last(path: Path, part: Callable[[bytes], tuple[bytes, int]], *, least: int) -> tuple[bytes, int]:
    """Return the name of a file's last part, and by how many bytes it is longer than what is left of the file.

    `part`: tells the name and length of one, of at least `least` bytes, from its first 16; a length of 0 ends all.
    """
    length, at, name = path.stat().st_size, 0, b""
    with path.open("rb") as file:
        for _ in range(MAX_PARTS):
            if at + least > length:
                break
            file.seek(at)
            name, size = part(file.read(16))
            if not size:
                return name, 0
            at += size
    return name, at - length
