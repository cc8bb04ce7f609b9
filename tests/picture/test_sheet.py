"""The contact sheet, and the cells on it."""

import numpy as np
from PIL import Image

from sakuga.picture import Frame, Picture
from sakuga.picture.color import _D65, _profile
from sakuga.picture.sheet import CAPTION, GAP, SIDE, contact_sheet, reduced


def test_a_cell_is_in_srgb_over_white_and_no_larger_than_it_may_be():
    linear = _profile(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65), (1, 1, 0, 0, 0))
    rgb = np.full((100, 400, 3), 55, np.uint8)  # of light: 128 in sRGB
    alpha = np.full((100, 400), 255, np.uint8)
    assert np.asarray(reduced(Picture([Frame(rgb)])))[0, 0].tolist() == [55] * 3
    image = reduced(Picture([Frame(rgb, alpha)], icc=linear))
    assert image.size == (SIDE, SIDE // 4)
    np.testing.assert_allclose(np.asarray(image), 128, atol=1)
    assert np.asarray(reduced(Picture([Frame(rgb, alpha * 0)], icc=b"no profile"))).min() == 255
    wide = Picture([Frame(rgb.astype(np.uint16) * 257)])
    assert reduced(wide, 40).size == (40, 10)
    assert np.asarray(reduced(wide))[0, 0].tolist() == [55] * 3


def test_rows_of_unlike_length_and_height():
    black, tall = Image.new("RGB", (20, 10)), Image.new("RGB", (10, 20))
    sheet = contact_sheet([[(black, "a" * 500), (tall, "b\x1b")], [(black, "")]], side=20)
    assert sheet.shape == (GAP + 20 + 10 + 2 * (CAPTION + GAP), GAP + 2 * (20 + GAP), 3)
    assert not sheet[GAP + 5 : GAP + 15, GAP : GAP + 20].any()  # in the middle of its row
    assert not sheet[GAP : GAP + 20, 2 * GAP + 25 : 2 * GAP + 35].any()
    assert (sheet[:, GAP + 20 : 2 * GAP + 20] == 255).all()  # no text runs into the next column
    assert (sheet[-CAPTION - GAP :] == 255).all()
