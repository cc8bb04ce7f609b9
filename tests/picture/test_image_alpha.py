"""What lies under transparency."""

import numpy as np
import pytest
from drawn import (
    smooth,
)

from sakuga import picture as si


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_is_bled_under_transparency(dtype: type) -> None:
    top = np.iinfo(dtype).max
    values = np.zeros((40, 61, 4), dtype)
    values[..., 1] = top  # green garbage under the transparency
    values[10:20, 10:20] = (top, 0, 0, top)
    values[10:20, 45:55] = (0, 0, top, top)
    frame = si.read(values).frames[0]
    np.testing.assert_array_equal(frame.alpha, values[..., 3])
    seen = values[..., 3] > 0
    np.testing.assert_array_equal(frame.rgb[seen], values[..., :3][seen])
    assert frame.rgb[..., 1].max() == 0  # none of the garbage is left
    assert frame.rgb[15, 8, 0] > 0.9 * top  # red beside the red square
    assert frame.rgb[15, 57, 2] > 0.9 * top  # blue beside the blue one
    sums = frame.rgb.astype(int).sum(axis=2)
    assert np.abs(sums - top).max() <= 2  # mixtures of the two everywhere


def test_nothing_visible_and_nothing_transparent() -> None:
    values = smooth(6, 6, 4)
    for alpha in (0, 255):
        values[..., 3] = alpha
        np.testing.assert_array_equal(si.read(values).frames[0].rgb, values[..., :3])
    assert values.flags.writeable


def test_reading_leaves_the_callers_array_alone() -> None:
    values = smooth(6, 6, 4)
    values[2:, 2:, 3] = 0
    before = values.copy()
    si.read(values)
    np.testing.assert_array_equal(values, before)
