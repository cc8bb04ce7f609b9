"""The colours of a picture that tells them by numbers (PNG: cICP, gAMA, cHRM; AVIF and HEIC: nclx), not by a profile.

Networks have learned from sRGB, so its primaries get its curve too. Wider ones are kept with a profile (ICC.1:2022,
matrix and curve), because reducing them would lose colours. HDR, which few programs find in a profile, becomes sRGB.
Numbers: ITU-T H.273 (2021), tables 2 and 3; which chunk prevails: PNG specification, third edition.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sakuga.picture.hdr import HLG, PQ, ToneMap
from sakuga.picture.pixels import Array

Floats = NDArray[np.float64]
Primaries = tuple[tuple[float, float], ...]
"""x and y of red, green, blue and white."""
Curve = tuple[float, float, float, float, float]
"""From a value v in [0, 1] to light: g, a, b, c, d of (a v + b)^g, or c v below d (ICC: parametric, of type 3)."""

_UNSPECIFIED = 2
_MIN_EXPONENT = 1.7  # of a curve whose values look to a network as sRGB's do
_D65, _D50, _C = (0.3127, 0.3290), (0.3457, 0.3585), (0.310, 0.316)
_SRGB: Primaries = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65)
_SMPTE_C: Primaries = ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07), _D65)
_PRIMARIES: dict[int, Primaries] = {
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: _SMPTE_C,
    7: _SMPTE_C,
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}
_SRGB_CURVE: Curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT709: Curve = (1 / 0.45, 1 / 1.099297, 0.099297 / 1.099297, 1 / 4.5, 0.081243)
_CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 6, 14, 15), _BT709),
    **{4: (2.2, 1, 0, 0, 0), 5: (2.8, 1, 0, 0, 0), 7: (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913)},
    **{8: (1, 1, 0, 0, 0), 17: (2.6, (52.37 / 48) ** (1 / 2.6), 0, 0, 0)},
}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class Coding:
    """What the values of a picture mean: primaries, their curve or HDR's (PQ, HLG), whether they run from 16 to 235."""

    primaries: Primaries = _SRGB
    curve: Curve = _SRGB_CURVE
    hdr: int = 0
    narrow: bool = False

    def apply(self, rgb: Array) -> tuple[Array, bytes | None]:
        """Values (H, W, 3) uint8 or uint16 as they are to be stylised (of HDR uint8), and their ICC profile, if any."""
        full = np.iinfo(rgb.dtype).max
        values = np.arange(full + 1) / full
        if self.narrow:
            values = ((values * full * 256 / (full + 1) - 16) / 219).clip(0, 1)
        if self.hdr:
            to_bt709 = np.linalg.inv(_to_xyz(_SRGB)) @ _to_xyz(self.primaries)
            return ToneMap(self.hdr, to_bt709)(np.rint(values * 65535).astype(np.uint16)[rgb]), None
        wide = np.abs(np.subtract(self.primaries, _SRGB)).max() > 0.002
        curve = self.curve
        if curve != _SRGB_CURVE and (not wide or curve[0] < _MIN_EXPONENT):
            values, curve = _encoded(_light(curve, values)), _SRGB_CURVE
        if curve != self.curve or self.narrow:
            rgb = np.rint(values * full).astype(rgb.dtype)[rgb]
        return rgb, _profile(self.primaries, curve) if wide else None


