"""What the browser is given."""

import json
import re
from urllib.parse import unquote

import numpy as np
import pytest
from camera_clips import GRAYS, ask, pixels, served
from made_style import make_style


def test_frames_come_beside_their_stylised_copies(clip):
    with served(clip) as server:
        answer = ask(server, "/frame.jpg")
        both = pixels(answer.read())
        number = int(answer.headers["X-Frame"])
        following = ask(server, f"/frame.jpg?after={number}")
        assert int(following.headers["X-Frame"]) > number
        assert float(following.headers["X-Rate"]) > 0
        assert (following.status, following.headers["X-Style"]) == (200, "neg")
    assert both.shape == (48, 128, 3)
    np.testing.assert_allclose(both[:, 4:60] + both[:, 68:124], 255, atol=8)  # a picture and its negative
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_style_that_enlarges_stands_beside_an_enlarged_picture(clip):
    with served(clip, "double") as server:
        assert pixels(ask(server, "/frame.jpg").read()).shape == (96, 256, 3)


def test_a_number_of_5000_digits_is_none(clip, capfd):
    with served(clip) as server:
        assert ask(server, f"/frame.jpg?after={'9' * 5000}").status == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("view", ["before", "after"])
def test_streams_are_jpegs_without_end(clip, view):
    with served(clip) as server:
        answer = ask(server, f"/{view}.mjpg")
        assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=next"
        seen = set()
        for _ in range(6):
            assert answer.readline() == b"--next\r\n"
            assert answer.readline() == b"Content-Type: image/jpeg\r\n"
            size = int(answer.readline().removeprefix(b"Content-Length: "))
            assert answer.readline() == b"\r\n"
            seen.add(round(pixels(answer.read(size))[-4].mean() / 10) * 10)
            assert answer.readline() == b"\r\n"
    # Lower rows, rounded to tens; of negatives, 255 - gray: 215, 135 and 55.
    assert seen <= ({40, 120, 200} if view == "before" else {210, 220, 130, 140, 50, 60})
    assert len(seen) >= 2


def test_a_snapshot_has_every_value(clip):
    with served(clip) as server:
        answer = ask(server, "/snapshot.png")
        assert answer.headers["Content-Type"] == "image/png"
        assert re.search(r'filename="webcam-[\d-]+\.neg\.png"', answer.headers["Content-Disposition"])
        lower = pixels(answer.read())[-1]
    assert min(abs(lower.mean() - (255 - gray)) for gray in GRAYS) < 4


def test_the_style_can_be_changed(clip):
    with served(clip) as server:
        state = json.loads(ask(server, "/state.json").read())
        assert state["style"] == "neg"
        assert {one["name"] for one in state["styles"]} == {"neg", "same", "double"}
        assert ask(server, "/style", "POST", b"same").status == 204
        number = 0
        for _ in range(3):  # one could be in the making
            answer = ask(server, f"/frame.jpg?after={number}")
            number = answer.headers["X-Frame"]
        assert answer.headers["X-Style"] == "same"
        both = pixels(answer.read())
        np.testing.assert_allclose(both[:, 4:60], both[:, 68:124], atol=8)
        for body in (b"../../etc/passwd", b"gone", "写真".encode(), b"\xff"):
            answer = ask(server, "/style", "POST", body)
            assert (answer.status, b"choose one of the page" in answer.read()) == (404, True)
        assert ask(server, "/style", "POST", b"x" * 2000).status == 400
        assert ask(server, "/style", "POST").status == 400
        assert ask(server, "/elsewhere", "POST", b"same").status == 404
        assert ask(server, "/elsewhere").status == 404
        assert json.loads(ask(server, "/state.json").read())["style"] == "same"


@pytest.mark.parametrize("name", ["写真", "é", "a\r\nX-Evil: 1", 'a"; b'])
def test_a_style_file_may_be_called_anything(clip, tmp_path, name):
    style = make_style(tmp_path / f"{name}.onnx", "invert", name="neg")
    with served(clip, style) as server:
        answer = ask(server, "/frame.jpg")
        assert (answer.status, unquote(answer.headers["X-Style"])) == (200, name)
        assert answer.headers["X-Evil"] is None
        answer = ask(server, "/snapshot.png")
        assert answer.headers["X-Evil"] is None
        assert unquote(answer.headers["Content-Disposition"].rpartition("''")[2]).endswith(f".{name}.png")


def test_viewers_that_leave_are_no_trouble(clip, capfd):
    with served(clip) as server:
        for _ in range(5):
            answer = ask(server, "/after.mjpg")
            answer.read(100)
            answer.connection.sock and answer.connection.close()
            answer.close()
        assert ask(server, "/frame.jpg").status == 200
    assert "Traceback" not in capfd.readouterr().err
