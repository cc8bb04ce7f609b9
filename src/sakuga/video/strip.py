"""Taking metadata out of a finished MP4, in place."""

from pathlib import Path

_CONTAINERS = {b"moov", b"trak", b"mdia", b"udta"}
_PLACES = {b"loci", b"\xa9xyz"}
_TEXTS = {b"udta", b"meta"}
_DATES = {b"mvhd", b"tkhd", b"mdhd"}


def strip_metadata(file: Path, *, everything: bool) -> None:
    """Overwrite the boxes of an MP4 (ISO/IEC 14496-12) that say where it was taken; nothing else moves.

    `everything`: also all other texts, the dates and the names of the tracks' makers.
    """
    gone = _PLACES | _TEXTS if everything else _PLACES
    with file.open("r+b") as data:
        todo = [(0, file.stat().st_size)]
        while todo:
            at, end = todo.pop()
            while at + 8 <= end:
                data.seek(at)
                header = data.read(16)
                size, kind, head = int.from_bytes(header[:4], "big"), header[4:8], 8
                if size == 1:
                    size, head = int.from_bytes(header[8:], "big"), 16
                size = size or end - at
                if size < head or at + size > end:
                    break  # no box after all
                if kind in gone:
                    data.seek(at + 4)
                    data.write(b"free" + bytes(size - 8))
                elif kind in _CONTAINERS:
                    todo.append((at + head, at + size))
                elif everything and kind in _DATES:
                    data.seek(at + head)
                    width = 8 if data.read(1) == b"\1" else 4  # by its version
                    data.seek(at + head + 4)
                    data.write(bytes(2 * width))  # made, changed
                elif everything and kind == b"hdlr" and size > head + 24:
                    data.seek(at + head + 24)
                    data.write(bytes(size - head - 24))
                at += size
