"""PNGs that tell their colours by numbers: what we return shows the same as the file, by independent arithmetic."""

import io
import struct
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from drawn import chunk, save
from PIL import Image, ImageCms

from sakuga import picture as si

RGB = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
RGB[0, :16] = np.arange(0, 256, 17, dtype=np.uint8)[:, None]
SRGB_XYZ = np.array(
    [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]]
)
P3_XYZ = np.array([[0.4865709, 0.2656677, 0.1982173], [0.2289746, 0.6917385, 0.0792869], [0, 0.0451134, 1.0439444]])
BT2020_XYZ = np.array([[0.6369580, 0.1446169, 0.1688810], [0.2627002, 0.6779981, 0.0593017], [0, 0.0280727, 1.0609851]])
ADOBE_XYZ = np.array(
    [[0.5766690, 0.1855582, 0.1882286], [0.2973450, 0.6273636, 0.0752915], [0.0270314, 0.0706889, 0.9913375]]
)
SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)


def png(*chunks: tuple[bytes, bytes], rgb: np.ndarray = RGB) -> bytes:
    data = si.encode(si.read(rgb), "PNG")
    return data[:33] + b"".join(chunk(*each) for each in chunks) + data[33:]


def cicp(primaries: int, transfer: int, whole: int = 1) -> tuple[bytes, bytes]:
    return b"cICP", bytes([primaries, transfer, 0, whole])


def gamma(value: int) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", value)


def chrm(values: tuple[int, ...] = ADOBE) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *values)


def srgb_light(v: np.ndarray) -> np.ndarray:
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def bt709_light(v: np.ndarray) -> np.ndarray:
    return np.where(v < 0.0812429, v / 4.5, ((v + 0.0992968) / 1.0992968) ** 2.2222222)


def srgb(light: np.ndarray) -> np.ndarray:
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def expected(values: np.ndarray, curve: Callable[[np.ndarray], np.ndarray], matrix: np.ndarray) -> np.ndarray:
    return srgb(curve(values) @ (np.linalg.inv(SRGB_XYZ) @ matrix).T)


def shown(data: bytes) -> np.ndarray:
    """What a viewer that knows profiles shows of a file that we wrote, in sRGB."""
    image = Image.open(io.BytesIO(data))
    assert {"gamma", "chromaticity"}.isdisjoint(image.info)
    assert b"cICP" not in data
    if profile := image.info.get("icc_profile"):
        target = ImageCms.createProfile("sRGB")
        shown = ImageCms.profileToProfile(image, io.BytesIO(profile), target, renderingIntent=1)
        assert shown is not None
        image = shown
    return np.asarray(image.convert("RGB")).astype(float)


