"""A style for faces behind the API: the whole picture as a face, and a picture without one."""

import numpy as np
import pytest
from made_style import make_style
from running import picture, running
from test_stylize import pixels

from sakuga.stylizer import stylizer

FRAME = {"template": [[24, 28], [40, 28], [32, 35], [27, 42], [37, 42]], "side": 64}


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(stylizer, "find_faces", lambda rgb: [])
    with running([make_style(tmp_path / "faced.onnx", "invert", frame=FRAME)]) as server:
        yield server


def test_a_face_or_the_whole(server):
    (style,) = server.client.get("/v1/styles").json()["styles"]
    assert [(one["name"], one["names"]) for one in style["inputs"]] == [("frame", ["faces", "whole"])]
    assert server.client.get(style["thumbnail"]).status_code == 200
    files = {"file": ("a.png", picture())}
    answer = server.client.post("/v1/stylize", files=files)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_face")
    answer = server.client.post("/v1/stylize", files=files, data={"frame": "whole"})
    assert answer.status_code == 200, answer.text
    np.testing.assert_array_equal(pixels(answer.content), 255 - pixels(picture()))


def test_styles_for_faces_are_listed_last(tmp_path):
    made = [make_style(tmp_path / "a.onnx", "invert"), make_style(tmp_path / "b.onnx", "invert", frame=FRAME)]
    with running([*made, make_style(tmp_path / "c.onnx", "invert")]) as server:
        assert [one["name"] for one in server.client.get("/v1/styles").json()["styles"]] == ["a", "c", "b"]
