"""Whatever reads a stranger's metadata takes four times as long for four times as much of it, not sixteen times."""

import inspect
import struct
import time
import zlib
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from sakuga.errors import SakugaError, TooLargeError
from sakuga.picture import apng, gif, metadata, read, structure
from sakuga.picture.color import nclx_coding, png_coding
from sakuga.style.card import Card

N = 1500


def saved(format: str, **options) -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8)).save(out, format, **options)
    return out.getvalue()


JPEG, PNG, GIF, WEBP = (saved(kind) for kind in ("JPEG", "PNG", "GIF", "WEBP"))


_PAGE = [(256, 3, 8), (257, 3, 8), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, 8)]
_ENTRIES = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in [*_PAGE, (279, 4, 64)])
TIFF = b"II*\0" + struct.pack("<I", 72) + bytes(64) + struct.pack("<H", len(_PAGE) + 1) + _ENTRIES
TIFF += struct.pack("<I", len(TIFF) + 4)


def segments(n: int, payload: bytes = b"", marker: int = 0xE1) -> bytes:
    return JPEG[:2] + (struct.pack(">BBH", 0xFF, marker, 2 + len(payload)) + payload) * n + JPEG[2:]


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunks(n: int, kind: bytes, data: bytes = b"", at: int = 33) -> bytes:
    return PNG[:at] + chunk(kind, data) * n + PNG[at:]


def _number(value: int) -> bytes:
    return struct.pack(">I", value)


def blocks(n: int, block: bytes) -> bytes:
    return GIF[:-1] + block * n + b";"


def riff(n: int) -> bytes:
    data = WEBP[8:] + (b"prVt" + struct.pack("<I", 2) + b"ab") * n
    return b"RIFF" + struct.pack("<I", len(data)) + data


