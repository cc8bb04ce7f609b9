"""The detector and the mesh, with networks made by hand: anchors, places in the picture, one box for each face."""

from itertools import pairwise

import numpy as np
import pytest

from sakuga.faces import detector, mesh
from sakuga.faces.align import square_at
from sakuga.faces.detector import Detection, anchors, decode, detect, overlap, suppress, views


def test_anchors():
    found = anchors()
    assert found.shape == (896, 2)
    np.testing.assert_array_equal(found[[0, 1, 2, 511]], [[8, 8], [8, 8], [24, 8], [248, 248]])
    np.testing.assert_array_equal(found[[512, 517, 518, 895]], [[16, 16], [16, 16], [48, 16], [240, 240]])


def test_a_box_in_the_square_is_a_box_in_the_picture():
    regressors, logits = np.zeros((896, 16), np.float32), np.full(896, -100, np.float32)
    regressors[2, :4], regressors[2, 4:6], logits[2] = [4, 2, 20, 10], [1, 1], 3
    (found,) = decode(regressors, logits, np.array([[2.0, 0, 5], [0, 2, 0]]))
    assert found.score == pytest.approx(1 / (1 + np.exp(-3)))
    np.testing.assert_allclose(found.box, [2 * (28 - 10 - 0.5) + 5, 9, 2 * (28 + 10 - 0.5) + 5, 29])
    np.testing.assert_allclose(found.points[0], [2 * 24.5 + 5, 17])


def test_one_of_two_boxes_of_a_face():
    def face(score, *box):
        return Detection(score, np.array(box, float), np.zeros((6, 2)))

    apart, whole, part = face(0.6, 20, 20, 30, 30), face(0.9, 0, 0, 10, 10), face(0.8, 4, 4, 9, 9)
    assert suppress([part, apart, whole]) == [whole, apart]
    assert overlap(whole.box, part.box) == 1
    assert overlap(whole.box, apart.box) == 0


@pytest.mark.parametrize(("width", "height", "levels"), [(4000, 3000, 3), (300, 2000, 3), (640, 360, 2), (5, 1, 3)])
def test_tiles_cover_the_picture(width, height, levels):
    squares = [np.linalg.inv([*matrix, [0, 0, 1]]) for matrix in views(width, height, levels)]
    corners = [(matrix @ [[-0.5, 255.5], [-0.5, 255.5], [1, 1]])[:2] for matrix in squares]
    sides = sorted({round(np.abs(np.diff(one[0])).item()) for one in corners})
    assert sides == sorted({max(width, height) >> k for k in range(levels) if not k or max(width, height) >> k >= 256})
    tiles = [one for one in corners[4:] if round(np.diff(one[0]).item()) == sides[0]] if len(sides) > 1 else []
    for axis, length in enumerate((width, height) if tiles else ()):
        spans = sorted({(round(one[axis].min(), 3), round(one[axis].max(), 3)) for one in tiles})
        assert spans[0][0] <= 0
        assert spans[-1][1] >= length - 1
        assert all(low < high - sides[0] * 0.24 for (_, high), (low, _) in pairwise(spans))


def blob(x, y, side=400):
    """A picture with a bright square of 60 pixels."""
    rgb = np.zeros((side, side, 3), np.uint8)
    rgb[y - 30 : y + 30, x - 30 : x + 30] = 255
    return rgb


def bright(view):
    """A detector of what is bright: one box around it, if all of it is there."""
    regressors, logits = np.zeros((1, 896, 16), np.float32), np.full((1, 896, 1), -9, np.float32)
    y, x = np.nonzero(view[0, :, :, 0] > 0)
    if len(x) and min(x.min(), y.min()) > 0 and max(x.max(), y.max()) < 255:
        low, high = np.array([x.min(), y.min()]), np.array([x.max(), y.max()]) + 1
        regressors[0, 0, :4] = [*((low + high) / 2 - 8), *(high - low)]
        logits[0, 0] = 5
    return regressors, logits


def test_what_is_bright_is_found_once_where_it_lies():
    (found,) = detect(blob(300, 90), bright)
    np.testing.assert_allclose(found.box, [269.5, 59.5, 329.5, 119.5], atol=2)


def test_nothing_there():
    assert detect(np.zeros((1, 3, 3), np.uint8), bright) == []


def flat(view):
    """A mesh whose points lie in a grid over the bright part, in the order of rows."""
    y, x = np.nonzero(view[0, :, :, 0] > 0.5)
    if not len(x):
        return np.zeros((1, 1404)), np.array([[-9.0]])
    grid = np.stack(np.meshgrid(np.linspace(x.min(), x.max(), 26), np.linspace(y.min(), y.max(), 18)), -1)
    return np.pad(grid.reshape(468, 2) + 0.5, ((0, 0), (0, 1))).reshape(1, 1404), np.array([[9.0]])


def test_a_mesh_lies_where_the_face_does(monkeypatch):
    # eyes of the grid are level, so that the second look is upright too
    monkeypatch.setattr(mesh, "IBUG", (*range(36), *[260] * 6, *[285] * 6, *range(48, 68)))
    face = Detection(0.9, np.array([265.0, 65, 335, 125]), np.array([[280.0, 80], [320, 80], *[[0, 0]] * 4]))
    points, score = mesh.locate(blob(300, 90), face, flat)
    assert score > 0.99
    np.testing.assert_allclose(np.concatenate([points.min(0), points.max(0)]), [270, 60, 329, 119], atol=1.5)
    assert mesh.locate(np.zeros((400, 400, 3), np.uint8), face, flat)[1] < 0.01


def test_fewer_landmarks():
    points = np.random.default_rng(0).random((468, 2))
    many = mesh.reduce(points, 68)
    assert many.shape == (68, 2)
    assert len({*mesh.IBUG}) == 68
    five = mesh.reduce(points, 5)
    np.testing.assert_allclose(five[0], points[[33, 160, 158, 133, 153, 144]].mean(0))
    np.testing.assert_array_equal(five[2:], many[[30, 48, 54]])
    np.testing.assert_array_equal(mesh.reduce(many, 5), five)
    with pytest.raises(KeyError):
        mesh.reduce(five, 68)


def test_the_square_of_a_turned_face_is_level():
    matrix = square_at(np.array([50.0, 50.0]), 20, np.pi / 2, detector.SIDE)
    left, right = (matrix @ [50, y, 1] for y in (45, 55))  # one eye above the other
    assert left[1] == pytest.approx(right[1])
    assert left[0] < right[0]
