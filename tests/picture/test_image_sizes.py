"""Any size, up to what a format holds, and back."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import (
    ALL,
    smooth,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sakuga import picture as si
from sakuga.errors import SakugaError
from sakuga.picture import Frame


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
    picture = replace(si.read(source), lossless=True)
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