def directory(entries: int, *, tiff: bytes = b"") -> bytes:
    """A TIFF directory of short texts, behind the header of a file or of EXIF."""
    tags = b"".join(struct.pack("<HHI4s", 40000 + i % 20000, 2, 4, b"abc\0") for i in range(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + tags + bytes(4) + tiff


def overlapping(entries: int, values: int) -> bytes:
    """A directory whose entries share their rational numbers."""
    at = 14 + 12 * entries
    tags = b"".join(struct.pack("<HHII", 40000 + i, 5, values, at) for i in range(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + tags + bytes(4) + struct.pack("<II", 1, 2) * values


def rationals(n: int) -> bytes:
    """A directory with one entry of as many numbers."""
    return overlapping(1, n)


def pages(n: int) -> bytes:
    """A TIFF whose directories say nothing but where the next one is."""
    return b"II*\0\x08\0\0\0" + b"".join(struct.pack("<HI", 0, 14 + 6 * i) for i in range(n)) + bytes(6)


def directories(n: int, entries: int, bytes_of_each: int = 1) -> bytes:
    """Directories of a TIFF behind one another, whose entries share what they hold."""
    at, all = len(TIFF), b""
    for _ in range(n):
        tags = (struct.pack("<HHII", 1000 + i, 7, bytes_of_each, 8) for i in range(entries))
        all += struct.pack("<H", len(_PAGE) + 1 + entries) + _ENTRIES + b"".join(tags)
        all += struct.pack("<I", at + len(all) + 4)
    return all[:-4] + bytes(4)


def jp2(n: int) -> bytes:
    data = saved("JPEG2000")
    at = data.index(b"jp2h") - 4
    return data[:at] + b"\0\0\0\x08free" * n + data[at:]


def psd(n: int) -> bytes:
    head = b"8BPS" + struct.pack(">H6xHIIHHI", 1, 3, 8, 8, 8, 3, 0)
    resources = b"8BIM\x03\xe8\0\0\0\0\0\0" * n
    return head + struct.pack(">I", len(resources)) + resources + bytes(6 + 3 * 64)


def quietly(work: Callable[[bytes], object]) -> Callable[[bytes], object]:
    def run(data: bytes) -> object:
        try:
            return work(data)
        except SakugaError as error:
            return error

    return run


def icc(n: int) -> bytes:
    return saved("PNG", icc_profile=b"\0" * n)


def boxed(data: bytes, *kinds: bytes) -> bytes:
    for kind in kinds:
        data = (bytes(4) if kind == b"meta" else b"") + data
        data = struct.pack(">I4s", 8 + len(data), kind) + data
    return data


def card(text: bytes) -> object:
    return Card.from_json(text.decode())


XMP = {
    "elements": lambda n: b"<a:gps>" * n,
    "attributes": lambda n: b"<a" + b" a:" + b"gps" * n + b">",
    "quotes": lambda n: b"<a" + b" gps='" * n + b">",
    "spaces": lambda n: b"<a gps" + b" " * 4 * n + b">",
    "open": lambda n: b"<" * 4 * n,
    "closed": lambda n: b"<a:gps></a:gps>" * n,
    "utf16": lambda n: ("<a:gps>" * n).encode("utf-16-le"),
    "orientation": lambda n: b"tiff:Orientation" * n + b" " * n,
}
CASES: dict[str, tuple[Callable[[bytes], object], Callable[[int], bytes], int]] = {
    **{f"xmp {name}": (metadata.xmp_without_place, make, N // 2) for name, make in XMP.items()},
    "xmp read": (quietly(read), lambda n: chunks(1, b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"<a:gps>" * n), 20 * N),
    "exif overlapping": (quietly(read), lambda n: chunks(1, b"eXIf", overlapping(n // 40, n // 4)), N),
    "exif": (metadata.exif_without_place, lambda n: b"Exif\0\0" + directory(n), N),
    "exif read": (quietly(read), lambda n: chunks(1, b"eXIf", directory(n)), N),
    "icc": (quietly(read), icc, 100 * N),
    "jpeg segments": (quietly(read), segments, N),
    "jpeg exif segments": (quietly(read), lambda n: segments(n // 100, b"Exif\0\0" + bytes(60000)), N),
    "jpeg xmp segments": (quietly(read), lambda n: segments(n, b"http://ns.adobe.com/xap/1.0/\0" + bytes(99)), N),
    "jpeg profile segments": (quietly(read), lambda n: segments(n, b"ICC_PROFILE\0\1\1" + bytes(99), 0xE2), N),
    "jpeg resources": (quietly(read), lambda n: segments(n, b"Photoshop 3.0\0" + b"8BIM" * 9, 0xED), N),
    "jpeg fill bytes": (quietly(read), lambda n: JPEG[:2] + b"\xff" * n + JPEG[2:], 10 * N),
    "jpeg scans": (metadata.scans, lambda n: b"\xff\xda\0\x08" * n, 40 * N),
    "png texts": (quietly(read), lambda n: chunks(n, b"tEXt", b"key\0" + bytes(20)), N),
    "png packed texts": (quietly(read), lambda n: chunks(n, b"zTXt", b"key\0\0" + zlib.compress(bytes(20))), N),
    "png unknown chunks": (quietly(read), lambda n: chunks(n, b"prVt"), N),
    "apng frames": (
        apng.parse,
        lambda n: (
            PNG[:33]
            + b"".join(
                chunk(b"fcTL", struct.pack(">IIIIIHHBB", 2 * i, 8, 8, 0, 0, 1, 9, 0, 0))
                + chunk(b"fdAT", _number(2 * i + 1))
                for i in range(n)
            )
        ),
        N // 4,
    ),
    "apng without its animation": (apng.still, lambda n: chunks(n, b"prVt"), N),
    "png without short chunks": (apng.without_short_chunks, lambda n: chunks(n, b"gAMA"), N),
    "png colours": (png_coding, lambda n: chunks(n, b"prVt"), N),
    "png empty data": (quietly(read), lambda n: chunks(n, b"IDAT", at=PNG.index(b"IDAT") - 4), 4 * N),
    "gif comments": (quietly(read), lambda n: blocks(n, b"\x21\xfe\x03abc\0"), N),
    "gif one comment": (quietly(read), lambda n: blocks(1, b"\x21\xfe" + b"\x01a" * n + b"\0"), 20 * N),
    "gif frames": (quietly(read), lambda n: blocks(n, GIF[GIF.index(b",") : -1]), N),
    "gif blocks": (gif.parse, lambda n: blocks(n, b"\x21\xfe\x01a\0"), 10 * N),
    "webp chunks": (quietly(read), riff, N),
    "webp lossless": (metadata.webp_is_lossless, lambda n: WEBP[:12] + b"prVt\0\0\0\0" * n, 10 * N),
    "webp alpha": (metadata.webp_with_alpha, lambda n: WEBP[:12] + b"VP8X" + bytes(8 * n), 10 * N),
    "jpeg xl boxes": (metadata.jxl_size, lambda n: b"\0\0\0\x08free" * n + b"\xff\x0a" + bytes(12), 10 * N),
    "jpeg xl animated": (
        metadata.jxl_is_animated,
        lambda n: b"\0\0\0\x08free" * n + b"\xff\x0a" + bytes(12),
        10 * N,
    ),
    "nclx boxes": (nclx_coding, lambda n: boxed(b"\0\0\0\x08colr" * n, b"ipco", b"iprp", b"meta"), 10 * N),
    "carried sizes": (metadata.carried_sizes, lambda n: b"\x89PNG\r\n\x1a\n" * n, 40 * N),
    "tiff tags": (quietly(read), directory, N),
    "tiff pages": (quietly(read), pages, N),
    "card": (quietly(card), lambda n: b'{"config":' + b"[" * n, 100 * N),
}


@pytest.mark.parametrize("case", CASES)
def test_time_is_linear(case):
    work, make, n = CASES[case]
    few, many = make(n), make(4 * n)
    work(few)

    def seconds(data: bytes) -> float:
        begin = time.process_time()
        work(data)
        return time.process_time() - begin

    # What is quadratic misses it by half a second at least; noise of a busy machine does not make it up.
    for _ in range(5):
        small, large = (min(seconds(data) for _ in range(3)) for data in (few, many))
        if large <= 8 * small + 0.01:
            return
    pytest.fail(f"{len(few):,} bytes take {small:.3f} s and {len(many):,} bytes {large:.3f} s")


def test_every_function_over_bytes_is_timed():
    timed = {work for work, _, _ in CASES.values()}
    for name, function in inspect.getmembers(metadata, inspect.isfunction):
        first = next(iter(inspect.signature(function).parameters.values()), None)
        if function.__module__ == metadata.__name__ and first is not None and first.annotation == "bytes":
            assert function in timed or name.startswith("_"), name


@pytest.mark.parametrize(
    "make",
    [
        lambda n: segments(n),
        lambda n: segments(n // 1000, b"Exif\0\0"),
        lambda n: JPEG[:2] + b"\xff" * 10 * n + JPEG[2:],
        lambda n: chunks(n, b"prVt"),
        lambda n: chunks(10 * n, b"IDAT", at=PNG.index(b"IDAT") - 4),
        lambda n: blocks(10 * n, b"\x21\xfe\0"),
        lambda n: blocks(1, b"\x21\xfe" + b"\x01a" * 10 * n + b"\0"),
        lambda n: riff(n),
        lambda n: TIFF + directories(n // 1000, 3000),
        jp2,
        psd,
        lambda n: chunks(n // 1000, b"iCCP", b"p\0\0" + zlib.compress(bytes(9))),
        lambda n: b"P3\n" + b"#\n" * n + b"1 1\n255\n1 2 3\n",
        lambda n: b"P6\n1 1" + b" " * n + b"255\n123",
    ],
    ids=[
        "segments",
        "exif",
        "fill",
        "chunks",
        "idat",
        "extensions",
        "blocks",
        "riff",
        "tiff",
        "jp2",
        "psd",
        "profiles",
        "comments",
        "spaces",
    ],
)
def test_more_parts_than_any_program_writes_are_refused_by_a_count(make, monkeypatch):
    assert read(make(1000)).frames
    data = make(structure.MAX_PARTS + 1)

    def fail(*_):
        pytest.fail("a decoder was given it")

    monkeypatch.setattr(Image, "OPEN", dict.fromkeys(Image.OPEN, (fail, None)))
    with pytest.raises(SakugaError, match="cut into more parts than any program writes: do not trust it"):
        read(data)


def test_pages_that_share_much_are_refused_before_it_is_read_for_each():
    data = TIFF + directories(40, 100, 100_000) + bytes(100_000)
    with pytest.raises(SakugaError, match="more parts than any program writes"):
        structure.count_frames(data, "a")
    assert structure.count_frames(TIFF + directories(40, 10, 100_000) + bytes(100_000), "a") == 41


def test_a_tiff_of_more_strips_than_any_program_writes_is_refused():
    for many in (100, structure.MAX_PIECES + 1):
        places = struct.pack("<HHII", 273, 4, many, 8)
        entries = _ENTRIES.replace(struct.pack("<HHII", 273, 4, 1, 8), places)
        data = TIFF[:72] + struct.pack("<H", len(_PAGE) + 1) + entries + bytes(4) + bytes(4 * many)
        if many == 100:
            assert structure.count_frames(data, "a") == 1
        else:
            with pytest.raises(SakugaError, match="cut into more parts than any program writes"):
                structure.count_frames(data, "a")


def test_exif_of_more_than_any_camera_writes_is_left_out():
    for bytes_over, kept in ((0, True), (1, False)):
        exif = rationals((metadata.MAX_EXIF_BYTES - 32) // 8)
        padding = bytes(metadata.MAX_EXIF_BYTES - 6 - len(exif) + bytes_over)  # Pillow puts six bytes before it
        picture = read(chunks(1, b"eXIf", exif + padding))
        assert (picture.exif is not None) == kept


@pytest.mark.parametrize("within", [False, True])
def test_a_tiff_of_more_numbers_than_any_program_writes_is_refused(within):
    """Pillow makes an object of each, also of those in the directory of EXIF that an entry names."""
    at = 8 + 64 + 2 + 12 * (len(_PAGE) + 2) + 4
    for many in (100, structure.MAX_PARTS + 1):
        behind = struct.pack("<HHHIII", 1, 40000, 5, many, at + 18, 0) if within else b""
        entry = struct.pack("<HHII", 0x8769, 4, 1, at) if within else struct.pack("<HHII", 40000, 5, many, at)
        page = struct.pack("<H", len(_PAGE) + 2) + _ENTRIES + entry + bytes(4)
        data = TIFF[:72] + page + behind + struct.pack("<II", 1, 2) * many
        if many == 100:
            assert read(data).exif
        else:
            with pytest.raises(SakugaError, match="cut into more parts than any program writes"):
                read(data)


def test_more_pictures_within_a_file_than_any_program_writes():
    with pytest.raises(SakugaError, match="more pictures than any program writes"):
        metadata.carried_sizes(b"\xff\x4f\xff\x51" + (bytes(12) + b"\xff\x4f\xff\x51") * 100_001 + bytes(12))


@pytest.mark.parametrize("make", [pages, lambda n: blocks(n, GIF[GIF.index(b",") : -1]), lambda n: chunks(n, b"fcTL")])
def test_frames_beyond_the_limit_are_not_counted(make):
    data = make(9_999)
    assert structure.count_frames(data, "a") in (9_999, 10_000)
    with pytest.raises(TooLargeError, match=r"a has more than 10,000 frames: make a video of it first"):
        structure.count_frames(make(10_002), "a")

    class Counting(bytes):
        """Notices how far it is read."""

        far = 0

        def __getitem__(self, at):
            Counting.far = max(Counting.far, at.stop if isinstance(at, slice) else at)
            return super().__getitem__(at)

    if data.startswith(b"GIF"):
        with pytest.raises(TooLargeError):
            structure.count_frames(Counting(make(100_000)), "a")
        assert Counting.far < len(data) + 1000
