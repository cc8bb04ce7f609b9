"""The page in a real browser: several files, video, every way in, and formats that browsers do not know."""

import io
import json
import re
import zipfile

import av
import httpx
import numpy as np
import pytest
from on_page import (
    ASTRONAUT,
    CHELSEA,
    COFFEE,
    FOR_FACES,
    PAN,
    SLIDER,
    choose,
    distance,
    download,
    expect,
    row,
    screenshot,
    style,
    stylised,
    stylized,
)
from PIL import Image


def test_several_pictures_of_which_one_is_broken(visit, site, tmp_path):
    broken, empty = tmp_path / "broken.jpg", tmp_path / "empty.png"
    broken.write_bytes(ASTRONAUT.read_bytes()[:3000])
    empty.write_bytes(b"")
    page = visit()
    running, most = set(), []

    def begin(request):
        if request.url.endswith("/v1/stylize"):
            running.add(request)
            most.append(len(running))

    page.on("request", begin)
    page.on("requestfinished", lambda request: running.discard(request))
    choose(page, COFFEE, broken, empty, CHELSEA, CHELSEA)
    for n in (1, 4, 5):
        stylised(page, n)
    sentence = httpx.post(f"{site}/v1/stylize", files={"file": ("broken.jpg", broken.read_bytes())}).json()["error"]
    expect(row(page, 2).locator(".note")).to_have_text(sentence)
    expect(row(page, 3).locator(".note")).to_have_text("The file is empty, or a folder.")
    assert len(most) == 4  # the empty one is not sent
    assert max(most) == 2

    name, data = download(page, page.get_by_role("button", name="Download all (3 of 5)"))
    assert name == "sakuga.zip"
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    assert archive.namelist() == ["coffee.anime.jpg", "chelsea.anime.jpg", "chelsea.anime (2).jpg"]
    assert archive.read("coffee.anime.jpg") == download(page, row(page, 1).get_by_role("link"))[1]
    row(page, 4).get_by_role("button", name="chelsea.jpg").first.click()
    expect(page.locator(".pair .after img")).to_have_attribute("alt", "chelsea.jpg in the style Anime")
    row(page, 3).get_by_role("button", name="Remove").click()
    expect(page.locator("#rows li")).to_have_count(4)


def test_a_video_with_progress_and_cancel(visit, tmp_path):
    page = visit()
    running = {"id": "x", "status": "running", "frames": 12, "total": 30, "seconds_left": 3.4, "error": None}

    def still(route):
        if route.request.method == "GET":
            route.fulfill(body=json.dumps(running), content_type="application/json")
        else:
            route.continue_()

    page.route("**/v1/jobs/*", still)
    choose(page, PAN)
    expect(row(page).locator(".note")).to_have_text("Frame 12 of 30 · about 4 s left")
    assert row(page).locator("progress").evaluate("bar => bar.value") == pytest.approx(12 / 30)
    with page.expect_response(lambda response: response.request.method == "DELETE") as cancelled:
        row(page).get_by_role("button", name="Cancel").click()
    assert cancelled.value.status == 204
    expect(row(page).locator(".note")).to_have_text("Cancelled")

    page.unroute("**/v1/jobs/*")
    row(page).get_by_role("button", name="again").click()
    stylised(page)
    expect(page.locator(SLIDER)).to_be_visible()
    name, data = download(page, page.locator("#save"))
    assert name == "pan.anime.mp4"
    made = stylized(PAN, tmp_path / "made.mp4")
    frames, wanted = (
        [frame.to_ndarray(format="rgb24") for frame in av.open(file).decode(video=0)]
        for file in (io.BytesIO(data), made)
    )
    assert len(frames) == 30
    assert np.array_equal(frames, wanted)


def test_the_camera(visit):
    page = visit()
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the picture").click()
    stylised(page)
    expect(page.get_by_role("dialog")).to_be_hidden()
    name, data = download(page, page.locator("#save"))
    assert re.fullmatch(r"camera-\d{6}\.anime\.jpg", name)
    assert Image.open(io.BytesIO(data)).width > 100
    assert page.locator("#camera video").evaluate("video => video.srcObject") is None  # and its light is off


def test_a_format_that_browsers_cannot_show_is_shown_reduced_and_downloaded_whole(visit, tmp_path):
    scan = tmp_path / "scan.tif"
    Image.open(COFFEE).save(scan)
    page = visit()
    choose(page, scan)
    stylised(page)
    expect(page.locator("#blank")).to_contain_text("browsers cannot show TIF files")
    expect(page.locator(SLIDER)).to_be_visible()
    page.locator(SLIDER).press("End")
    assert distance(screenshot(page.locator(".pair")), Image.open(COFFEE)) < 10
    name, data = download(page, page.locator("#save"))
    assert name == "scan.anime.tif"
    assert Image.open(io.BytesIO(data)).format == "TIFF"


def test_a_photo_on_its_side_stands_upright_on_both_sides(visit, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    side = tmp_path / "side.jpg"
    Image.open(COFFEE).save(side, exif=exif)
    page = visit()
    choose(page, side)
    stylised(page)
    for image in ("before", "after"):
        size = page.locator(f".pair .{image} img").evaluate("image => [image.naturalWidth, image.naturalHeight]")
        assert size == [400, 600]


def test_pictures_are_pasted_and_dropped(visit):
    page = visit()
    for kind, carrier in (("paste", "clipboardData"), ("drop", "dataTransfer")):
        page.evaluate(
            """async ([kind, carrier]) => {
              const data = new DataTransfer();
              data.items.add(new File([await (await fetch("/page/sample.jpg")).blob()], `${kind}.jpg`));
              const event = new Event(kind, { bubbles: true, cancelable: true });
              Object.defineProperty(event, carrier, { value: data });
              document.body.dispatchEvent(event);
            }""",
            [kind, carrier],
        )
    for n, name in ((1, "paste.jpg"), (2, "drop.jpg")):
        stylised(page, n)
        expect(row(page, n).locator(".name")).to_have_text(name)


def test_no_object_url_outlives_its_picture(visit):
    count = """
      const alive = (window.alive = new Set());
      const [create, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
      URL.createObjectURL = (blob) => { const url = create.call(URL, blob); alive.add(url); return url; };
      URL.revokeObjectURL = (url) => { alive.delete(url); revoke.call(URL, url); };
    """
    page = visit(script=count)
    choose(page, CHELSEA, COFFEE)
    stylised(page, 1)
    stylised(page, 2)
    style(page, "Cel")
    stylised(page, 1, "Cel")
    stylised(page, 2, "Cel")
    expect(page.locator("#styles img:not([src^=blob])")).to_have_count(len(FOR_FACES))
    expect(page.locator(".stale")).to_have_count(0)
    previews = page.locator("#styles img").count()
    assert page.evaluate("alive.size") <= 4 + previews  # before and after of two pictures, and one in every style
    for _ in range(2):
        row(page).get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name="Try a sample")).to_be_visible()
    assert page.evaluate("alive.size") == 0
