"""Videos made to hurt: broken boxes, sizes that lie, streams of nothing. What must become of each, by name."""

import re
import struct
from pathlib import Path

from samples import videos

REFUSED, EITHER = {"refused"}, {"done", "refused"}


def _patched(data: bytes, kind: bytes, at: int, value: bytes) -> bytes:
    """The first box of a kind with these bytes at this place behind its name."""
    start = data.index(kind) + 4 + at
    return data[:start] + value + data[start + len(value) :]


def clips(folder: Path) -> dict[str, tuple[set[str], str, bytes]]:
    """By name: what may become of it, its suffix, its bytes."""
    (mp4,), (mkv,), (webm,), (avi,) = (videos(kind, folder) for kind in ("mp4", "mkv", "webm", "avi"))
    largest = b"\xff\xff\xff\xff"
    samples = struct.unpack(">I", mp4[mp4.index(b"stsz") + 12 :][:4])[0]
    assert 0 < samples < 1000
    found = {
        "nothing": (REFUSED, "mp4", b""),
        "a head alone": (REFUSED, "mp4", mp4[:32]),
        "no moov": (REFUSED, "mp4", mp4[: mp4.index(b"moov") - 4]),
        "a text": (REFUSED, "mp4", b"not a video, whatever its name says"),
        "a playlist of other files": (REFUSED, "ts", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
        "a list of files to join": (REFUSED, "mp4", b"ffconcat version 1.0\nfile /etc/passwd\n"),
        "an SDP": (REFUSED, "mp4", b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n"),
        "2**32-1 samples": (EITHER, "mp4", _patched(mp4, b"stsz", 8, largest)),
        "samples of 2**31 bytes": (EITHER, "mp4", _patched(mp4, b"stsz", 4, b"\x7f\xff\xff\xff")),
        "2**32-1 runs of time": (EITHER, "mp4", _patched(mp4, b"stts", 4, largest)),
        "ticks of 2**32-1": (EITHER, "mp4", _patched(mp4, b"stts", 12, largest)),
        "no time scale": (EITHER, "mp4", _patched(mp4, b"mdhd", 12, bytes(4))),
        "chunks outside": (EITHER, "mp4", _patched(mp4, b"stco", 8, largest)),
        "65535x65535 in the header": (EITHER, "mp4", _patched(mp4, b"avc1", 24, largest)),
        "an hour that is a second": (EITHER, "mp4", _patched(mp4, b"mvhd", 16, b"\0\x36\xee\x80")),
        "a Matroska of unknown lengths": (
            EITHER,
            "mkv",
            re.sub(rb"\x1f\x43\xb6\x75.", b"\x1f\x43\xb6\x75\xff", mkv, count=1),
        ),
        "VP8 of 16383²": (
            EITHER,
            "webm",
            re.sub(rb"\x9d\x01\x2a....", b"\x9d\x01\x2a\xff\x3f\xff\x3f", webm, count=1),
        ),
        "an AVI of no frames a second": (EITHER, "avi", _patched(avi, b"vids", 20, bytes(4))),
    }
    for kind, whole in (("mp4", mp4), ("mkv", mkv), ("webm", webm), ("avi", avi)):
        for tenths in range(1, 10):
            found[f"{tenths} tenths of {kind}"] = EITHER, kind, whole[: len(whole) * tenths // 10]
    return found