def png_coding(data: bytes) -> Coding | None:
    """How a PNG is coded; None where a profile says so, or nothing does, or what is said makes no sense."""
    said: dict[bytes, bytes] = {}
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            break
        if kind in (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"):
            said.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 12 + length
    if len(said.get(b"cICP", b"")) == 4:
        primaries, transfer, matrix, whole = said[b"cICP"]
        hdr = transfer if transfer in (PQ, HLG) else 0
        if not matrix and primaries != _UNSPECIFIED and not (hdr and b"iCCP" in said):
            return Coding(_PRIMARIES.get(primaries, _SRGB), _CURVES.get(transfer, _SRGB_CURVE), hdr, not whole)
    if b"iCCP" in said or b"sRGB" in said:
        return None
    coding = Coding()
    if len(said.get(b"gAMA", b"")) == 4:
        gamma = int.from_bytes(said[b"gAMA"], "big")
        # 45455 is what a writer of sRGB says to readers that know no other way.
        if 10_000 <= gamma <= 1_000_000 and abs(gamma - 45455) > 10:
            coding = replace(coding, curve=(100_000 / gamma, 1, 0, 0, 0))
    if len(said.get(b"cHRM", b"")) == 32:
        white, *colours = np.reshape(struct.unpack(">8I", said[b"cHRM"]), (4, 2)) / 100_000
        given = tuple((float(x), float(y)) for x, y in (*colours, white))
        coding = replace(coding, primaries=given) if _is_sensible(given) else coding
    return None if coding == Coding() else coding


def nclx_coding(data: bytes) -> Coding | None:
    """How an AVIF or a HEIC is coded (ISO/IEC 23008-12, colr of type nclx); None where a profile says so, or nothing.

    Decoders apply the matrix and the range and leave the rest.
    """
    begin, end, found = 0, len(data), b""
    for kind, head in ((b"meta", 12), (b"iprp", 8), (b"ipco", 8)):
        begin, end = next(((at + head, stop) for at, stop, name in _boxes(data, begin, end) if name == kind), (0, 0))
    for at, stop, name in _boxes(data, begin, end):
        if name == b"colr" and data[at + 8 : at + 12] in (b"prof", b"rICC"):
            return None
        if name == b"colr" and data[at + 8 : at + 12] == b"nclx" and stop - at >= 18:
            found = found or data[at + 12 : at + 16]
    if not found:
        return None
    primaries, transfer = struct.unpack(">HH", found)
    hdr = transfer if transfer in (PQ, HLG) else 0
    coding = Coding(_PRIMARIES.get(primaries, _SRGB), _CURVES.get(transfer, _SRGB_CURVE), hdr)
    return None if coding == Coding() else coding


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """Where the boxes of an ISO file (ISO/IEC 14496-12) begin and end, and their kinds."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        size = size or end - at
        if size < 8 or at + size > end:  # among them one of 64 bits, which holds pixels and comes last
            return
        yield at, at + size, kind
        at += size


def _is_sensible(primaries: Primaries) -> bool:
    """Whether the colours span an area in which white lies."""
    if not all(0 <= x < 1 and 0.001 < y <= 1 for x, y in primaries):
        return False
    columns = np.transpose([_xyz(point) for point in primaries])
    if abs(np.linalg.det(columns[:, :3])) < 1e-3:
        return False
    return bool((np.linalg.solve(columns[:, :3], columns[:, 3]) > 0).all())


def _light(curve: Curve, values: Floats) -> Floats:
    g, a, b, c, d = curve
    light: Floats = np.where(values < d, c * values, (a * values + b) ** g)
    return light.clip(0, 1)


def _encoded(light: Floats) -> Floats:
    """The inverse of sRGB's curve (IEC 61966-2-1)."""
    encoded: Floats = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return encoded


def _xyz(point: tuple[float, float]) -> Floats:
    """X, Y and Z of a colour with Y = 1."""
    x, y = point
    return np.array([x / y, 1, (1 - x - y) / y])


def _to_xyz(primaries: Primaries) -> Floats:
    """The matrix from linear RGB to XYZ, in which white has Y = 1."""
    columns = np.transpose([_xyz(point) for point in primaries])
    matrix: Floats = columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])
    return matrix


def _profile(primaries: Primaries, curve: Curve) -> bytes:
    """An ICC profile of version 4."""
    white, d50 = _xyz(primaries[3]), _xyz(_D50)
    adapt = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ d50 / (_BRADFORD @ white)) @ _BRADFORD
    columns = adapt @ _to_xyz(primaries)

    def fixed(values: Floats | Curve) -> bytes:
        return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in np.ravel(values))

    def text(words: str) -> bytes:
        head = struct.pack(">4sIII4sII", b"mluc", 0, 1, 12, b"enUS", 2 * len(words), 28)
        return head + words.encode("utf-16-be")

    tags = {b"desc": text("RGB as the file said"), b"cprt": text("CC0"), b"wtpt": b"XYZ \0\0\0\0" + fixed(d50)}
    tags |= {b"chad": b"sf32\0\0\0\0" + fixed(adapt)}
    tags |= {name: b"XYZ \0\0\0\0" + fixed(columns[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    parametric = struct.pack(">4sIHH", b"para", 0, 3, 0) + fixed(curve)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), parametric)
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    made, version = b"\x07\xe8\0\1\0\1", 0x04300000
    fields = at + len(body), version, b"mntr", b"RGB ", b"XYZ ", made, b"acsp"
    head = struct.pack(">I4xI4s4s4s12s4s28x", *fields) + fixed(d50)
    return head.ljust(128, b"\0") + table + body
