"""The page in a real browser, against the real server, the real styles and the examples."""

import io
import json
import re
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import av
import httpx
import numpy as np
import pytest
from browser import chromium, serving
from PIL import Image

from sakuga.cli import main

pytest.importorskip("fastapi", reason="the server needs the extra 'serve'")
sync = pytest.importorskip("playwright.sync_api", reason="the page is tested through playwright")
expect = sync.expect
expect.set_options(timeout=20_000)  # a busy machine is slow, and passing does not wait

EXAMPLES = Path(__file__).parents[2] / "examples"
ASTRONAUT, CHELSEA, COFFEE = (EXAMPLES / f"{name}.jpg" for name in ("astronaut", "chelsea", "coffee"))
PAN = EXAMPLES / "pan.mp4"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
SLIDER = ".pair [role=slider]"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("none")) as address:
        yield address


@pytest.fixture
def visit(browser, site):
    """Return a function that opens the page; afterwards nothing may have gone wrong in it or gone elsewhere."""
    contexts, wrong = [], []

    def watch(request):
        if urlsplit(request.url).scheme not in ("blob", "data") and not request.url.startswith(f"{site}/"):
            wrong.append(f"a request to {request.url}")

    def console(message):
        # The browser logs every refusal by the server; those that a test provokes are no fault of the page.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            wrong.append(message.text)

    def open(viewport=DESKTOP, script=None, touch=False):
        context = browser.new_context(viewport=viewport, reduced_motion="reduce", has_touch=touch)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", watch)
        page.on("console", console)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        if script:
            page.add_init_script(script)
        page.goto(site)
        expect(page.get_by_role("radio", name="Hosoda")).to_be_checked()
        return page

    yield open
    for context in contexts:
        context.close()
    assert wrong == []


def choose(page, *files):
    """Give files through the browser's own dialog."""
    with page.expect_file_chooser() as chooser:
        page.locator("[data-do=choose]:visible").first.click()
    chooser.value.set_files(files)


def style(page, title):
    page.get_by_role("radio", name=title).check()


def row(page, n=1):
    return page.locator(f"#rows li:nth-child({n})")


def painted(page, n=1, style=None):
    """Wait until the nth file is painted, in a style if one is named."""
    expect(row(page, n)).to_have_attribute("data-status", "done")
    if style:
        expect(row(page, n).locator(".note")).to_contain_text(style)


def download(page, link):
    with page.expect_download() as event:
        link.click()
    return event.value.suggested_filename, event.value.path().read_bytes()


def stylized(source, target, *options):
    """What the command makes of a file."""
    assert main([str(source), "-o", str(target), *options]) == 0
    return target


def screenshot(locator):
    return Image.open(io.BytesIO(locator.screenshot())).convert("RGB")


def distance(a, b):
    """The mean difference of two pictures, of 255, at 128x128 pixels."""
    small = [np.asarray(picture.convert("RGB").resize((128, 128)), float) for picture in (a, b)]
    return abs(small[0] - small[1]).mean()


def test_a_picture_is_painted_and_downloaded_as_the_command_makes_it(visit, tmp_path):
    photo = tmp_path / "Ünïcødé 写真 (1).jpg"
    photo.write_bytes(ASTRONAUT.read_bytes())
    page = visit()
    style(page, "Hayao")
    page.get_by_label("Strength").fill("70")
    page.get_by_label("Keep the colours").check()
    choose(page, photo)
    painted(page, style="Hayao")
    made = stylized(photo, tmp_path / "made.jpg", "-s", "hayao", "--strength", "0.7", "--keep-color")

    for link in (page.locator("#save"), row(page).get_by_role("link")):
        name, data = download(page, link)
        assert name == "Ünïcødé 写真 (1).hayao.jpg"
        assert data == made.read_bytes()


def test_the_options_of_size_format_and_metadata_reach_the_server(visit, tmp_path):
    exif = Image.Exif()
    exif[0x013B] = "the author"
    photo = tmp_path / "photo.jpg"
    Image.open(COFFEE).save(photo, exif=exif)
    page = visit()
    choose(page, photo)
    painted(page)
    assert Image.open(io.BytesIO(download(page, page.locator("#save"))[1])).getexif()[0x013B] == "the author"
    page.get_by_text("Size, format, metadata").click()
    page.get_by_label("Format").select_option("png")
    page.get_by_label("Longest side").evaluate("select => select.add(new Option('300', 300))")
    page.get_by_label("Longest side").select_option("300")
    page.get_by_label("Remove all metadata").check()
    expect(row(page).locator(".note")).to_contain_text("300×200")  # 600x400 halved
    painted(page)
    name, data = download(page, page.locator("#save"))
    assert name == "photo.hosoda.png"
    assert not Image.open(io.BytesIO(data)).getexif()
    made = Image.open(stylized(photo, tmp_path / "made.png", "--max-side", "300"))
    assert np.array_equal(Image.open(io.BytesIO(data)), made)


