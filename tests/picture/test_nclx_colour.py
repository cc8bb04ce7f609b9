"""AVIF and HEIC that tell their colours by numbers alone: kept with a profile, or brought to sRGB."""

import struct

import numpy as np
import pytest
from drawn import AVIF, chunk, save, smooth
from PIL import Image, ImageCms, features

from sakuga import picture as si
from sakuga.picture.color import nclx_coding

RGB = np.kron(smooth(6, 8), np.ones((8, 8, 1), np.uint8))


def tagged(format: str, primaries: int, transfer: int, **options: object) -> bytes:
    """A file whose numbers are changed; the pixels are decoded as before."""
    if format == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    data = save(Image.fromarray(RGB), format, quality=95, **options)
    at = data.index(b"nclx") + 4
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


@pytest.mark.parametrize("format", [AVIF, "HEIF"])
def test_display_p3_is_kept_with_a_profile(format: str) -> None:
    plain, wide = si.read(tagged(format, 1, 13)), si.read(tagged(format, 12, 13))
    assert plain.icc is None
    np.testing.assert_array_equal(wide.frames[0].rgb, plain.frames[0].rgb)
    png = si.encode(si.read(RGB), "PNG")
    same = si.read(png[:33] + chunk(b"cICP", bytes([12, 13, 0, 1])) + png[33:])  # whose colours are tested by numbers
    assert wide.icc == same.icc
    assert wide.icc is not None
    assert si.read(si.encode(wide, "PNG")).icc == wide.icc


@pytest.mark.parametrize("format", [AVIF, "HEIF"])
def test_hdr_is_brought_to_srgb(format: str) -> None:
    plain, hdr = si.read(tagged(format, 1, 13)), si.read(tagged(format, 9, 16))
    assert hdr.icc is None
    assert hdr.frames[0].rgb.dtype == np.uint8
    assert np.abs(hdr.frames[0].rgb.astype(int) - plain.frames[0].rgb).mean() > 10


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_profile_prevails_before_the_numbers_and_behind_them(order: tuple[int, int]) -> None:
    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(data), kind) + data

    colours = [box(b"colr", b"nclx" + struct.pack(">HHHB", 12, 13, 0, 128)), box(b"colr", b"prof" + bytes(128))]
    boxes = [colours[at] for at in order]

    def file(*some: bytes) -> bytes:
        return box(b"meta", bytes(4) + box(b"iprp", box(b"ipco", b"".join(some))))

    assert nclx_coding(file(colours[0])) is not None
    assert nclx_coding(file(*boxes)) is None


@pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
def test_a_profile_prevails_and_usual_numbers_say_nothing() -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert si.read(save(Image.fromarray(RGB), "AVIF", icc_profile=icc)).icc == icc
    for primaries, transfer in ((1, 13), (2, 2), (999, 999)):
        assert nclx_coding(tagged("AVIF", primaries, transfer)) is None
    for cut in range(0, 400, 7):
        nclx_coding(tagged("AVIF", 12, 13)[:cut])
