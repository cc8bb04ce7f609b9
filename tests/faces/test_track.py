"""Faces followed through a video, with a detector and a mesh that tell where the bright square is."""

import numpy as np
import pytest

from sakuga.faces import track
from sakuga.faces.find import Face
from sakuga.faces.track import EVERY, FaceTracker

SHAPE = np.random.default_rng(0).uniform(-1, 1, (468, 2))
SHAPE[[33, 160, 158, 133, 153, 144]] = [-0.5, -0.3]
SHAPE[[362, 385, 387, 263, 373, 380]] = [0.5, -0.3]
RNG = np.random.default_rng(1)


def frame(*places):
    rgb = np.zeros((120, 200, 3), np.uint8)
    for x, y in places:
        rgb[y - 9 : y + 10, x - 9 : x + 10] = 255
    return rgb


def measured(rgb, near=None):
    """Points around the middle of what is bright (near some point), which tremble by half a pixel."""
    y, x = np.nonzero(rgb[..., 0])
    if near is not None:
        close = np.hypot(x - near[0], y - near[1]) < 30
        x, y = x[close], y[close]
    if not len(x):
        return SHAPE, 0.0
    center = np.array([x.mean(), y.mean()])
    return center + 20 * SHAPE + RNG.normal(0, 0.5, (468, 2)), 0.9


@pytest.fixture(autouse=True)
def finders(monkeypatch):
    looks = []

    def find(rgb, *, levels):
        looks.append(levels)
        halves = [rgb.copy(), rgb.copy()]
        halves[0][:, 100:], halves[1][:, :100] = 0, 0
        return [Face(points) for points, score in map(measured, halves) if score]

    monkeypatch.setattr(track, "find_faces", find)
    monkeypatch.setattr(track, "relocate", lambda rgb, points, run: measured(rgb, points.mean(0)))
    monkeypatch.setattr(track, "network", lambda name: None)
    return looks


def middle(face):
    return face.points.mean(0) - 20 * SHAPE.mean(0)


def test_a_face_that_is_still_hardly_trembles_and_one_that_moves_is_followed(finders):
    tracker = FaceTracker()
    still = np.array([tracker(frame((60, 60)))[0].points for _ in range(20)])[8:]
    assert np.abs(np.diff(still, axis=0)).mean() < 0.3 * np.sqrt(2) * 0.5 * 0.8  # of what is measured, less than 0.3
    moving = [middle(tracker(frame((60 + 3 * t, 60)))[0])[0] - 60 - 3 * t for t in range(1, 12)]
    assert np.abs(moving).max() < 1
    assert len(finders) == -(-31 // EVERY)


def test_faces_that_come_and_go(finders):
    tracker = FaceTracker()
    assert tracker(frame()) == []
    for _ in range(EVERY):
        found = tracker(frame((40, 60), (150, 70)))
    assert sorted(np.round([middle(face)[0] for face in found], -1)) == [40, 150]
    before = len(finders)
    assert len(tracker(frame((150, 70)))) == 1  # one is lost, so it is looked for everywhere
    assert len(finders) == before + 1
    assert tracker.seen > 0


def test_another_goes_on_from_the_state():
    global RNG
    films = [frame((40 + t, 60), (150, 60 + t)) for t in range(2 * EVERY)]
    results = []
    for stop in (None, 5):
        RNG = np.random.default_rng(2)
        tracker = FaceTracker()
        for number, one in enumerate(films):
            if number == stop:
                state = tracker.state()
                tracker = FaceTracker()
                tracker.restore(state)
            found = tracker(one)
        results.append((tracker.seen, [face.points for face in found]))
    assert results[0][0] == results[1][0]
    np.testing.assert_array_equal(results[0][1], results[1][1])
