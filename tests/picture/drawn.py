"""Pictures that the tests of `sakuga.picture` draw, and files of them written by the specifications."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, features

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


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x8298] = "Maker", 6, "(c) somebody"
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09", 0x927C: b"note" * 20, 0xA002: 17, 0xA003: 12}
    exif[0x8825] = {1: "N", 2: (35.0, 41.0, 22.5), 3: "E", 4: (139.0, 41.0, 30.25)}
    return exif


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


def animation(format: str) -> bytes:
    images = [Image.fromarray(smooth(20, 30)).rotate(40 * i) for i in range(3)]
    return save(images[0], format, save_all=True, append_images=images[1:], duration=100)
