"""Sheets of samples."""

import numpy as np

from sakuga.training.preview import pairs


def numbered(count, height=2, width=3):
    return np.broadcast_to(np.arange(1, count + 1, dtype=np.uint8)[:, None, None, None], (count, height, width, 3))


def test_a_result_below_its_photo():
    sheet = pairs(numbered(2), numbered(2, 4, 6) + 10)
    assert sheet.shape == (8, 12, 3)
    assert sheet[::4, ::6, 0].tolist() == [[1, 2], [11, 12]]
