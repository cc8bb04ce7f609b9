"""Names of formats, suffixes, sources of every type."""

import io
import os
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from drawn import (
    RGB8,
    RGBA,
    SRGB,
    camera_exif,
    save,
    smooth,
)
from PIL import Image

from sakuga import picture as si
from sakuga.errors import UsageError
from sakuga.runtime.flags import Format


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


def test_the_options_name_all_formats() -> None:
    assert [name.upper() for name in get_args(Format)] == list(si.FORMATS)


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
