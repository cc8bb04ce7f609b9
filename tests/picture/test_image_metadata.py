"""EXIF, XMP, profiles, resolution and quality are kept or applied."""

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from drawn import (
    AVIF,
    GRAY8,
    RGB8,
    RGBA,
    SRGB,
    THREE,
    black_only_profile,
    camera_exif,
    chunk,
    closeness,
    linear_gray_profile,
    png16,
    save,
    stored,
)
from PIL import Image

from sakuga import picture as si
from sakuga.picture import Frame


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF", AVIF])
@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "TIFF", AVIF])
def test_exif_icc_and_xmp_are_kept(source: str, target: str) -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a b="kept"/></x:xmpmeta>'
    exif, options = camera_exif(), {"icc_profile": SRGB}
    if source == "TIFF":
        exif[700] = packet
    elif source == "PNG":
        from PIL import PngImagePlugin

        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", packet.decode())
    else:
        options["xmp"] = packet
    data = save(Image.fromarray(stored(RGB8, 6)), source, exif=exif.tobytes(), **options)
    written = Image.open(io.BytesIO(si.encode(si.read(data), target)))
    written.load()
    assert written.info["icc_profile"] == SRGB
    xmp = written.info.get("xmp") or written.info.get("XML:com.adobe.xmp")
    assert (xmp if isinstance(xmp, bytes) else xmp.encode()) == packet
    kept = written.getexif()
    assert (kept[0x010F], kept[0x8298]) == ("Maker", "(c) somebody")
    inner, gps = kept.get_ifd(0x8769), kept.get_ifd(0x8825)
    assert (inner[0x9003], inner[0x927C]) == ("2024:05:06 07:08:09", b"note" * 20)
    assert (inner[0xA002], inner[0xA003]) == (17, 12)
    assert (gps[1], gps[3]) == ("N", "E")
    assert [float(value) for value in (*gps[2], *gps[4])] == [35, 41, 22.5, 139, 41, 30.25]


def test_how_a_tiff_stored_its_pixels_is_not_kept() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    picture = si.read(save(Image.fromarray(RGB8), "TIFF", exif=exif, compression="tiff_lzw", icc_profile=SRGB))
    written = Image.open(io.BytesIO(si.encode(picture, "JPEG")))
    assert dict(written.getexif()) == {0x010F: "Maker"}


def test_the_note_of_the_size_follows_the_picture() -> None:
    picture = si.read(save(Image.fromarray(RGB8), "JPEG", exif=camera_exif()))
    assert picture.frames[0].rgb.shape == (17, 12, 3)
    small = replace(picture, frames=[Frame(picture.frames[0].rgb[:6, :5])])
    inner = Image.open(io.BytesIO(si.encode(small))).getexif().get_ifd(0x8769)
    assert (inner[0xA002], inner[0xA003]) == (5, 6)


def test_the_thumbnail_of_the_original_is_not_kept() -> None:
    thumbnail = save(Image.new("RGB", (16, 16), "red"), "JPEG")
    ifd0 = struct.pack("<H", 1) + struct.pack("<HHI4s", 0x0131, 2, 4, b"abc\0") + struct.pack("<I", 26)
    ifd1 = (
        struct.pack("<H", 2)
        + struct.pack("<HHII", 0x0201, 4, 1, 56)
        + struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail))
    )
    raw = b"Exif\0\0II*\0\x08\0\0\0" + ifd0 + ifd1 + struct.pack("<I", 0) + thumbnail
    data = save(Image.fromarray(RGB8), "JPEG", exif=raw)
    assert thumbnail in data
    written = si.encode(si.read(data))
    assert thumbnail not in written
    assert Image.open(io.BytesIO(written)).getexif()[0x0131] == "abc"


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff12"]
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_broken_exif_does_not_cost_the_picture(exif: bytes) -> None:
    data = save(Image.fromarray(RGB8), "JPEG", quality=95, exif=exif)
    picture = si.read(data)
    assert picture.frames[0].rgb.shape == RGB8.shape
    assert si.read(si.encode(picture, "TIFF")).frames[0].rgb.shape == RGB8.shape