def test_the_divider_moves_by_keys_and_mouse_and_shows_both_sides(visit, tmp_path):
    page = visit()
    choose(page, ASTRONAUT)
    painted(page)
    slider, pair = page.locator(SLIDER), page.locator(".pair")
    expect(slider).to_have_attribute("aria-valuenow", "50")
    slider.focus()
    for key, place in (("ArrowLeft", 48), ("ArrowRight", 50), ("Shift+ArrowRight", 60), ("PageDown", 50), ("Home", 0)):
        page.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuenow", str(place))
    photo, made = Image.open(ASTRONAUT), Image.open(stylized(ASTRONAUT, tmp_path / "made.jpg"))
    result = screenshot(pair)
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "100 % original")
    original = screenshot(pair)
    assert distance(result, made) < distance(result, photo) / 2
    assert distance(original, photo) < distance(original, made) / 2

    box = pair.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 80)
    page.mouse.up()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 80)
    assert int(slider.get_attribute("aria-valuenow")) in (24, 25, 26)


def test_a_change_paints_again_and_drops_the_answer_that_is_no_longer_wanted(visit):
    page = visit()
    asked, gone = [], []

    def asks_for(request):
        return re.search(rb'name="style"\r\n\r\n([\w-]+)', request.post_data_buffer)[1].decode()

    def answer(route):
        asked.append(asks_for(route.request))
        if asked[-1] != "hayao":  # which is never answered
            route.continue_()

    page.route("**/v1/stylize", answer)
    page.on("requestfailed", lambda request: gone.append((asks_for(request), request.failure)))
    page.get_by_role("button", name="Try a sample").click()
    painted(page, style="Hosoda")
    style(page, "Hayao")
    expect(row(page)).to_have_attribute("data-status", "painting")
    expect(page.locator("#save")).to_have_attribute("aria-disabled", "true")
    style(page, "Paprika")
    painted(page, style="Paprika")
    assert gone == [("hayao", "net::ERR_ABORTED")]
    # A slider that is dragged fires for every step; only where it rests is painted.
    page.get_by_label("Strength").evaluate(
        """slider => [80, 60, 40, 20].forEach((value) => {
             slider.value = value;
             slider.dispatchEvent(new Event("input", { bubbles: true }));
           })"""
    )
    with page.expect_response("**/v1/stylize") as response:
        pass
    assert b'name="strength"\r\n\r\n0.2\r\n' in response.value.request.post_data_buffer
    painted(page)
    assert asked == ["hosoda", "hayao", "paprika", "paprika"]


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
        painted(page, n)
    sentence = httpx.post(f"{site}/v1/stylize", files={"file": ("broken.jpg", broken.read_bytes())}).json()["error"]
    expect(row(page, 2).locator(".note")).to_have_text(sentence)
    expect(row(page, 3).locator(".note")).to_have_text("The file is empty, or a folder.")
    assert len(most) == 4  # the empty one is not sent
    assert max(most) == 2

    name, data = download(page, page.get_by_role("button", name="Download all (3 of 5)"))
    assert name == "sakuga.zip"
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    assert archive.namelist() == ["coffee.hosoda.jpg", "chelsea.hosoda.jpg", "chelsea.hosoda (2).jpg"]
    assert archive.read("coffee.hosoda.jpg") == download(page, row(page, 1).get_by_role("link"))[1]
    row(page, 4).get_by_role("button", name="chelsea.jpg").first.click()
    expect(page.locator(".pair .after img")).to_have_attribute("alt", "chelsea.jpg in the style Hosoda")
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
    painted(page)
    expect(page.locator(SLIDER)).to_be_visible()
    name, data = download(page, page.locator("#save"))
    assert name == "pan.hosoda.mp4"
    made = stylized(PAN, tmp_path / "made.mp4")
    frames, wanted = (
        [frame.to_ndarray(format="rgb24") for frame in av.open(file).decode(video=0)]
        for file in (io.BytesIO(data), made)
    )
    assert len(frames) == 30
    assert np.array_equal(frames, wanted)