CASES = {
    "P3": ([cicp(12, 13)], srgb_light, P3_XYZ),
    "P3 over a profile": ([cicp(12, 13), (b"sRGB", b"\0")], srgb_light, P3_XYZ),
    "BT.2020": (
        [cicp(9, 14)],
        bt709_light,
        BT2020_XYZ,
    ),
    "linear": ([cicp(1, 8)], lambda v: v, SRGB_XYZ),
    "2.2": ([cicp(1, 4)], lambda v: v**2.2, SRGB_XYZ),
    "Adobe RGB": ([gamma(45470), chrm()], lambda v: v ** (1 / 0.4547), ADOBE_XYZ),
    "cHRM alone": ([chrm()], srgb_light, ADOBE_XYZ),
    "gamma 1.8": ([gamma(55556)], lambda v: v**1.8, SRGB_XYZ),
    "gamma 1": ([gamma(100000)], lambda v: v, SRGB_XYZ),
    "sRGB in numbers": (
        [gamma(45455), chrm(SRGB)],
        srgb_light,
        SRGB_XYZ,
    ),
    "sRGB prevails": ([(b"sRGB", b"\0"), gamma(100000), chrm()], srgb_light, SRGB_XYZ),
    "nonsense": ([gamma(0), chrm((0,) * 8)], srgb_light, SRGB_XYZ),
    "on a line": ([chrm((31270, 32900, 64000, 33000, 64000, 33000, 15000, 6000))], srgb_light, SRGB_XYZ),
    "unspecified": ([cicp(2, 2), gamma(100000)], lambda v: v, SRGB_XYZ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_what_is_shown_stays(case: str, format: str) -> None:
    chunks, curve, matrix = CASES[case]
    picture = si.read(png(*chunks))
    assert picture.frames[0].rgb.dtype == np.uint8
    error = np.abs(shown(si.encode(replace(picture, lossless=True), format)) - expected(RGB / 255, curve, matrix))
    # Eight bits twice: the curve's table, and the colour management's.
    assert error.max() < 2.5
    assert error.mean() < 0.5


def test_networks_see_the_values_of_srgb_s_curve() -> None:
    np.testing.assert_array_equal(si.read(png(cicp(12, 13))).frames[0].rgb, RGB)
    light = si.read(png(gamma(100000))).frames[0].rgb
    np.testing.assert_array_equal(light, np.rint(srgb(RGB / 255)))
    np.testing.assert_array_equal(si.read_rgb(png(gamma(100000))), light)


def test_16_bits_are_converted_in_16_bits() -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    (frame,) = si.read(png(gamma(100000), rgb=deep)).frames
    np.testing.assert_array_equal(frame.rgb, np.rint(srgb(deep / 65535) * 257))


def test_narrow_range() -> None:
    ramp = np.array([[[0] * 3, [16] * 3, [235] * 3, [255] * 3]], np.uint8)
    assert si.read(png(cicp(1, 13, 0), rgb=ramp)).frames[0].rgb[0, :, 0].tolist() == [0, 0, 255, 255]
    deep = ramp.astype(np.uint16) * 256
    assert si.read(png(cicp(1, 13, 0), rgb=deep)).frames[0].rgb[0, :3, 0].tolist() == [0, 0, 65535]


@pytest.mark.parametrize("primaries", [9, 12])
@pytest.mark.parametrize(("transfer", "white"), [(16, 0.5806), (18, 0.75)])
def test_hdr_becomes_srgb(transfer: int, white: float, primaries: int) -> None:
    """As in videos; gray stays gray whatever the primaries. BT.2408: white is 58 % of PQ and 75 % of HLG."""
    ramp = np.rint(np.array([0, white / 2, white, 1]) * 65535).astype(np.uint16)
    rgba = np.dstack([np.repeat(ramp[None, :, None], 3, axis=2), [[65535, 257, 65535, 65535]]]).astype(np.uint16)
    picture = si.read(png(cicp(primaries, transfer), rgb=rgba))
    (frame,) = picture.frames
    assert picture.icc is None
    assert frame.rgb.dtype == np.uint8
    assert frame.alpha is not None
    assert frame.alpha.tolist() == [[255, 1, 255, 255]]
    black, half, bright, most = (int(value) for value in frame.rgb[0, :, 1])
    assert black == 0 < half < 120 < bright < most
    assert 180 < bright < 240
    assert np.ptp(frame.rgb, axis=2).max() <= 1


def test_a_profile_prevails_over_gamma() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = save(Image.fromarray(RGB), "PNG", icc_profile=profile)
    data = data[:33] + chunk(*gamma(100000)) + chunk(*chrm()) + data[33:]
    picture = si.read(data)
    assert picture.icc == profile
    np.testing.assert_array_equal(picture.frames[0].rgb, RGB)


@pytest.mark.parametrize("kind", [b"cHRM", b"gAMA", b"pHYs", b"sRGB"])
def test_a_chunk_that_is_too_short_does_not_cost_the_picture(kind: bytes) -> None:
    data = save(Image.new("RGB", (4, 3), (10, 20, 30)), "PNG")
    picture = si.read(data[:33] + chunk(kind, b"") + data[33:])
    assert (picture.frames[0].rgb == (10, 20, 30)).all()
