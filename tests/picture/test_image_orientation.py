"""A picture comes out upright, whatever way its camera was held."""

import io

import numpy as np
import pytest
from drawn import (
    AVIF,
    RGB8,
    SIDES,
    chunk,
    closeness,
    png16,
    save,
    smooth,
    stored,
)
from PIL import Image, features

from sakuga import picture as si


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
