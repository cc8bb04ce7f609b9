"""Frames of faces on cards: what they must say, and what may then be set."""

import json

import pytest
from made_style import CARD

from sakuga.errors import SakugaError
from sakuga.faces.frame import FaceFrame
from sakuga.style.card import Card

FIVE = [[20, 24], [44, 24], [32, 34], [23, 45], [41, 45]]
FRAME = {"template": FIVE, "side": 64}


def card(**changes):
    return Card.from_json(json.dumps({**CARD, **changes}))


def test_a_frame_round_trips_and_asks_for_what_is_a_face():
    made = card(frame={**FRAME, "max_side": 256, "of a later version": 1})
    assert made.frame == FaceFrame(tuple(map(tuple, FIVE)), 64, 256)
    assert Card.from_json(made.to_json()) == made
    assert [(one.name, one.names, one.default) for one in made.settings] == [("frame", ("faces", "whole"), "faces")]
    assert card().settings == []


@pytest.mark.parametrize(
    "frame",
    [
        3,
        {},
        {"side": 64},
        {"template": "abcde", "side": 64},
        {"template": FIVE[:4], "side": 64},
        {"template": [[1, 2, 3]] * 5, "side": 64},
        {"template": [FIVE[0]] * 5, "side": 64},
        {"template": [[1, "2"], *FIVE[1:]], "side": 64},
        {"template": [[1, float("nan")], *FIVE[1:]], "side": 64},
        {"template": [[1, [[[]]]], *FIVE[1:]], "side": 64},
        {"template": FIVE},
        {"template": FIVE, "side": 10**6},
        {"template": FIVE, "side": 64, "max_side": 32},
        {"template": FIVE, "side": 64.0},
        {"template": {"0": 1}, "side": 64},
    ],
)
def test_a_frame_that_cannot_be(frame):
    with pytest.raises(SakugaError, match="card's frame must"):
        card(frame=frame)


def test_what_does_not_go_with_a_frame():
    for other in ({"size": [32, 64]}, {"scale": 2}):
        with pytest.raises(SakugaError, match="card's frame must be of the size"):
            card(frame=FRAME, **other)
    with pytest.raises(SakugaError, match="card's inputs may not have the name frame"):
        card(frame=FRAME, inputs=[{"name": "image", "kind": "picture"}, {"name": "frame", "kind": "number"}])
