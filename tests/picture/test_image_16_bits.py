"""Sixteen bits a channel: read exactly, written so that FFmpeg reads them, rounded elsewhere."""

import io
import struct
import zlib
from dataclasses import replace

import av
import numpy as np
import pytest
from drawn import (
    chunk,
    png16,
    smooth,
)

from sakuga import picture as si


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
    picture = replace(si.read(values), lossless=True)
    np.testing.assert_array_equal(si.read(si.encode(picture, "WEBP")).frames[0].rgb[..., 0], expected)
    np.testing.assert_array_equal(np.asarray(si.to_pil(picture))[..., 0], expected)


def test_an_animation_of_16_bits_says_that_it_is_read_with_8() -> None:
    """Pillow reads no more; the picture alone would be read exactly."""
    values = smooth(9, 14, 3, np.uint16)
    control = struct.pack(">IIIIIHHBB", 0, 14, 9, 0, 0, 1, 10, 0, 0)
    again = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in values))
    data = png16(values, chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"fcTL", control))
    second = chunk(b"fcTL", struct.pack(">I", 1) + control[4:]) + chunk(b"fdAT", struct.pack(">I", 2) + again)
    picture = si.read(data[:-12] + second + data[-12:])
    assert len(picture.frames) == 2
    assert picture.frames[0].rgb.dtype == np.uint8
    assert "16 bits a channel" in picture.note
    assert si.read(png16(values)).note == ""
