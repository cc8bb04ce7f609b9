"""What a style asks for beside the picture, on the webcam's page."""

import json
from io import BytesIO

import numpy as np
import pytest
from browser import chromium
from camera_clips import ask, pixels, served
from made_style import make_style
from PIL import Image


@pytest.fixture(autouse=True)
def asks(style_folder):
    return make_style(style_folder / "asks.onnx", "asks")


def gray_png(value):
    file = BytesIO()
    Image.new("L", (16, 16), value).save(file, "PNG")
    return file.getvalue()


def inputs(server):
    state = json.loads(ask(server, "/state.json").read())
    (found,) = (one["inputs"] for one in state["styles"] if one["name"] == "asks")
    return state["style"], {one["name"]: one for one in found}


def give(server, name, value, style="asks"):
    answer = ask(server, f"/input?style={style}&name={name}", "POST", value)
    return answer.status, answer.read().decode()


def shown(server):
    """The mean color of what is stylised, once the frame that was in the making is past."""
    number = 0
    for _ in range(3):
        answer = ask(server, f"/frame.jpg?after={number}")
        number = answer.headers["X-Frame"]
    both = pixels(answer.read())
    return both[:, both.shape[1] // 2 + 4 :].mean((0, 1))


def test_inputs_are_given_one_by_one_and_kept(clip):
    with served(clip) as server:
        status, sentence = inputs(server), ask(server, "/style", "POST", b"asks").read().decode()
        assert status[0] == "neg"
        assert set(status[1]) == {"tint", "gain", "other", "z"}
        assert sentence == "style asks needs tint, one of red, green, blue: give it below the styles"
        assert give(server, "tint", b"green")[0] == 422  # kept, but the picture is missing
        assert inputs(server)[0] == "neg"
        assert give(server, "other", gray_png(0)) == (204, "")
        assert inputs(server)[0] == "asks"
        color = shown(server)
        assert color.argmax() == 1
        assert give(server, "tint", b"blue") == (204, "")
        assert shown(server).argmax() == 2
        assert inputs(server)[1]["tint"]["default"] == "blue"  # as other viewers see it
        assert ask(server, "/style", "POST", b"neg").status == 204
        assert ask(server, "/style", "POST", b"asks").status == 204  # nothing needs to be given again
        changes = int(ask(server, "/frame.jpg").headers["X-Changes"])
        give(server, "gain", b"0.5")
        assert int(ask(server, "/frame.jpg").headers["X-Changes"]) == changes + 1


@pytest.mark.parametrize(
    ("name", "value", "status", "says"),
    [
        ("gain", b"99", 422, "gain must be"),
        ("gain", b"\xff\xfe", 422, "gain must be"),
        ("tint", b"pink", 422, "red, green, blue"),
        (
            "other",
            b"/etc/passwd",
            422,
            "other: the input is not a picture",
        ),  # bytes of a picture, never the path of one
        ("hue", b"1", 404, "there is no input 'hue' of style asks"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(clip, name, value, status, says):
    with served(clip) as server:
        give(server, "tint", b"green")
        give(server, "other", gray_png(0))
        before = inputs(server)
        found = give(server, name, value)
        assert (found[0], says in found[1], inputs(server)) == (status, True, before), found
        assert give(server, "gain", b"1", style="gone")[0] == 404


def test_a_body_that_is_not_read_is_no_request(clip):
    with served(clip) as server:
        for path, size in (("/input?style=asks&name=other", 1 << 30), ("/style", 2000), ("/elsewhere", 100)):
            answer = ask(server, path, "POST", None, **{"Content-Length": str(size)})
            assert (answer.status in (400, 404), answer.headers["Connection"]) == (True, "close")


def test_the_page_has_a_control_for_each(clip, tmp_path):
    (tmp_path / "b.png").write_bytes(gray_png(0))
    with served(clip) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(server.address)
        page.locator("#facts", has_text="64×48").wait_for()
        assert page.locator("#asked").is_hidden()
        page.get_by_role("radio", name="asks").check(force=True)
        page.locator("#message", has_text="style asks needs other").wait_for()  # its tint is red
        page.wait_for_timeout(300)  # frames go on, and the sentence stays
        assert "needs other" in page.locator("#message").text_content()
        page.locator("#set-tint").select_option("blue")
        page.locator("#set-other").set_input_files(tmp_path / "b.png")
        page.locator("#message").wait_for(state="hidden")
        page.locator("#set-gain").fill("0.5")
        page.wait_for_function(
            """async () => (await (await fetch('state.json')).json()).styles
                .find(({ name }) => name === 'asks').inputs.find(({ name }) => name === 'gain').default === 0.5"""
        )
        assert shown(server).argmax() == 2
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.screenshot(path=tmp_path / "page.png", full_page=True)
        page.set_viewport_size({"width": 1200, "height": 800})
        page.screenshot(path=tmp_path / "wide.png", full_page=True)
        assert wrong == []
        other = browser.new_page()  # who comes later sees what holds
        other.goto(server.address)
        assert other.locator("#set-gain").input_value() == "0.5"
        assert other.locator("#set-tint").input_value() == "blue"


def test_a_picture_is_the_reference(clip):
    with served(clip) as server:
        give(server, "tint", b"red")
        means = []
        for value in (0, 200):
            give(server, "other", gray_png(value))
            means.append(shown(server)[1])
        assert means[1] - means[0] > 50
        assert np.isfinite(means).all()