def test_metadata_too_long_for_jpeg() -> None:
    exif = camera_exif()
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09", 0x927C: b"x" * 70000}
    picture = replace(si.read(save(Image.fromarray(RGB8), "PNG", exif=exif)), xmp=b"x" * 70000)
    kept = Image.open(io.BytesIO(si.encode(picture, "JPEG"))).getexif().get_ifd(0x8769)
    assert kept == {0x9003: "2024:05:06 07:08:09"}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_resolution_is_kept(format: str) -> None:
    written = Image.open(io.BytesIO(si.encode(si.read(save(Image.fromarray(RGB8), format, dpi=(300, 150))))))
    assert tuple(round(float(value)) for value in written.info["dpi"]) == (300, 150)


def srgb_of_linear(value: float) -> float:
    return 255 * (12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("alpha", [False, True])
def test_gray_profile_is_applied_and_dropped(depth: int, alpha: bool) -> None:
    icc = linear_gray_profile()
    top, dtype = (255, np.uint8) if depth == 8 else (65535, np.uint16)
    values = np.rint(np.array([[0, 0.05, 0.2, 0.5, 1]]) * top).astype(dtype)
    channels = np.dstack([values, np.full_like(values, top // 2)]) if alpha else values[..., None]
    if depth == 16:
        data = png16(channels, chunk(b"iCCP", b"x\0\0" + zlib.compress(icc)))
    else:
        data = save(Image.fromarray(channels.squeeze(2) if not alpha else channels), "PNG", icc_profile=icc)
    picture = si.read(data)
    expected = np.array([srgb_of_linear(value / top) for value in values[0]])
    rgb = picture.frames[0].rgb[0] / (1 if depth == 8 else 257)
    # 16 bits are interpolated between 256 values: the curve's steep foot costs a little more than rounding.
    np.testing.assert_allclose(rgb, np.repeat(expected[:, None], 3, axis=1), atol=1.01)
    assert picture.icc is None
    assert "icc_profile" not in Image.open(io.BytesIO(si.encode(picture, "PNG"))).info


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_goes_through_its_profile(format: str) -> None:
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[:8, :, 0] = 255  # cyan above, black below
    ink[8:, :, 3] = 255
    image = Image.fromarray(ink, "CMYK")
    plain = si.read(save(image, format)).frames[0].rgb
    assert closeness(plain[:8], np.broadcast_to(np.array([0, 255, 255], np.uint8), (8, 16, 3))) < 4
    picture = si.read(save(image, format, icc_profile=black_only_profile()))
    assert picture.frames[0].rgb[:8].min() > 250
    assert picture.frames[0].rgb[8:].max() < 5
    assert picture.icc is None


def test_a_profile_that_does_not_fit_is_dropped() -> None:
    for icc in (black_only_profile(), b"not a profile", linear_gray_profile()):
        picture = si.read(save(Image.fromarray(RGB8), "PNG", icc_profile=icc))
        assert picture.icc is None
        np.testing.assert_array_equal(picture.frames[0].rgb, RGB8)
    gray = save(Image.fromarray(GRAY8), "PNG", icc_profile=linear_gray_profile()[:140].ljust(400, b"\0"))
    np.testing.assert_array_equal(si.read(gray).frames[0].rgb, THREE)


@pytest.mark.parametrize("quality", [30, 50, 75, 88, 95, 100])
def test_jpeg_quality_is_estimated(quality: int) -> None:
    picture = si.read(save(Image.fromarray(RGB8), "JPEG", quality=quality))
    assert picture.quality is not None
    assert abs(picture.quality - quality) <= 1
    written = Image.open(io.BytesIO(si.encode(picture)))
    reference = Image.open(io.BytesIO(save(Image.fromarray(RGB8), "JPEG", quality=max(picture.quality, 85))))
    assert written.quantization == reference.quantization
    assert [layer[1:3] for layer in written.layer] == [(1, 1)] * 3  # chroma at full size


@pytest.mark.parametrize("options", [{}, {"exif": camera_exif()}, {"icc_profile": SRGB}])
def test_lossless_webp_stays_lossless(options: dict[str, object]) -> None:
    assert si.read(save(RGBA, "WEBP", lossless=True, **options)).lossless
    assert not si.read(save(RGBA, "WEBP", lossless=False, **options)).lossless
    frames = [Image.fromarray(np.roll(RGB8, 3 * i, axis=1)) for i in range(3)]
    for lossless in (True, False):
        data = save(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=lossless, **options)
        assert si.read(data).lossless is lossless
