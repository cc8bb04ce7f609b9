"""Every mode of pixels is read as what it shows, and written in every format."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn import (
    ALL,
    ALPHA8,
    CASES,
    GRAY8,
    LOSSLESS,
    PALETTE_RGB,
    RGB8,
    RGBA,
    THREE,
    closeness,
    palette_image,
    save,
    smooth,
)
from PIL import Image, ImageCms

from sakuga import picture as si
from sakuga.errors import SakugaError, UsageError


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
    picture = replace(si.read(image), lossless=True)
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
