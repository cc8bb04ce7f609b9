"""HEIC and JPEG XL, which Pillow reads with plugins of their own."""

import struct
from pathlib import Path

import numpy as np
import pytest
from drawn import RGB8, save, smooth
from PIL import Image

from sakuga import picture as si
from sakuga.errors import FormatError, SakugaError
from sakuga.picture import metadata

HEIC = struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(40)
JXL = b"\0\0\0\x0cJXL \r\n\x87\n" + struct.pack(">I", 20) + b"ftypjxl \0\0\0\0jxl "


@pytest.mark.parametrize(
    ("data", "module", "sentence"),
    [
        (HEIC, "pillow_heif", r"x is a HEIC: pip install \"sakuga\[heic\]\" to read it"),
        (JXL, "pillow_jxl", r"x is a JPEG XL: pip install \"sakuga\[jxl\]\" to read it"),
        (b"\xff\x0a" + bytes(40), "pillow_jxl", r"x is a JPEG XL: pip install \"sakuga\[jxl\]\" to read it"),
    ],
)
def test_what_is_missing_is_named(data: bytes, module: str, sentence: str, tmp_path: Path, monkeypatch) -> None:
    for format in ("HEIF", "JXL"):
        monkeypatch.delitem(Image.OPEN, format, raising=False)
    monkeypatch.setitem(__import__("sys").modules, module, None)
    monkeypatch.chdir(tmp_path)
    Path("x").write_bytes(data)
    for look in (si.read, si.read_header):
        with pytest.raises(FormatError, match=sentence):
            look("x")


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_heic_is_turned_once(orientation: int) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "maker"
    pixels = np.kron(smooth(20, 30), np.ones((8, 8, 1), np.uint8))
    data = save(Image.fromarray(pixels), "HEIF", exif=exif.tobytes(), quality=95)
    Image.OPEN.pop("HEIF")  # as before the first one is read
    expected = {1: pixels, 3: pixels[::-1, ::-1], 6: np.rot90(pixels, -1), 8: np.rot90(pixels)}[orientation]
    picture = si.read(data)
    (frame,) = picture.frames
    assert frame.rgb.shape == expected.shape == (*si.read_header(data)[2:0:-1], 3)
    assert np.abs(frame.rgb.astype(int) - expected).mean() < 4
    assert picture.format == "HEIF"
    assert picture.exif is not None
    tags = Image.Exif()
    tags.load(picture.exif)
    assert (tags.get(0x0112, 1), tags[0x010F]) == (1, "maker")
    assert si.extension(picture.format) == ".png"


def test_a_heic_of_several_pictures_says_so() -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    one = Image.fromarray(smooth(64, 64))
    picture = si.read(save(one, "HEIF", save_all=True, append_images=[one, one]))
    assert len(picture.frames) == 1
    assert picture.note == "it holds 3 pictures, of which the main one alone is taken: export the others first"
    assert si.read(save(one, "HEIF")).note == ""


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("packed", [False, True])
def test_a_jpeg_xl_is_turned_once(orientation: int, packed: bool, tmp_path: Path) -> None:
    pytest.importorskip("pillow_jxl")
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.kron(smooth(20, 30), np.ones((8, 8, 1), np.uint8))
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif.tobytes(), quality=95, subsampling=0)
    with Image.open(tmp_path / "a.jpg") as jpeg:
        source = jpeg if packed else Image.fromarray(pixels)
        source.save(tmp_path / "a.jxl", lossless=True, lossless_jpeg=packed, exif=exif.tobytes())
    frame = si.read(tmp_path / "a.jxl").frames[0]
    shown = np.rot90(pixels, -1) if packed and orientation == 6 else pixels
    assert frame.rgb.shape == shown.shape
    assert np.abs(frame.rgb.astype(int) - shown).mean() < 4
    with pytest.raises(SakugaError, match=r"240x160 pixels.*limit of 100"):
        si.read(tmp_path / "a.jxl", max_pixels=100)
    assert metadata.jxl_size((tmp_path / "a.jxl").read_bytes()) == (240, 160)


@pytest.mark.parametrize(
    "size", [(8, 8), (256, 256), (12, 10), (400, 300), (640, 360), (1000, 1), (513, 9000), (30000, 7)]
)
def test_the_size_of_a_jpeg_xl(size: tuple[int, int]) -> None:
    pytest.importorskip("pillow_jxl")
    for container in (False, True):
        data = save(Image.new("L", size), "JXL", effort=1, use_container=container)
        assert metadata.jxl_size(data) == size


@pytest.mark.parametrize("data", [b"", JXL, JXL + struct.pack(">I4s", 20, b"jxlc") + bytes(12), JXL + bytes(20)])
def test_a_jpeg_xl_without_a_codestream(data: bytes) -> None:
    with pytest.raises(ValueError, match="no codestream"):
        metadata.jxl_size(data)


def test_the_size_of_a_jpeg_xl_bit_by_bit() -> None:
    """A height of 8 (5 + 1) from the short form, and a width 4/3 of it."""
    bits = 1 | 5 << 1 | 3 << 6
    assert metadata.jxl_size(b"\xff\x0a" + bits.to_bytes(2, "little")) == (64, 48)
    bits = 0 | 1 << 1 | 4999 << 3 | 0 << 16 | 2 << 19 | 70000 << 21  # 13 bits, no ratio, 18 bits
    assert metadata.jxl_size(b"\xff\x0a" + bits.to_bytes(8, "little")) == (70001, 5000)


def test_an_avif_of_a_general_brand_needs_no_extra() -> None:
    data = save(Image.fromarray(RGB8), "AVIF")
    assert si.read(data.replace(b"ftypavif", b"ftypmif1", 1)).format == "AVIF"


@pytest.mark.parametrize(
    ("fields", "animated"),
    [
        ("1", False),  # all as usual
        ("00", False),
        ("01" + "000" + "0" + "0" + "1", True),
        ("01" + "000" + "0" + "0" + "0", False),
        ("01" + "101" + "1" + "100000" + "001" + "0" + "1", True),  # turned, and to be shown at another size
        ("01" + "000" + "0" + "1" + "1", False),  # it has a preview
    ],
)
def test_the_header_of_a_jpeg_xl_tells_whether_it_moves(fields: str, animated: bool) -> None:
    """Bits in the order in which they are read; 8x8 pixels: small, 5 bits of height, a ratio of 1."""
    bits = "1" + "00000" + "100" + fields
    number = sum(int(bit) << place for place, bit in enumerate(bits))
    assert metadata.jxl_is_animated(b"\xff\x0a" + number.to_bytes(12, "little")) is animated


def test_an_animated_jpeg_xl_says_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pillow_jxl")
    data = save(Image.fromarray(RGB8), "JXL", effort=1)
    assert si.read(data).note == ""
    monkeypatch.setattr(metadata, "jxl_is_animated", lambda data: True)
    assert "its first picture alone is taken" in si.read(data).note
