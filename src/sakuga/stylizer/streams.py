"""Standard input and output: one picture, or one video, which its first bytes tell."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sakuga.errors import IncompleteError, UsageError
from sakuga.picture import MAX_PIXELS, dropped, encode, extension, read, write
from sakuga.runtime.console import is_terminal, say
from sakuga.stylizer.batch import is_video

if TYPE_CHECKING:
    from sakuga.stylizer import Stylizer
    from sakuga.video import VideoOptions

_BRANDS_OF_PICTURES = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"}
_VIDEOS = (
    b"\x1a\x45\xdf\xa3",  # Matroska and WebM
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG video
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, of WMV
)


def is_video_data(head: bytes) -> bool:
    """Whether a file that begins so (some hundred bytes) is a video."""
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):  # MP4 and MOV, and pictures in the same boxes
        return head[8:12] not in _BRANDS_OF_PICTURES
    if head[:4] == b"RIFF":
        return head[8:12] == b"AVI "
    transport = b"GGG" in (head[:377:188], head[4:389:192])  # the packets' first bytes
    return head.startswith(_VIDEOS) or transport


def stylize_stream(
    stylizer: Stylizer,
    source: str,
    target: Path | None,
    *,
    format: str | None = None,
    overwrite: bool = False,
    max_pixels: int | None = None,
    video: VideoOptions | None = None,
) -> Path | None:
    """Stylise `source` (- is standard input) into `target`, a file or folder (None is standard output, as Matroska).

    Returns the path that was written. Raises UsageError for a terminal as output and for options of a video that go
    with a picture.
    """
    if target is None and (sys.stdout is None or is_terminal(sys.stdout)):
        raise UsageError("a picture does not belong in a terminal: redirect the output or give -o FILE")
    if source == "-" and sys.stdin is None:
        raise UsageError("standard input is closed: name a file, or send one through a pipe")
    name = stylizer.name
    with tempfile.TemporaryDirectory(prefix="sakuga-") as folder:
        given = _incoming(sys.stdin.buffer, Path(folder)) if source == "-" else Path(source)
        if isinstance(given, Path) and is_video(given):
            result = _place(target, f"stdin.{name}.mp4") or Path(folder, "result.mkv")
            incomplete: IncompleteError | None = None
            try:
                stylizer.file(given, result, max_pixels=max_pixels, overwrite=overwrite, video=video)
            except IncompleteError as error:
                incomplete = error
            if target is None:
                with result.open("rb") as file:
                    shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            if incomplete:
                raise incomplete
            return target and result
    if video and (flags := video.given()):
        raise UsageError(f"{flags[0]} is for videos, but {source} is a picture: leave it out")
    picture = stylizer.picture(read(given, max_pixels=max_pixels or MAX_PIXELS))
    written = _place(target, f"stdin.{name}{extension(format or picture.format)}")
    if written is None:
        sys.stdout.buffer.write(encode(picture, format))
        sys.stdout.buffer.flush()
    else:
        written.parent.mkdir(parents=True, exist_ok=True)
        write(picture, written, format=format, overwrite=overwrite)
    kind = format or (written.suffix if written else None)
    for note in filter(None, (picture.note, dropped(picture, kind))):
        say(f"{source}: {note}")
    return written


def _incoming(stream: BinaryIO, folder: Path) -> Path | bytes:
    """Read everything: a video into a file, since most kinds cannot be read without going back and forth in them."""
    head = stream.read(512)
    if not is_video_data(head):
        return head + stream.read()
    path = folder / "stdin.mkv"  # libav goes by the contents
    with path.open("wb") as file:
        file.write(head)
        shutil.copyfileobj(stream, file)
    return path


def _place(target: Path | None, name: str) -> Path | None:
    """Return the file that is meant by a file or a folder."""
    return target / name if target and (target.is_dir() or not target.suffix) else target
