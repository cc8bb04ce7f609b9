"""What a style asks for beside the photo, in the list of styles, a form and an address; the options of a look."""

import dataclasses
from io import BytesIO

import httpx
import numpy as np
import pytest
from running import picture, running, video, wait_for
from test_refusals import check
from test_stylize import pixels

from sakuga.stylizer import Look, Stylizer


@pytest.fixture(scope="module")
def asking(made_style):
    with running([made_style("asks")]) as server:
        yield server


@pytest.fixture
def stylized(made_style):
    """What the Stylizer makes of a picture."""

    def make(data, **inputs):
        return np.asarray(Stylizer(made_style("asks"), inputs=inputs)(BytesIO(data))).astype(int)

    return make


def send(server, *, other=True, **fields):
    files = {"file": ("a.png", picture())} | ({"other": ("b.png", picture(16, 16))} if other else {})
    return server.client.post("/v1/stylize", files=files, data=fields)


def test_the_list_says_what_a_style_asks_for(asking):
    (style,) = asking.client.get("/v1/styles").json()["styles"]
    asked = {one["name"]: one for one in style["inputs"]}
    assert set(asked) == {"tint", "gain", "other", "z"}  # not the photo
    assert (asked["tint"]["kind"], asked["tint"]["names"]) == ("choice", ["red", "green", "blue"])
    assert asked["other"]["required"]
    assert asking.client.get(style["thumbnail"]).headers["content-type"] == "image/jpeg"


def test_a_form_sets_it(asking, stylized):
    answer = send(asking, tint="green", gain="0.5")
    assert answer.status_code == 200, answer.text
    expected = stylized(picture(), other=picture(16, 16), tint="green", gain=0.5)
    np.testing.assert_array_equal(pixels(answer.content), expected)
    assert abs(pixels(send(asking, tint="red", gain="0.5").content) - expected).mean() > 1


def test_an_address_sets_what_is_no_picture(asking):
    files = {"file": ("a.png", picture()), "other": ("b.png", picture(16, 16))}
    answer = asking.client.post("/v1/stylize", params={"tint": "blue", "gain": "0.5"}, files=files)
    assert answer.content == send(asking, tint="blue", gain="0.5").content


def test_what_is_wrong_is_named(asking, server):
    assert "gain" in check(send(asking, tint="green", gain="99"), 422, "bad_option").json()["error"]
    assert "red, green, blue" in check(send(asking, tint="pink"), 422, "bad_option").json()["error"]
    assert "no option hue" in check(send(asking, hue="1"), 422, "bad_option").json()["error"]
    assert "needs a picture" in check(send(asking, other=False, tint="red"), 422, "bad_option").json()["error"]
    assert "no option tint" in check(send(server, other=False, tint="red"), 422, "bad_option").json()["error"]


def test_a_text_is_never_taken_for_the_path_of_a_picture(asking, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture(16, 16))
    named = {"tint": "red", "other": str(secret)}
    form = asking.client.post("/v1/stylize", files={"file": ("a.png", picture())}, data=named)
    for answer in (form, asking.client.post("/v1/stylize", params=named, content=picture())):
        assert "sent as a file" in check(answer, 422, "bad_option").json()["error"]


def test_a_further_picture_meets_the_same_limits(asking, made_style):
    files = {"file": ("a.png", picture()), "other": ("b.png", b"no picture")}
    refused = check(asking.client.post("/v1/stylize", files=files, data={"tint": "red"}), 415, "no_picture")
    assert refused.json()["error"].startswith("other: The file is not a picture")
    with running([made_style("asks")], max_pixels=5000) as server:
        files["other"] = ("b.png", picture(100, 100))
        check(server.client.post("/v1/stylize", files=files, data={"tint": "red"}), 413, "too_many_pixels")


def test_a_video_takes_it_too(asking):
    files = {"file": ("a.mp4", video()), "other": ("b.png", picture(16, 16))}
    job = asking.client.post("/v1/video", files=files, data={"tint": "green", "stable": "true"})
    assert job.status_code == 202, job.text
    wait_for(lambda: asking.client.get(job.json()["url"]).json()["status"] == "done")
    files["other"] = ("b.png", b"no picture")
    check(asking.client.post("/v1/video", files=files, data={"tint": "green"}), 415, "no_picture")
    assert len(list(asking.state.folder.iterdir())) == 1


def test_every_option_of_a_look_is_one_of_the_api(server):
    paths = server.client.get("/openapi.json").json()["paths"]
    for path in ("/v1/stylize", "/v1/video"):
        given = {one["name"]: one["schema"] for one in paths[path]["post"]["parameters"]}
        for one in dataclasses.fields(Look):
            assert given[one.name].get("default") == one.default
            assert given[one.name]["description"]
    answer = httpx.post(f"{server.url}/v1/stylize", params={"precision": "fp32"}, content=picture())
    assert answer.status_code == 200


RECORD = """
const send = fetch, sent = [];
window.sent = sent;
window.fetch = (url, options) => {
  const fields = options?.body instanceof FormData ? [...options.body] : null;
  if (fields) sent.push(Object.fromEntries(fields.map(([name, value]) => [name, value.name ?? value])));
  return send(url, options);
};
"""


def test_the_page_has_a_control_for_each(asking, tmp_path):
    from browser import chromium

    (tmp_path / "a.png").write_bytes(picture(64, 48))
    (tmp_path / "b.png").write_bytes(picture(16, 16))
    with chromium() as browser:
        page = browser.new_page()
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.add_init_script(RECORD)
        page.goto(asking.url)
        page.locator("#chooser").set_input_files(tmp_path / "a.png")
        page.locator("#rows li[data-status=failed]").wait_for()
        assert "other: the style" in page.locator("#rows .note").text_content()
        page.locator("#set-tint").select_option("green")
        page.locator("#set-gain").fill("0.5")
        page.locator("#set-other").set_input_files(tmp_path / "b.png")
        page.locator("#rows li[data-status=done]").wait_for()
        page.locator("details summary").click()
        page.locator("#set-precision").select_option("fp32")
        page.locator("#set-brush").fill("2")
        page.wait_for_function("sent.at(-1).precision === 'fp32' && sent.at(-1).brush === '2'")
        sent = page.evaluate("sent.at(-1)")
        assert (sent["tint"], sent["gain"], sent["z"], sent["other"]) == ("green", "0.5", "0", "b.png")
        assert wrong == []