def tab_to(page, selector):
    """Press Tab until the element is reached; whatever is reached on the way shows that it has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement !== document.body"):
            assert page.evaluate(
                """() => {
                  const here = document.activeElement;
                  const drawn = [here, here.nextElementSibling].filter(Boolean).map((one) => getComputedStyle(one));
                  const knob = getComputedStyle(here, "::after");
                  return drawn.some((style) => style.outlineStyle !== "none") || knob.boxShadow.includes("4px");
                }"""
            ), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached with Tab")


def test_with_the_keyboard_alone(visit):
    page = visit()
    tab_to(page, "#empty [data-do=sample]")
    page.keyboard.press("Enter")
    painted(page, style="Hosoda")
    tab_to(page, SLIDER)
    page.keyboard.press("ArrowRight")
    expect(page.locator(SLIDER)).to_have_attribute("aria-valuenow", "52")
    tab_to(page, "[name=style]")
    page.keyboard.press("ArrowRight")
    painted(page, style="Cel")
    tab_to(page, "#save")
    with page.expect_download() as event:
        page.keyboard.press("Enter")
    assert event.value.suggested_filename == "sample.cel.jpg"


def test_on_a_phone_nothing_is_wider_than_the_screen(visit, tmp_path):
    long = tmp_path / f"{'long' * 30}.jpg"
    long.write_bytes(COFFEE.read_bytes())
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    page = visit(PHONE, touch=True)

    def fits():
        return page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    assert fits()
    choose(page, long, broken)
    painted(page)
    expect(row(page, 2)).to_have_attribute("data-status", "failed")
    box = page.locator(".pair").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.75, box["y"] + 20)
    assert int(page.locator(SLIDER).get_attribute("aria-valuenow")) in (74, 75, 76)
    page.get_by_text("Size, format, metadata").click()
    assert fits()
    page.get_by_role("button", name="Camera").click()
    assert fits()


def test_the_camera(visit):
    page = visit()
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the picture").click()
    painted(page)
    expect(page.get_by_role("dialog")).to_be_hidden()
    name, data = download(page, page.locator("#save"))
    assert re.fullmatch(r"camera-\d{6}\.hosoda\.jpg", name)
    assert Image.open(io.BytesIO(data)).width > 100
    assert page.locator("#camera video").evaluate("video => video.srcObject") is None  # and its light is off


@pytest.mark.parametrize(("name", "sentence"), [("NotAllowedError", "may not use"), ("NotFoundError", "no camera")])
def test_a_camera_that_is_refused_or_absent_is_explained(visit, name, sentence):
    refusal = f"async () => {{ throw new DOMException('', '{name}'); }}"
    page = visit(script=f"navigator.mediaDevices.getUserMedia = {refusal}")
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(page.get_by_role("button", name="Take the picture")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_format_that_browsers_cannot_show_is_shown_reduced_and_downloaded_whole(visit, tmp_path):
    scan = tmp_path / "scan.tif"
    Image.open(COFFEE).save(scan)
    page = visit()
    choose(page, scan)
    painted(page)
    expect(page.locator("#blank")).to_contain_text("browsers cannot show TIF files")
    expect(page.locator(SLIDER)).to_be_visible()
    page.locator(SLIDER).press("End")
    assert distance(screenshot(page.locator(".pair")), Image.open(COFFEE)) < 10
    name, data = download(page, page.locator("#save"))
    assert name == "scan.hosoda.tif"
    assert Image.open(io.BytesIO(data)).format == "TIFF"


def test_a_photo_on_its_side_stands_upright_on_both_sides(visit, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    side = tmp_path / "side.jpg"
    Image.open(COFFEE).save(side, exif=exif)
    page = visit()
    choose(page, side)
    painted(page)
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
        painted(page, n)
        expect(row(page, n).locator(".name")).to_have_text(name)


def test_the_last_style_is_remembered(visit):
    page = visit()
    style(page, "Shinkai")
    page.reload()
    expect(page.get_by_role("radio", name="Shinkai")).to_be_checked()


def test_a_busy_server_is_asked_again(visit):
    page = visit()
    refusals, body = [429, 503], '{"error": "Busy.", "code": "busy"}'

    def refuse(route):
        if not refusals:
            return route.continue_()
        return route.fulfill(status=refusals.pop(), headers={"Retry-After": "1"}, body=body)

    page.route("**/v1/stylize", refuse)
    choose(page, CHELSEA)
    expect(row(page).locator(".note")).to_have_text("The server is busy: asking again in 1 s.")
    painted(page)
    assert refusals == []


def test_no_object_url_outlives_its_picture(visit):
    count = """
      const alive = (window.alive = new Set());
      const [create, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
      URL.createObjectURL = (blob) => { const url = create.call(URL, blob); alive.add(url); return url; };
      URL.revokeObjectURL = (url) => { alive.delete(url); revoke.call(URL, url); };
    """
    page = visit(script=count)
    choose(page, CHELSEA, COFFEE)
    painted(page, 1)
    painted(page, 2)
    style(page, "Cel")
    painted(page, 1, "Cel")
    painted(page, 2, "Cel")
    assert page.evaluate("alive.size") <= 4  # before and after of two pictures
    for _ in range(2):
        row(page).get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name="Try a sample")).to_be_visible()
    assert page.evaluate("alive.size") == 0


def test_a_server_that_is_gone_is_named_as_the_reason(visit):
    page = visit()
    page.route("**/v1/stylize", lambda route: route.abort())
    choose(page, CHELSEA)
    expect(row(page).locator(".note")).to_contain_text("The server does not answer")
    page.unroute("**/v1/stylize")
    row(page).get_by_role("button", name="again").click()
    painted(page)
