"""Squares cut out of pictures and pasted back: where things lie, what stays as it was."""

import numpy as np
import pytest

from sakuga.faces.align import apply, cut, inverse, paste, scale_of, similarity, square_at


def smooth(height, width, dtype=np.uint8):
    """A picture without detail, whose values tell where they lie."""
    y, x = np.mgrid[:height, :width]
    planes = [127 + 100 * np.sin(x / 17), 127 + 100 * np.cos(y / 13), 127 + 60 * np.sin((x + y) / 23)]
    return (np.stack(planes, -1) * (np.iinfo(dtype).max // 255)).astype(dtype)


@pytest.mark.parametrize(
    ("scale", "angle", "shift", "seed"), [(0.2, -3.1, (99, 1), 0), (5, 0.1, (-99, 0), 1), (1, 1.6, (0, 0), 2)]
)
def test_a_similarity_is_found_from_its_points(scale, angle, shift, seed):
    points = np.random.default_rng(seed).normal(size=(5, 2)) * 40
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = similarity(points, points @ turn.T + shift)
    np.testing.assert_allclose(matrix[:, :2], turn, atol=1e-6 * scale)
    np.testing.assert_allclose(matrix[:, 2], shift, atol=1e-6)
    assert scale_of(matrix) == pytest.approx(scale)
    np.testing.assert_allclose(apply(inverse(matrix), apply(matrix, points)), points, atol=1e-6)


def test_a_mirrored_face_is_not_mirrored():
    points = np.array([[0.0, 0], [10, 0], [5, 8]])
    assert np.linalg.det(similarity(points, points * [-1, 1])[:, :2]) >= 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_square_in_place_is_the_pixels_themselves(dtype):
    rgb = smooth(40, 50, dtype)
    square = cut(rgb, square_at(np.array([24.5, 19.5]), 20, 0, 20), (20, 20))
    np.testing.assert_array_equal(square, rgb[10:30, 15:35])


def test_a_quarter_turn_and_a_square_beyond_the_border():
    rgb = smooth(30, 30)
    turned = cut(rgb, square_at(np.array([14.5, 14.5]), 30, np.pi / 2, 30), (30, 30))
    np.testing.assert_array_equal(turned, np.rot90(rgb))
    beyond = square_at(np.array([-0.5, 14.5]), 30, 0, 30)
    np.testing.assert_array_equal(cut(rgb, beyond, (30, 30))[:, :15], rgb[:, :15][:, ::-1])
    assert not cut(rgb, beyond, (30, 30), outside="black")[:, :15].any()


@pytest.mark.parametrize(("side", "angle"), [(50, 0.3), (120, -2.0), (31, 1.5)])
def test_what_is_pasted_back_unchanged_leaves_the_picture(side, angle):
    rgb = smooth(160, 200)
    matrix = square_at(np.array([110.0, 70.0]), 60, angle, side)
    again = paste(rgb, cut(rgb, matrix, (side, side)), matrix)
    assert np.abs(again.astype(int) - rgb).max() <= (6 if side < 60 else 2)


def test_the_edge_is_soft_and_the_rest_untouched():
    rgb = smooth(100, 100)
    matrix = square_at(np.array([10.0, 50.0]), 60, 0.4, 80)
    made = paste(rgb, np.full((80, 80, 3), 255, np.uint8), matrix).astype(int)
    assert (made[50, 10] == 255).all()
    y, x = np.mgrid[:100, :100]
    place = apply(matrix, np.stack([x, y], -1).reshape(-1, 2)).reshape(100, 100, 2)
    outside = ((place < -0.5) | (place > 79.5)).any(-1)
    np.testing.assert_array_equal(made[outside], rgb[outside])
    assert np.abs(np.diff(made[50, 10:60, 1] - rgb[50, 10:60, 1])).max() < 40  # nowhere a step


def test_a_square_outside_of_the_picture_changes_nothing():
    rgb = smooth(20, 20)
    far = square_at(np.array([500.0, 500.0]), 30, 0, 30)
    np.testing.assert_array_equal(paste(rgb, np.zeros((30, 30, 3), np.uint8), far), rgb)


def test_a_matrix_beyond_measure_takes_no_memory():
    for side in (1e3, 1e7, 1e12):
        matrix = square_at(np.array([15.0, 10.0]), side, 0.3, 24)
        made = cut(smooth(20, 30), matrix, (24, 24))
        assert made.shape == (24, 24, 3)
    away = cut(smooth(20, 30), square_at(np.array([1e7, -1e7]), 50, 0.3, 24), (24, 24))
    assert not away.any()
