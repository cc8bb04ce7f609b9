"""Faces of pictures: with the real networks where they are, and a sentence where they are not."""

import numpy as np
import pytest
from PIL import Image

from sakuga.errors import UsageError
from sakuga.faces import weights
from sakuga.faces.find import Face, find_faces, is_same
from sakuga.runtime.home import cache_folder

ASTRONAUT = "examples/astronaut.jpg"
EYES = np.array([[203, 101], [246, 103]])  # the pupils, read off the picture


def test_without_the_extra_and_without_the_networks(tmp_path, monkeypatch):
    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path))
    installed = []
    monkeypatch.setattr(weights, "find_spec", lambda name: installed)
    with pytest.raises(UsageError, match=r"sakuga\[faces\].*frame=whole"):
        weights.Network(weights.MESH)
    installed.append("ai_edge_litert")
    with pytest.raises(UsageError, match=r"sakuga download faces.*frame=whole"):
        weights.Network(weights.MESH)


def test_the_same_face():
    points = np.array([[0.0, 0], [10, 0], [5, 5], [1, 10], [9, 10]])
    assert is_same(Face(points), Face(points + 3))
    assert not is_same(Face(points), Face(points + np.array([12, 0])))
    assert Face(points).eyes == 10
    np.testing.assert_array_equal(Face(points).box, [0, 0, 10, 10])


@pytest.fixture(scope="module")
def astronaut(request):
    pytest.importorskip("ai_edge_litert", reason="the extra faces is not installed")
    if not (cache_folder() / weights.DETECTOR).is_file():
        pytest.skip("sakuga download faces was not run")
    return np.asarray(Image.open(request.config.rootpath / ASTRONAUT))


@pytest.mark.parametrize("turns", range(4))
def test_a_face_however_it_is_turned(astronaut, turns):
    (face,) = find_faces(np.rot90(astronaut, turns))
    eyes = EYES
    for _ in range(turns):
        eyes = np.stack([eyes[:, 1], 511 - eyes[:, 0]], 1)
    assert np.abs(face.landmarks(5)[:2] - eyes).max() < 4


def test_several_faces_small_ones_and_none(astronaut):
    wall = np.full((600, 1600, 3), 128, np.uint8)
    assert find_faces(wall) == []
    for x, side in ((40, 512), (700, 200), (1000, 100)):
        wall[40 : 40 + side, x : x + side] = Image.fromarray(astronaut).resize((side, side))
    found = sorted(find_faces(wall), key=lambda face: face.points[0, 0])
    np.testing.assert_allclose([face.eyes for face in found], [44, 17, 8.6], rtol=0.2)
