"""Whether an uploaded file is a video that the server takes; and taking metadata out of the one that it makes."""

from pathlib import Path

from sakuga.serve.errors import RefusedError
from sakuga.serve.limits import Limits

# Only what is a video in one file: a playlist would have FFmpeg open the files and addresses that it names.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,asf,flv"
_SAFELY = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
SUFFIXES = ("mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "mts", "m2ts", "wmv", "flv", "3gp")
_CONTAINERS = {b"moov", b"trak", b"mdia", b"udta"}
_PLACES = {b"loci", b"\xa9xyz"}
_TEXTS = {b"udta", b"meta"}
_DATES = {b"mvhd", b"tkhd", b"mdhd"}


def check(file: Path, limits: Limits, *, max_side: int | None = None) -> None:
    """Raise RefusedError for a file that is no video (415), or a longer or larger one than is taken (413).

    `max_side` is what its longer side will be reduced to.

    FFmpeg takes the same file for the same format at every opening, so the formats that are refused here are not
    opened later.
    """
    import av

    from sakuga.errors import SakugaError
    from sakuga.video.container import video_stream

    try:
        with av.open(f"file:{file}", options=_SAFELY, metadata_errors="replace") as reader:
            stream = video_stream(reader, file)
            seconds, frames, size = (reader.duration or 0) / 1e6, stream.frames, (stream.width, stream.height)
    except (av.FFmpegError, SakugaError) as error:
        sentence = "The file is no video that can be read, or it is damaged: send an MP4, MOV, MKV, WebM or AVI."
        raise RefusedError(415, "no_video", sentence) from error
    if seconds > limits.max_video_seconds or frames > limits.max_video_seconds * limits.frames_per_second:
        sentence = (
            f"The video has {seconds:.0f} s and {frames} frames, and the most here are {limits.max_video_seconds} s "
            f"at {limits.frames_per_second} frames a second: cut it."
        )
        raise RefusedError(413, "too_long", sentence)
    if size[0] * size[1] > limits.frame_pixels:
        sentence = (
            f"The video is {size[0]}x{size[1]}, more than {limits.frame_pixels:,} pixels a frame: make it smaller."
        )
        raise RefusedError(413, "too_many_pixels", sentence)
    limits.check_side("video", *size, max_side)


def forget(file: Path, *, everything: bool) -> None:
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
