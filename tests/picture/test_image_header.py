"""The header of a picture tells the size that reading it gives, whichever way it lies."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from drawn import AVIF, RGB8, animation, chunk, save
from PIL import Image

from sakuga import picture as si

ASCII, SHORT = 2, 3


def tiff(orientation: Any, kind: int = SHORT) -> bytes:
    """A TIFF of 30x20 pixels whose orientation has any value of a type."""
    value = struct.pack("<I", orientation) if kind == SHORT else orientation.ljust(4, b"\0")
    tags = [(256, 3, 30), (257, 3, 20), (258, 3, 8), (262, 3, 1), (273, 3, 110), (277, 3, 1), (279, 3, 600)]
    entries = [struct.pack("<HHII", tag, short, 1, number) for tag, short, number in tags[:5]]
    entries += [struct.pack("<HHI", 274, kind, 1 if kind == SHORT else len(orientation)) + value]
    entries += [struct.pack("<HHII", tag, short, 1, number) for tag, short, number in tags[5:]]
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4)
    return head + bytes(110 - len(head)) + bytes(range(256)) * 2 + bytes(88)


@pytest.mark.parametrize("orientation", [*range(1, 10), 0, 65535, b"6\0", b"abc\0"])
def test_a_tiff_is_turned_once(orientation: int | bytes) -> None:
    data = tiff(orientation, SHORT if isinstance(orientation, int) else ASCII)
    size = (20, 30) if orientation in (5, 6, 7, 8) else (30, 20)
    assert si.read_header(data) == ("TIFF", *size, 1)
    assert si.read_rgb(data).shape == (*size[::-1], 3)


def test_a_tiff_that_says_in_xmp_alone_how_it_lies() -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    data = save(Image.new("RGB", (30, 20)), "TIFF", tiffinfo={700: packet})
    assert si.read_header(data) == ("TIFF", 20, 30, 1)
    assert si.read_rgb(data).shape == (30, 20, 3)
    both = save(Image.new("RGB", (30, 20)), "TIFF", tiffinfo={700: packet, 274: 6})
    assert si.read_header(both) == ("TIFF", 20, 30, 1)
    assert si.read_rgb(both).shape == (30, 20, 3)


@pytest.mark.parametrize("orientation", [*range(1, 10), 0, 65535, b"6\0", b"abc\0"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", AVIF])
def test_other_formats_lie_as_their_exif_says(format: str, orientation: int | bytes) -> None:
    exif = b"Exif\0\0" + tiff(orientation, SHORT if isinstance(orientation, int) else ASCII)
    if format == "AVIF" and isinstance(orientation, bytes):
        pytest.skip("Pillow cannot write it")
    data = save(Image.new("RGB", (30, 20)), format, exif=exif)
    size = (20, 30) if orientation in (5, 6, 7, 8) else (30, 20)
    assert si.read_header(data) == (format, *size, 1)
    assert si.read_rgb(data).shape == (*size[::-1], 3)


def test_a_png_is_not_decoded_unless_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, exif = Image.new("RGB", (30, 20)), b"Exif\0\0" + tiff(6)
    behind = save(plain, "PNG")
    at = behind.rindex(b"IEND") - 4
    behind = behind[:at] + chunk(b"eXIf", exif[6:]) + behind[at:]
    assert si.read_header(behind) == ("PNG", 20, 30, 1)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load_prepare", None)
    assert si.read_header(save(plain, "PNG")) == ("PNG", 30, 20, 1)
    assert si.read_header(save(plain, "PNG", exif=exif)) == ("PNG", 20, 30, 1)


@pytest.mark.parametrize("format", ["BMP", "PPM", "TGA", "JPEG2000", "PCX", "ICO", "ICNS", "DIB", "SGI", "DDS"])
def test_formats_without_exif(format: str) -> None:
    data = save(Image.new("RGB", (32, 32), "red"), format)
    _, width, height, _ = si.read_header(data)
    assert si.read_rgb(data).shape == (height, width, 3)


def test_an_icon_whose_header_lies() -> None:
    data = bytearray(save(Image.new("RGB", (32, 32), "red"), "ICO", sizes=[(32, 32)]))
    data[6:8] = 48, 16  # what the directory says of the PNG in it
    _, width, height, _ = si.read_header(bytes(data))
    assert si.read_rgb(bytes(data)).shape == (height, width, 3) == (32, 32, 3)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", AVIF])
def test_frames_are_counted_and_the_first_is_the_picture(format: str) -> None:
    data = animation(format)
    assert si.read_header(data) == (format, 30, 20, 3)
    (frame,) = si.read(data, still=True).frames
    np.testing.assert_array_equal(frame.rgb, si.read(data).frames[0].rgb)


def test_white_behind_what_is_transparent() -> None:
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 3] = 255, 0, 51  # 51 / 255 = 0.2
    np.testing.assert_array_equal(si.read_rgb(rgba)[0, :, 0], [0, 255, 204])


def test_a_draft_is_small_and_not_too_small() -> None:
    large = np.kron(RGB8, np.ones((40, 40, 1), np.uint8))
    data = save(Image.fromarray(large), "JPEG")
    height, width = si.read_rgb(data, draft=100).shape[:2]
    assert min(height, width) >= 100
    assert max(height, width) < max(large.shape)
    out = io.BytesIO()
    Image.fromarray(large).save(out, "PNG")
    assert si.read_rgb(out.getvalue(), draft=100).shape == large.shape
