"""Standard input and output: one picture, or one video, which its first bytes tell."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sakuga.errors import IncompleteError, SakugaError, UsageError
from sakuga.picture import MAX_PIXELS, dropped, encode, extension, read, write
from sakuga.runtime.console import Closed, is_terminal, say
from sakuga.stylizer.batch import is_video
from sakuga.video import is_video_target
from sakuga.video.animated import becomes_video

if TYPE_CHECKING:
    from sakuga.stylizer import Stylizer
    from sakuga.video import VideoOptions

_VIDEO, _PICTURE, _RESULT = "stdin.mkv", "stdin.png", "result.mkv"  # in a folder of their own

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
    if target is None and (isinstance(sys.stdout, Closed) or is_terminal(sys.stdout)):
        raise UsageError("a picture does not belong in a terminal: redirect the output or give -o FILE")
    if source == "-" and sys.stdin is None:
        raise UsageError("standard input is closed: name a file, or send one through a pipe")
    name = stylizer.name
    with tempfile.TemporaryDirectory(prefix="sakuga-") as folder, _plain_names(Path(folder)) as warn:
        given = _incoming(sys.stdin.buffer, Path(folder), target) if source == "-" else Path(source)
        if isinstance(given, Path) and (is_video(given) or (target and becomes_video(given, target))):
            result = _place(target, f"stdin.{name}.mp4") or Path(folder, _RESULT)
            make = partial(stylizer.file, max_pixels=max_pixels, overwrite=overwrite, video=video, warn=warn)
            incomplete: IncompleteError | None = None
            try:
                make(given, result)
            except IncompleteError as error:
                incomplete = error
            if target is None:
                with result.open("rb") as file:
                    shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            if incomplete:
                raise incomplete
            return target and result
        shown = "standard input" if source == "-" else source
        if video and (flags := video.given()):
            raise UsageError(f"{flags[0]} is for videos, but {shown} is a picture: leave it out")
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
            say(f"{shown}: {note}")
        return written


class _Picture(BytesIO):
    """A picture from standard input."""

    name = "standard input"


@contextmanager
def _plain_names(folder: Path) -> Iterator[Callable[[str], None]]:
    """Call the files in `folder` what they are to the user, in errors and in what is said through what is yielded."""

    def plain(sentence: object) -> str:
        text = str(sentence)
        for file, name in ((_VIDEO, "standard input"), (_PICTURE, "standard input"), (_RESULT, "standard output")):
            text = text.replace(str(folder / file), name)
        return text

    try:
        yield lambda sentence: say(plain(sentence))
    except SakugaError as error:
        raise type(error)(plain(error)) from error


def _incoming(stream: BinaryIO, folder: Path, target: Path | None) -> Path | BinaryIO:
    """Read everything, into a file what is or becomes a video: most kinds cannot be read without going back in them."""
    head = stream.read(512)
    is_video = is_video_data(head)
    if not is_video and not (target and is_video_target(target)):
        return _Picture(head + stream.read())
    path = folder / (_VIDEO if is_video else _PICTURE)  # their decoders go by the contents
    with path.open("wb") as file:
        file.write(head)
        shutil.copyfileobj(stream, file)
    return path


def _place(target: Path | None, name: str) -> Path | None:
    """Return the file that is meant by a file or a folder."""
    return target / name if target and (target.is_dir() or not target.suffix) else target
