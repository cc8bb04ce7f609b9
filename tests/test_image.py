"""Pictures in and out. Expected pixels are derived here from the definitions or decoded by FFmpeg."""

import errno
import io
import os
import struct
import threading
import warnings
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from sakuga import image as si
from sakuga.errors import SakugaError, UsageError
from sakuga.image import Frame, Picture

AVIF = pytest.param("AVIF", marks=pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF"))
ALL = ["JPEG", "PNG", "WEBP", "TIFF", AVIF, "GIF"]
LOSSLESS = ["PNG", "WEBP", "TIFF"]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def save(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def smooth(height: int, width: int, channels: int = 3, dtype: type = np.uint8) -> np.ndarray:
    """Gradients with one phase a channel: lossy formats keep them, and no two orientations look alike."""
    y, x = np.mgrid[:height, :width]
    ramps = [(y + 1) / (height + 1), (x + 1) / (width + 1), (x + 2 * y + 1) / (width + 2 * height + 1)]
    ramps.append(1 - ramps[1])
    return np.rint(np.dstack(ramps[:channels]) * np.iinfo(dtype).max).astype(dtype)


def closeness(a: np.ndarray, b: np.ndarray) -> float:
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png16(values: np.ndarray, *extra: bytes) -> bytes:
    """A 16-bit PNG (H, W, C) written by the specification."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def profile(space: bytes, tags: dict[bytes, bytes], pcs: bytes) -> bytes:
    """An ICC version 2 profile written by the specification."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    tags = {b"wtpt": white, **tags}
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", at, len(data))
        body, at = body + data, at + len(data)
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    head = struct.pack(">I", at) + b"lcms" + struct.pack(">I", 0x02100000) + kind + space + pcs + b"\0" * 12 + b"acsp"
    head += b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def linear_gray_profile() -> bytes:
    return profile(b"GRAY", {b"kTRC": b"curv" + b"\0" * 4 + struct.pack(">I", 0)}, b"XYZ ")


def black_only_profile() -> bytes:
    """A press on which only the black ink prints: any cyan, magenta and yellow look white."""
    identity = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut += identity * 4 + bytes([255, 128, 128, 0, 128, 128] * 8) + identity * 3
    return profile(b"CMYK", {b"A2B0": lut}, b"Lab ")


# ---------------------------------------------------------------------------------------------------------- modes

RGB8 = smooth(12, 17)
GRAY8 = RGB8[..., 0]
ALPHA8 = (np.arange(12 * 17).reshape(12, 17) % 256).astype(np.uint8)  # 0 once, then every other value
BITS = GRAY8 > 127
THREE = np.repeat(GRAY8[..., None], 3, axis=2)


def palette_image(transparent: bool) -> Image.Image:
    image = Image.fromarray((GRAY8 // 32).astype(np.uint8))
    image.putpalette([value for i in range(8) for value in (i * 30, 255 - i * 30, i * 7)])
    if transparent:
        image.info["transparency"] = bytes([255, 0, 40, 255, 255, 255, 255, 200])
    return image


PALETTE_RGB = np.stack([GRAY8 // 32 * 30, 255 - GRAY8 // 32 * 30, GRAY8 // 32 * 7], axis=2).astype(np.uint8)
PALETTE_ALPHA = np.array([255, 0, 40, 255, 255, 255, 255, 200], np.uint8)[GRAY8 // 32]
RGBA = Image.fromarray(np.dstack([RGB8, ALPHA8]))
CASES = {
    "1": (Image.fromarray(BITS), ["PNG", "TIFF", "GIF", "BMP", "WEBP"], np.repeat(BITS[..., None] * 255, 3, 2), None),
    "L": (Image.fromarray(GRAY8), ["PNG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000"], THREE, None),
    "LA": (Image.fromarray(np.dstack([GRAY8, ALPHA8])), ["PNG", "TIFF", "WEBP"], THREE, ALPHA8),
    "P": (palette_image(False), ["PNG", "TIFF", "GIF", "BMP", "WEBP"], PALETTE_RGB, None),
    "P transparent": (palette_image(True), ["PNG", "WEBP"], PALETTE_RGB, PALETTE_ALPHA),
    "RGB": (Image.fromarray(RGB8), ["PNG", "TIFF", "BMP", "WEBP", "PPM", "TGA", "JPEG2000"], RGB8, None),
    "RGBA": (RGBA, ["PNG", "TIFF", "WEBP", "TGA", "ICO"], RGB8, ALPHA8),
    "CMYK": (Image.fromarray(np.dstack([255 - RGB8, 0 * GRAY8]), "CMYK"), ["TIFF"], RGB8, None),
}


@pytest.mark.parametrize(("mode", "format"), [(mode, f) for mode, case in CASES.items() for f in case[1]])
def test_modes_read_exactly(mode: str, format: str) -> None:
    image, _, rgb, alpha = CASES[mode]
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    if format == "ICO":
        options = {"sizes": [image.size]}
    if format == "JPEG2000":
        options = {"irreversible": False}
    (frame,) = si.read(save(image, format, **options)).frames
    assert frame.rgb.dtype == np.uint8
    assert frame.rgb.flags["C_CONTIGUOUS"]
    if alpha is None:
        assert frame.alpha is None
        np.testing.assert_array_equal(frame.rgb, rgb)
    else:
        np.testing.assert_array_equal(frame.alpha, alpha)
        np.testing.assert_array_equal(frame.rgb[alpha > 0], rgb[alpha > 0])


@pytest.mark.parametrize("mode", ["RGBa", "La", "YCbCr", "HSV", "LAB", "PA", "RGBX", "I", "I;16", "I;16B"])
def test_modes_of_pillow_images(mode: str) -> None:
    """Modes that hardly a file has: what Pillow shows as RGB or RGBA is what is read, within its rounding."""
    if mode.startswith("I"):
        values = smooth(12, 17, 1, np.uint16)[..., 0]
        image = Image.fromarray(values.astype({"I": np.int32, "I;16": "<u2", "I;16B": ">u2"}[mode]))
        assert image.mode == mode
        (frame,) = si.read(image).frames
        np.testing.assert_array_equal(frame.rgb, np.repeat(values[..., None], 3, axis=2))
        return
    source = RGBA if mode in ("RGBa", "PA") else Image.fromarray(np.dstack([GRAY8, ALPHA8]))
    if mode in ("YCbCr", "HSV", "RGBX", "LAB"):
        source = Image.fromarray(RGB8)
    if mode == "LAB":
        rgb = Image.fromarray(RGB8)
        lab = ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(rgb, ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    elif mode == "PA":
        image = palette_image(False).convert("PA")
        image.putalpha(Image.fromarray(ALPHA8))
        source = Image.fromarray(np.dstack([PALETTE_RGB, ALPHA8]))
    else:
        image = source.convert(mode)
    assert image.mode == mode
    (frame,) = si.read(image).frames
    expected = np.asarray(source.convert("RGBA"))
    if mode in ("RGBa", "La", "PA"):
        np.testing.assert_array_equal(frame.alpha, ALPHA8)
        high = ALPHA8 > 127  # premultiplying rounds low alphas away
        assert np.abs(frame.rgb[high].astype(int) - expected[high][:, :3]).max() <= 2
    else:
        assert frame.alpha is None
        assert closeness(frame.rgb, expected[..., :3]) < 2


@pytest.mark.parametrize("mode", CASES)
@pytest.mark.parametrize("format", ALL)
def test_every_mode_is_written_in_every_format(mode: str, format: str) -> None:
    """Through `encode` and back: the size, the alpha and, as far as the format allows, the colour."""
    image = CASES[mode][0]
    picture = si.replace(si.read(image), lossless=True)
    before = picture.frames[0]
    result = si.read(si.encode(picture, format))
    assert result.format == format
    (after,) = result.frames
    assert after.rgb.shape == before.rgb.shape
    if format == "JPEG":
        assert after.alpha is None
        share = 1 if before.alpha is None else before.alpha[..., None] / 255
        expected = np.rint(before.rgb * share + 255 * (1 - share)).astype(np.uint8)
        assert closeness(after.rgb, expected) < (20 if before.alpha is not None or mode == "1" else 4)
        return
    if before.alpha is None:
        assert after.alpha is None
    elif format == "GIF":
        np.testing.assert_array_equal(after.alpha, np.where(before.alpha < 128, 0, 255))
    else:
        np.testing.assert_array_equal(after.alpha, before.alpha)
    seen = np.full(before.rgb.shape[:2], True) if after.alpha is None else after.alpha > 0
    if format in LOSSLESS:
        np.testing.assert_array_equal(after.rgb[seen], before.rgb[seen])
    else:
        assert closeness(after.rgb[seen], before.rgb[seen]) < 5


def test_arrays() -> None:
    for values in (GRAY8, GRAY8[..., None]):
        np.testing.assert_array_equal(si.read(values).frames[0].rgb, THREE)
    frame = si.read(np.asarray(RGBA)).frames[0]
    np.testing.assert_array_equal(frame.alpha, ALPHA8)
    assert si.read(smooth(2, 3, 4, np.uint16)).frames[0].rgb.dtype == np.uint16
    for bad in (
        np.zeros((4, 4, 3)),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
    ):
        with pytest.raises(UsageError, match="uint8 or uint16"):
            si.read(bad)
    with pytest.raises(UsageError, match="not int"):
        si.read(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="binary"):
        si.read(io.StringIO("text"))  # type: ignore[arg-type]


def test_values_that_have_no_agreed_meaning_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    Image.fromarray(np.ones((3, 3), np.float32)).save(path)
    with pytest.raises(SakugaError, match=r"float\.tif.*floating-point"):
        si.read(path)
    for value in (-1, 65536):
        with pytest.raises(SakugaError, match="32-bit values"):
            si.read(save(Image.fromarray(np.full((2, 2), value, np.int32)), "TIFF"))


# -------------------------------------------------------------------------------------------------------- 16 bits


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_png_is_read_exactly(channels: int) -> None:
    values = smooth(9, 14, channels, np.uint16)
    (frame,) = si.read(png16(values)).frames
    rgb = values[..., :3] if channels > 2 else np.repeat(values[..., :1], 3, axis=2)
    np.testing.assert_array_equal(frame.rgb, rgb)
    if channels in (2, 4):
        np.testing.assert_array_equal(frame.alpha, values[..., -1])
    else:
        assert frame.alpha is None


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_tiff_of_either_byte_order_is_read_exactly(order: str, channels: int) -> None:
    values = smooth(9, 14, channels, np.uint16)
    bits_at = 8 + 2 + 9 * 12 + 4  # behind the header and the directory
    entries = [(256, 3, 1, 14), (257, 3, 1, 9), (258, 3, channels, bits_at), (259, 3, 1, 1), (262, 3, 1, 2)]
    entries += [(273, 4, 1, bits_at + 8), (277, 3, 1, channels), (279, 4, 1, values.nbytes), (338, 3, 1, 2)]
    data = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, 9)
    for tag, kind, count, value in entries:
        data += struct.pack(order + "HHI", tag, kind, count)
        data += struct.pack(order + "HH", value, 0) if (kind, count) == (3, 1) else struct.pack(order + "I", value)
    data += struct.pack(order + "I", 0) + struct.pack(order + "4H", *[16] * 4) + values.astype(order + "u2").tobytes()
    if channels == 3:  # no alpha: the entry becomes one that says nothing
        data = data.replace(struct.pack(order + "HHI", 338, 3, 1), struct.pack(order + "HHI", 296, 3, 1))
    (frame,) = si.read(data).frames
    np.testing.assert_array_equal(frame.rgb, values[..., :3])
    assert (frame.alpha is None) == (channels == 3)
    if frame.alpha is not None:
        np.testing.assert_array_equal(frame.alpha, values[..., 3])


def test_16_bit_transparent_colour_is_compared_in_16_bits() -> None:
    values = np.full((2, 3, 3), 0x1234, np.uint16)
    values[1] += 1
    (frame,) = si.read(png16(values, chunk(b"tRNS", struct.pack(">3H", *[0x1234] * 3)))).frames
    np.testing.assert_array_equal(frame.alpha, [[0] * 3, [65535] * 3])
    (frame,) = si.read(png16(values[..., :1], chunk(b"tRNS", struct.pack(">H", 0x1235)))).frames
    np.testing.assert_array_equal(frame.alpha, [[65535] * 3, [0] * 3])


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bits_are_written_so_that_others_read_them(format: str, channels: int) -> None:
    values = np.random.default_rng(0).integers(1, 65536, (75, 1201, channels), dtype=np.uint16)  # TIFF: two strips
    data = si.encode(si.read(values), format)
    with av.open(io.BytesIO(data)) as container:
        (frame,) = container.decode(video=0)
        decoded = frame.to_ndarray(format="rgb48le" if channels == 3 else "rgba64le")
    np.testing.assert_array_equal(decoded, values)
    again = si.read(data).frames[0]
    np.testing.assert_array_equal(again.rgb, values[..., :3])
    if channels == 4:
        np.testing.assert_array_equal(again.alpha, values[..., 3])


def test_16_bits_become_8_by_rounding_elsewhere() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.rint(values / 257).astype(np.uint8)
    picture = si.replace(si.read(values), lossless=True)
    np.testing.assert_array_equal(si.read(si.encode(picture, "WEBP")).frames[0].rgb[..., 0], expected)
    np.testing.assert_array_equal(np.asarray(si.to_pil(picture))[..., 0], expected)


# ---------------------------------------------------------------------------------------------------- orientation

# EXIF 2.32, tag 0x0112: the side of the scene at which the stored row 0 and column 0 lie.
SIDES = {1: "TL", 2: "TR", 3: "BR", 4: "BL", 5: "LT", 6: "RT", 7: "RB", 8: "LB"}


def stored(scene: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels a camera stores so that a viewer heeding `orientation` shows `scene`."""
    row, column = SIDES[orientation]
    if row in "BR":
        scene = scene[::-1] if row == "B" else scene[:, ::-1]
    if column in "BR":
        scene = scene[::-1] if column == "B" else scene[:, ::-1]
    return np.ascontiguousarray(scene if row in "TB" else scene.swapaxes(0, 1))


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", AVIF])
def test_orientation(format: str, orientation: int) -> None:
    scene = np.full((32, 48, 3), 200, np.uint8)
    scene[:16, :16] = (255, 0, 0)  # top left
    scene[:16, 32:] = (0, 0, 255)  # top right
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    options = {"lossless": True} if format == "WEBP" else {"quality": 95} if format in ("JPEG", "AVIF") else {}
    data = save(Image.fromarray(stored(scene, orientation)), format, exif=exif, **options)
    picture = si.read(data)
    (frame,) = picture.frames
    assert frame.rgb.shape == scene.shape
    assert closeness(frame.rgb, scene) < (4 if format in ("JPEG", "AVIF") else 1e-9)
    assert np.abs(frame.rgb[8, 8].astype(int) - (255, 0, 0)).max() < 12
    assert np.abs(frame.rgb[8, 40].astype(int) - (0, 0, 255)).max() < 12
    for target in ("JPEG", "PNG", "WEBP", "TIFF", *(["AVIF"] if features.check("avif") else [])):
        written = Image.open(io.BytesIO(si.encode(picture, target)))
        assert written.size == (48, 32)
        written.load()
        assert written.getexif().get(0x0112, 1) == 1
        assert written.getexif()[0x010F] == "Maker"
    if format not in ("TIFF", "AVIF"):  # Pillow drops the tag of these; its absence means 1
        assert Image.open(io.BytesIO(si.encode(picture, "JPEG"))).getexif()[0x0112] == 1


def test_orientation_of_pillow_images_16_bits_and_alpha() -> None:
    scene = smooth(5, 8, 4, np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    (frame,) = si.read(png16(stored(scene, 6), chunk(b"eXIf", exif.tobytes()[6:]))).frames
    np.testing.assert_array_equal(np.dstack([frame.rgb, frame.alpha]), scene)
    opened = Image.open(io.BytesIO(save(Image.fromarray(stored(RGB8, 8)), "PNG", exif=b"")))
    opened.info["exif"] = exif.tobytes().replace(b"\0\x06", b"\0\x08")
    np.testing.assert_array_equal(si.read(opened).frames[0].rgb, RGB8)


def test_orientation_given_in_xmp_only() -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="3" b="kept"/></x:xmpmeta>'
    picture = si.read(save(Image.fromarray(stored(RGB8, 3)), "WEBP", lossless=True, xmp=packet))
    np.testing.assert_array_equal(picture.frames[0].rgb, RGB8)
    assert picture.xmp == packet.replace(b'"3"', b'"1"')


# ------------------------------------------------------------------------------------------------------- metadata


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x8298] = "Maker", 6, "(c) somebody"
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09", 0x927C: b"note" * 20, 0xA002: 17, 0xA003: 12}
    exif[0x8825] = {1: "N", 2: (35.0, 41.0, 22.5), 3: "E", 4: (139.0, 41.0, 30.25)}
    return exif


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
    small = si.replace(picture, frames=[Frame(picture.frames[0].rgb[:6, :5])])
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
    picture = si.replace(si.read(save(Image.fromarray(RGB8), "PNG", exif=exif)), xmp=b"x" * 70000)
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


# ---------------------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 2), (4097, 13), (13, 4097)])
@pytest.mark.parametrize("format", ALL)
def test_sizes(format: str, size: tuple[int, int]) -> None:
    values = smooth(*size, 4)
    values[..., 3] = np.where(values[..., 3] < 60, 0, 255)
    for channels in (3, 4):
        picture = si.read(values[..., :channels])
        (frame,) = si.read(si.encode(picture, format)).frames
        assert frame.rgb.shape == (*size, 3)
        if channels == 4 and format != "JPEG":
            given_alpha = np.full(size, 255, np.uint8) if frame.alpha is None else frame.alpha
            np.testing.assert_array_equal(given_alpha, values[..., 3])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "16"]),
    st.sampled_from(["PNG", "WEBP", "TIFF"]),
    st.integers(0, 2**32 - 1),
)
def test_lossless_formats_return_what_was_read(height: int, width: int, mode: str, format: str, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 65536, (height, width, 4), dtype=np.uint16)
    if mode == "16":
        source: np.ndarray | Image.Image = noise
    elif mode == "I;16":
        source = Image.fromarray(noise[..., 0])
    else:
        source = Image.fromarray((noise >> 8).astype(np.uint8)).convert(mode)
    picture = si.replace(si.read(source), lossless=True)
    before, after = picture.frames[0], si.read(si.encode(picture, format)).frames[0]
    if format == "WEBP":
        before = Frame(*(None if each is None else np.asarray(to8(each)) for each in (before.rgb, before.alpha)))
    if before.alpha is None:
        assert after.alpha is None
        np.testing.assert_array_equal(after.rgb, before.rgb)
    else:
        after_alpha = np.full_like(before.alpha, 255) if after.alpha is None else after.alpha  # WebP drops full opacity
        np.testing.assert_array_equal(after_alpha, before.alpha)
        np.testing.assert_array_equal(after.rgb[before.alpha > 0], before.rgb[before.alpha > 0])


def to8(values: np.ndarray) -> np.ndarray:
    return values if values.dtype == np.uint8 else np.rint(values / 257).astype(np.uint8)


def test_size_beyond_what_a_format_holds() -> None:
    wide = si.read(np.zeros((1, 70000, 3), np.uint8))
    for format in ("JPEG", "WEBP", "GIF"):
        with pytest.raises(SakugaError, match=rf"70000x1 pixels cannot be written as {format}.*choose PNG"):
            si.encode(wide, format)
    assert si.read(si.encode(wide, "PNG")).frames[0].rgb.shape == (1, 70000, 3)


# ----------------------------------------------------------------------------------------------------------- alpha


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_is_bled_under_transparency(dtype: type) -> None:
    top = np.iinfo(dtype).max
    values = np.zeros((40, 61, 4), dtype)
    values[..., 1] = top  # green garbage under the transparency
    values[10:20, 10:20] = (top, 0, 0, top)
    values[10:20, 45:55] = (0, 0, top, top)
    frame = si.read(values).frames[0]
    np.testing.assert_array_equal(frame.alpha, values[..., 3])
    seen = values[..., 3] > 0
    np.testing.assert_array_equal(frame.rgb[seen], values[..., :3][seen])
    assert frame.rgb[..., 1].max() == 0  # none of the garbage is left
    assert frame.rgb[15, 8, 0] > 0.9 * top  # red beside the red square
    assert frame.rgb[15, 57, 2] > 0.9 * top  # blue beside the blue one
    sums = frame.rgb.astype(int).sum(axis=2)
    assert np.abs(sums - top).max() <= 2  # mixtures of the two everywhere


def test_nothing_visible_and_nothing_transparent() -> None:
    values = smooth(6, 6, 4)
    for alpha in (0, 255):
        values[..., 3] = alpha
        np.testing.assert_array_equal(si.read(values).frames[0].rgb, values[..., :3])
    assert values.flags.writeable


def test_reading_leaves_the_callers_array_alone() -> None:
    values = smooth(6, 6, 4)
    values[2:, 2:, 3] = 0
    before = values.copy()
    si.read(values)
    np.testing.assert_array_equal(values, before)


# ------------------------------------------------------------------------------------------------------ animations


def moving_square(alpha: bool) -> list[np.ndarray]:
    frames = []
    for i in range(5):
        frame = np.zeros((24, 32, 4 if alpha else 3), np.uint8)
        frame[..., :3] = (10, 200, 30 + i)
        if alpha:
            frame[..., 3] = 0
        frame[4 + i : 12 + i, 3 * i : 3 * i + 8] = (250, 40 * i, 0, 255)[: frame.shape[2]]
        frames.append(frame)
    return frames


DURATIONS = [100, 40, 250, 20, 330]


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("loop", [0, 1, 4])
@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", AVIF])
def test_animations_keep_frames_durations_and_loop(format: str, alpha: bool, loop: int) -> None:
    arrays = moving_square(alpha)
    frames = [
        Frame(si.read(a).frames[0].rgb, a[..., 3] if alpha else None, d) for a, d in zip(arrays, DURATIONS, strict=True)
    ]
    data = si.encode(Picture(frames, "GIF", loop=loop, lossless=True), format)
    again = si.read(data)
    assert [frame.duration for frame in again.frames] == DURATIONS
    assert again.loop == (loop if format != "AVIF" else 0)  # an AVIF does not say
    for frame, values in zip(again.frames, arrays, strict=True):
        seen = np.full(values.shape[:2], True)
        if alpha:
            np.testing.assert_array_equal(frame.alpha, values[..., 3])
            seen = values[..., 3] > 0
        error = np.abs(frame.rgb[seen].astype(int) - values[..., :3][seen])
        assert error.max() == 0 if format != "AVIF" else error.mean() < 5


@pytest.mark.parametrize("disposal", [1, 2, 3])
def test_gif_frames_are_composited(disposal: int) -> None:
    """Frames that Pillow stored as patches with each disposal come out as the whole pictures they were."""
    arrays = moving_square(True)
    images = [Image.fromarray(a) for a in arrays]
    options = {"save_all": True, "append_images": images[1:], "duration": DURATIONS, "disposal": disposal}
    picture = si.read(save(images[0], "GIF", **options))
    reference = Image.open(io.BytesIO(save(images[0], "GIF", **options)))
    assert len(picture.frames) == 5
    assert picture.loop == 1
    for index, frame in enumerate(picture.frames):
        reference.seek(index)
        expected = np.asarray(reference.convert("RGBA"))
        np.testing.assert_array_equal(frame.alpha, expected[..., 3])
        np.testing.assert_array_equal(frame.rgb[frame.alpha > 0], expected[frame.alpha > 0][:, :3])
        if disposal == 2:
            np.testing.assert_array_equal(frame.alpha, arrays[index][..., 3])


def test_gif_palette_is_each_frames_own() -> None:
    frames = [Frame(np.roll(smooth(64, 64), i, axis=2)) for i in range(3)]
    again = si.read(si.encode(Picture([si.replace(f, duration=50) for f in frames], "GIF")))
    for before, after in zip(frames, again.frames, strict=True):
        assert closeness(before.rgb, after.rgb) < 8  # 4096 colours in 255


def test_gif_rounding_does_not_add_up() -> None:
    frames = [Frame(np.full((8, 8, 3), 20 * i, np.uint8), duration=1000 / 30) for i in range(10)]
    again = si.read(si.encode(Picture(frames, "GIF")))
    assert abs(sum(frame.duration for frame in again.frames) - 10 * 1000 / 30) <= 5


def test_apng_stand_in_is_not_a_frame() -> None:
    images = [Image.fromarray(a) for a in moving_square(False)]
    data = save(Image.new("RGB", (32, 24)), "PNG", save_all=True, default_image=True, append_images=images, duration=50)
    picture = si.read(data)
    assert len(picture.frames) == 5
    np.testing.assert_array_equal(picture.frames[0].rgb, np.asarray(images[0]))


def test_still_formats_take_the_first_frame() -> None:
    frames = [Frame(a) for a in moving_square(False)]
    for format in ("TIFF", "JPEG"):
        (frame,) = si.read(si.encode(Picture(frames), format)).frames
        assert closeness(frame.rgb, frames[0].rgb) < 8
    assert si.to_pil(Picture(frames)).size == (32, 24)


def test_a_pillow_image_is_its_current_frame() -> None:
    images = [Image.fromarray(a) for a in moving_square(False)]
    opened = Image.open(io.BytesIO(save(images[0], "PNG", save_all=True, append_images=images[1:])))
    opened.seek(2)
    (frame,) = si.read(opened).frames
    np.testing.assert_array_equal(frame.rgb, np.asarray(images[2]))
    assert opened.tell() == 2


def test_first_picture_of_several_pages() -> None:
    other = Image.new("RGB", (5, 5))
    for format in ("TIFF", "MPO"):
        picture = si.read(save(Image.fromarray(RGB8), format, save_all=True, append_images=[other]))
        assert len(picture.frames) == 1
        assert picture.frames[0].rgb.shape == RGB8.shape
        assert picture.format == {"MPO": "JPEG"}.get(format, format)


# ---------------------------------------------------------------------------------------- names, formats, to_pil


def test_format_names_and_suffixes(tmp_path: Path) -> None:
    picture = si.read(RGB8)
    for name, format in (
        ("a.JPG", "JPEG"),
        ("b.jpeg", "JPEG"),
        ("c.tif", "TIFF"),
        ("d.webp", "WEBP"),
        ("e.gif", "GIF"),
    ):
        si.write(picture, tmp_path / name)
        assert Image.open(tmp_path / name).format == format
    si.write(picture, tmp_path / "f.dat", format="png")
    assert Image.open(tmp_path / "f.dat").format == "PNG"
    assert {si.encode(picture, f)[:4] for f in ("jpg", ".jpg", "JPEG", "jpeg")} == {si.encode(picture, "JPEG")[:4]}
    for name in ("x.bmp", "x", "x.eps"):
        with pytest.raises(UsageError, match=r"x.*suffix.*\.png"):
            si.write(picture, tmp_path / name)
    with pytest.raises(UsageError, match="format bmp"):
        si.encode(picture, "bmp")
    with pytest.raises(UsageError, match="format bmp"):
        si.write(picture, tmp_path / "a.png", format="bmp")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.JPG", "b.jpeg", "c.tif", "d.webp", "e.gif", "f.dat"]
    assert [si.extension(f) for f in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF")] == [
        *(".jpg", ".png", ".webp", ".tif", ".avif", ".gif")
    ]


@pytest.mark.parametrize("format", ["BMP", "PPM", "TGA", "JPEG2000", "ICO", "PCX"])
def test_other_formats_become_png(format: str) -> None:
    image = Image.new("RGB", (32, 32), "red")  # a size that an ICO has
    picture = si.read(save(image, format))
    assert picture.format == format
    assert si.extension(picture.format) == ".png"
    assert Image.open(io.BytesIO(si.encode(picture))).format == "PNG"


def test_to_pil() -> None:
    data = save(RGBA, "PNG", icc_profile=SRGB, exif=camera_exif(), dpi=(72, 72))
    image = si.to_pil(si.read(data))
    assert image.mode == "RGBA"
    assert image.info["icc_profile"] == SRGB
    assert image.getexif()[0x0112] == 1
    assert si.to_pil(si.read(smooth(3, 4, 3, np.uint16))).mode == "RGB"


def test_sources(tmp_path: Path) -> None:
    data = save(Image.fromarray(RGB8), "PNG")
    path = tmp_path / "päth with spaces.wrong suffix"
    path.write_bytes(data)
    for source in (path, str(path), data, bytearray(data), io.BytesIO(data), Image.open(path)):
        np.testing.assert_array_equal(si.read(source).frames[0].rgb, RGB8)
    with path.open("rb") as file:
        np.testing.assert_array_equal(si.read(file).frames[0].rgb, RGB8)
    reader, writer = os.pipe()  # not seekable
    os.write(writer, data)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        np.testing.assert_array_equal(si.read(file).frames[0].rgb, RGB8)


# --------------------------------------------------------------------------------------------------------- errors


def test_missing_folder_empty_and_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("this is no picture, whatever its name says")
    (tmp_path / "page.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    expected = {
        "missing.png": "does not exist",
        "": "is a folder",
        "empty.png": "is empty",
        "text.jpg": "not a picture",
        "page.eps": "not a picture",
        "nul\0.png": "cannot be read",
    }
    for name, message in expected.items():
        with pytest.raises(SakugaError, match=message) as caught:
            si.read(tmp_path / name)
        assert name in str(caught.value)


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "secret.png")

    monkeypatch.setattr("builtins.open", denied)  # a test run as root may read anything
    with pytest.raises(SakugaError, match=r"secret\.png cannot be read \(Permission denied\)"):
        si.read(tmp_path / "secret.png")


def animation(format: str) -> bytes:
    images = [Image.fromarray(smooth(20, 30)).rotate(40 * i) for i in range(3)]
    return save(images[0], format, save_all=True, append_images=images[1:], duration=100)


@pytest.mark.filterwarnings("ignore:Truncated File Read:UserWarning")
@pytest.mark.parametrize("animated", [False, True])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", AVIF, "GIF", "BMP", "PPM", "TGA", "JPEG2000"])
def test_truncated_files_raise_or_are_whole(format: str, animated: bool) -> None:
    if animated and format not in ("PNG", "WEBP", "AVIF", "GIF"):
        return
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    data = animation(format) if animated else save(Image.fromarray(noise), format)
    whole = si.read(data).frames
    raised = 0
    for end in sorted({*range(0, len(data), max(1, len(data) // 40)), *range(len(data) - 24, len(data))}):
        try:
            frames = si.read(data[:end]).frames
        except SakugaError:
            raised += 1
        else:  # only what follows the pixels is missing: a checksum, a footer
            assert end >= len(data) - 32
            assert len(frames) == len(whole)
            assert all((a.rgb == b.rgb).all() for a, b in zip(frames, whole, strict=True))
    assert raised >= 35


def test_gif_that_ends_between_two_frames() -> None:
    data = animation("GIF")
    last = data.rfind(b"!\xf9\x04")  # where the third frame begins
    assert last > len(data) // 2
    for end in (last, -1):
        with pytest.raises(SakugaError, match="its end is missing"):
            si.read(data[:end])
    assert len(si.read(data + b"something behind the end").frames) == 3


def test_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "half.jpg"
    path.write_bytes(save(Image.fromarray(RGB8), "JPEG")[:-100])
    with pytest.raises(SakugaError, match=r"half\.jpg is damaged or truncated"):
        si.read(path)


def test_pixel_limit_is_checked_before_decoding() -> None:
    def bomb(side: int) -> bytes:
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"never decoded") + chunk(b"IEND", b"")

    with pytest.raises(SakugaError, match=r"60000x60000.*3,600,000,000.*--max-pixels"):
        si.read(bomb(60000))
    with pytest.raises(SakugaError, match="damaged"):
        si.read(bomb(60))
    with pytest.raises(SakugaError, match="damaged"):
        si.read(bomb(60), max_pixels=None)


def test_pixel_limit_counts_all_frames_and_every_source() -> None:
    for format in ("GIF", "WEBP", "PNG"):
        data = animation(format)
        assert len(si.read(data, max_pixels=1800).frames) == 3
        with pytest.raises(SakugaError, match=r"30x20 pixels in 3 frames, 1,800 in all"):
            si.read(data, max_pixels=1799)
    for source in (RGB8, Image.fromarray(RGB8), save(Image.fromarray(RGB8), "JPEG")):
        assert si.read(source, max_pixels=204).frames
        with pytest.raises(SakugaError, match="limit of 203"):
            si.read(source, max_pixels=203)


@pytest.mark.parametrize("limit", [100, 400])  # twice exceeded Pillow raises, once exceeded it warns
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "GIF", "BMP"])
def test_pillows_own_limit_does_not_leak(format: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = animation("GIF") if format == "GIF" else save(Image.fromarray(smooth(20, 30)), format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert si.read(data).frames[0].rgb.shape == (20, 30, 3)
        with pytest.raises(SakugaError, match="limit of 599"):
            si.read(data, max_pixels=599)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_threads_read_while_the_limit_is_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    data = save(Image.fromarray(smooth(20, 30)), "TIFF")
    shapes: list[tuple[int, ...]] = []
    threads = [threading.Thread(target=lambda: shapes.append(si.read(data).frames[0].rgb.shape)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shapes == [(20, 30, 3)] * 8
    assert Image.MAX_IMAGE_PIXELS == 100


# -------------------------------------------------------------------------------------------------------- writing


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"before")
    with pytest.raises(SakugaError, match=r"a\.png exists already.*--overwrite"):
        si.write(si.read(RGB8), target)
    assert target.read_bytes() == b"before"
    si.write(si.read(RGB8), target, overwrite=True)
    np.testing.assert_array_equal(si.read(target).frames[0].rgb, RGB8)
    assert names(tmp_path) == ["a.png"]


def test_a_target_made_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    with pytest.raises(SakugaError, match="exists already"), si.atomic(target) as temporary:  # noqa: PT012
        temporary.write_bytes(b"ours")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["a.mp4"]


def test_atomic_gives_a_name_beside_with_the_suffix_and_ordinary_permissions(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 250 + ".mp4")  # as long as a name may be
    with si.atomic(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".mp4"
        assert not target.exists()
        temporary.write_bytes(b"film")
    assert target.read_bytes() == b"film"
    (tmp_path / "ordinary").touch()
    assert target.stat().st_mode == (tmp_path / "ordinary").stat().st_mode


@pytest.mark.parametrize("failure", [KeyboardInterrupt, SakugaError, ValueError, SystemExit])
@pytest.mark.parametrize("exists", [False, True])
def test_a_failure_leaves_nothing(tmp_path: Path, failure: type[BaseException], exists: bool) -> None:
    target = tmp_path / "a.png"
    if exists:
        target.write_bytes(b"before")
    with pytest.raises(failure), si.atomic(target, overwrite=True) as temporary:  # noqa: PT012
        temporary.write_bytes(b"half")
        raise failure("stop")
    assert names(tmp_path) == (["a.png"] if exists else [])
    assert not exists or target.read_bytes() == b"before"


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "no space is left"), (errno.EROFS, "does not permit"), (errno.EIO, "cannot be")],
)
def test_a_write_that_fails_half_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    def write_half(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(SakugaError, match=rf"a\.png.*{message}"):
        si.write(si.read(RGB8), tmp_path / "a.png")
    assert names(tmp_path) == []


def test_encoding_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SakugaError, match="choose PNG"):
        si.write(si.read(np.zeros((1, 70000, 3), np.uint8)), tmp_path / "wide.jpg")
    assert names(tmp_path) == []


def test_folders_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = si.read(RGB8)
    with pytest.raises(SakugaError, match=r"missing is not an existing folder: create it"):
        si.write(picture, tmp_path / "missing" / "a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SakugaError, match="not a plain file"):
        si.write(picture, tmp_path / "folder.png", overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(SakugaError, match="not an existing folder"):
        si.write(picture, tmp_path / "file" / "a.png")

    def denied(path: Path, *args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", denied)  # a test run as root may write anywhere
    with pytest.raises(SakugaError, match=r"a\.png cannot be written.*does not permit"):
        si.write(picture, tmp_path / "a.png")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no /dev/null")
def test_a_device_is_not_replaced() -> None:
    with pytest.raises(SakugaError, match="not a plain file"), si.atomic(Path("/dev/null"), overwrite=True):
        pass


def test_errors_about_other_files_pass_through_atomic(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), si.atomic(tmp_path / "a.png"):
        (tmp_path / "input that is missing").read_bytes()
    assert names(tmp_path) == []
