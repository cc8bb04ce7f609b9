"""From high dynamic range (PQ or HLG, BT.2020) to what every screen shows: BT.709 at a fixed white.

Linear light is in cd/m². White of the result is 203 cd/m² (ITU-R BT.2408), the source's peak is taken to be 1000. Up to
about 90 cd/m² light is left as it is, above it is compressed by the curve of ITU-R BT.2390 (EETF), which is applied to
the largest of R, G and B and to the others in proportion, so that hues stay. What lies outside BT.709 is clipped.
"""

import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
"""The transfer functions, as ITU-T H.273 numbers them."""

PEAK, WHITE = 1000.0, 203.0
TO_BT709 = np.array(  # linear BT.2020 to linear BT.709 (ITU-R BT.2087)
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)  # of BT.2020

Array = NDArray[np.floating]

_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128


def pq_to_light(code: Array | float) -> Array:
    """Linear light in cd/m² of a PQ signal in [0, 1] (SMPTE ST 2084)."""
    power = np.power(code, 1 / _M2)
    return 10_000 * np.power(np.maximum(power - _C1, 0) / (_C2 - _C3 * power), 1 / _M1)


def light_to_pq(light: Array | float) -> Array:
    """The PQ signal in [0, 1] of linear light in cd/m² (SMPTE ST 2084)."""
    power = np.power(np.asarray(light) / 10_000, _M1)
    return np.power((_C1 + _C2 * power) / (1 + _C3 * power), _M2)


def hlg_to_scene(code: Array | float) -> Array:
    """Scene light in [0, 1] of an HLG signal in [0, 1] (ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)


def compress(light: Array) -> Array:
    """Bring light of up to PEAK below WHITE, by the EETF of ITU-R BT.2390 (without lifting black)."""
    peak = light_to_pq(PEAK)
    e1, most = np.minimum(light_to_pq(light) / peak, 1), light_to_pq(WHITE) / peak
    knee = 1.5 * most - 0.5
    t = np.maximum(e1 - knee, 0) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    return pq_to_light(np.where(e1 < knee, e1, spline) * peak)


class ToneMap:
    """From signals (H, W, 3) uint16 over their whole range, PQ or HLG, to BT.709 (H, W, 3) uint8.

    `to_bt709` is the matrix (3, 3) from the source's linear RGB, by default BT.2020's.
    """

    def __init__(self, transfer: int, to_bt709: NDArray[np.floating] = TO_BT709) -> None:
        self._to_bt709 = to_bt709.astype(np.float32)
        code = np.arange(65536) / 65535
        self._hlg = transfer == HLG
        # Of PQ: linear light; of HLG: scene light, whose display light depends on all three channels.
        self._light = (hlg_to_scene(code) if self._hlg else pq_to_light(code)).astype(np.float32)
        # By the root of light over PEAK, so that its steps are as fine in the dark as eyes are.
        light = np.linspace(0, 1, 4096) ** 2 * PEAK
        self._ratio = (compress(light) / np.maximum(light, 1e-6) / WHITE).astype(np.float32)
        self._ratio[0] = 1 / WHITE
        # The inverse of a screen's power of 2.4 (ITU-R BT.1886), again by the root.
        self._code = np.rint(255 * np.linspace(0, 1, 4096) ** (2 / 2.4)).astype(np.uint8)

    def __call__(self, signal: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """Return what to show on an ordinary screen."""
        light = self._light[signal]
        if self._hlg:  # the OOTF of ITU-R BT.2100 for a screen of 1000 cd/m²: gamma 1.2
            light *= PEAK * np.power(light @ LUMA, np.float32(0.2))[..., None]
        largest = np.minimum(light.max(axis=-1), np.float32(PEAK))
        light *= self._ratio[_root(largest / np.float32(PEAK))][..., None]
        shown: NDArray[np.uint8] = self._code[_root((light @ self._to_bt709.T).clip(0, 1))]
        return shown


def _root(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """An index into 4096 values by the square root of [0, 1]."""
    return (np.sqrt(values) * np.float32(4095) + np.float32(0.5)).astype(np.uint16)
