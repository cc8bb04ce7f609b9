"""The page without a server in a real browser: what it saves is what the command makes, and nothing leaves it."""

import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from browser import executable
from on_page import ASTRONAUT, CHELSEA, COFFEE, choose, download, expect, row, style, stylised
from PIL import Image

from sakuga import Stylizer

ROOT = Path(__file__).parents[2]

# As on a device that can share, which this browser cannot without a screen
SHARE = """
    shared = null;
    navigator.canShare = ({ files }) => files.length > 0;
    navigator.share = async ({ files }) => (shared = files.map(({ name, type, size }) => [name, type, size]));
"""


# As on a device with a GPU that gives no device to compute with
FAILING_GPU = """Object.defineProperty(navigator, "gpu", { value: { requestAdapter: async () => ({
    features: new Set(), limits: {}, requestDevice: () => Promise.reject(new Error("no device")),
}) } });
"""
# Has the worker that is kept for visits without a network begin with a script
KEEP_IN_WORKER = """async (script) => {
    const cache = await caches.open((await caches.keys())[0]);
    const worker = await (await cache.match("page/worker.js")).text();
    const headers = { "Content-Type": "text/javascript" };
    await cache.put("page/worker.js", new Response(script + worker, { headers }));
}"""


def png(page):
    page.get_by_text("Size, format").click()
    page.get_by_label("Format").select_option("png")


def saved(page):
    """The name and the pixels of what the page saves."""
    name, data = download(page, page.locator("#save"))
    return name, np.asarray(Image.open(io.BytesIO(data))).astype(int)


def made(path, name, **options):
    """What the command makes of a file in single precision."""
    return np.asarray(Stylizer(name, precision="fp32", **options)(path)).astype(int)


def resized(path, width, height, alpha=False):
    """A picture of this size; with alpha that has holes, steps and colours below."""
    image = Image.open(ASTRONAUT).resize((width, height))
    if alpha:
        values = np.linspace(0, 255, width * height).reshape(height, width).astype(np.uint8)
        values[: height // 3, : width // 2] = 0
        image.putalpha(Image.fromarray(values))
    image.save(path, compress_level=1)
    return path


BLOCKED = "Service Worker registration blocked"


@pytest.fixture
def small_tiles(browser):
    """A browser's context in which the page cuts what has more than 0.1 megapixels into tiles."""
    script = (ROOT / "site" / "page" / "stylizer.js").read_text()
    limit, answered = "MAX_TILE_PIXELS = 1024 ** 2", []
    assert limit in script
    script = script.replace(limit, "MAX_TILE_PIXELS = 336 ** 2")

    def answer(route):
        answered.append(route)
        route.fulfill(body=script, content_type="text/javascript")

    # The page's service worker would answer in its place, as soon as there is one
    with browser.new_context(service_workers="block", reduced_motion="reduce") as context:
        context.route("**/page/stylizer.js", answer)
        yield context
    assert answered


def test_the_saved_picture_is_what_the_command_makes(visit, small_tiles, tmp_path):
    page = visit(small_tiles, provoked=BLOCKED)
    png(page)
    cases = [
        ("Hosoda", 1, 1, {}),
        ("Shinkai", 203, 131, {"strength": 0.6, "keep_color": True}),  # it knows the whole picture
        ("Cel", 181, 123, {"alpha": True}),
        ("Anime", 1701, 710, {}),  # stylised small and brought up again, as its card says
        ("Shinkai", 351, 330, {"brush": "1"}),  # tiles of every pixel
        ("Oil", 400, 300, {"brush": "2.5", "max_side": 222}),
    ]
    page.get_by_label("Longest side").evaluate("select => select.add(new Option('222', 222))")
    for n, (title, width, height, options) in enumerate(cases):
        photo = resized(tmp_path / f"{n}.png", width, height, alpha=options.pop("alpha", False))
        style(page, title)
        page.get_by_label("Strength").fill(f"{100 * options.get('strength', 1):g}")
        page.get_by_label("Keep the colours").set_checked("keep_color" in options)
        page.get_by_label("Brush").fill(options.get("brush", ""))
        page.get_by_label("Longest side").select_option(str(options.get("max_side", "")))
        choose(page, photo)
        if title == "Anime":  # the longest
            expect(row(page).locator(".note")).to_have_text("A first look, refining …")
            expect(page.get_by_alt_text(f"{n}.png in the style {title}")).to_be_visible()
        expect(row(page)).to_have_attribute("data-status", "done", timeout=120_000)
        name, pixels = saved(page)
        target = made(photo, title.lower(), **options)
        assert name == f"{n}.{title.lower()}.png"
        assert pixels.shape == target.shape
        assert abs(pixels - target).max() <= 1, title
        row(page).get_by_role("button", name="Remove").click()


def test_a_style_of_ones_own_gets_what_it_asks_for(visit, own, tmp_path):
    page = visit()
    png(page)
    choose(page, photo := resized(tmp_path / "photo.png", 111, 70, alpha=True))
    stylised(page)
    style(page, "Made for a test")
    expect(row(page)).to_have_attribute("data-status", "failed")
    expect(row(page).locator(".note")).to_contain_text("The style needs tint")
    page.get_by_label("green").check()
    page.get_by_label("blue").check()
    page.get_by_role("slider", name="Gain").fill("0.5")
    page.get_by_label("Z", exact=True).fill("0, 1, nought, 2")
    expect(row(page).locator(".note")).to_contain_text("z must be 4 numbers")
    inputs = {"tint": ["green", "blue"], "gain": 0.5, "z": [0, -1, 2.5, 2]}
    page.get_by_label("Z", exact=True).fill("0, -1, 2.5, 2")
    stylised(page)
    assert abs(saved(page)[1] - made(photo, own, inputs=inputs)).max() <= 1
    page.locator("#strength").fill("60")  # first: the page waits for sliders, but does not for files
    page.get_by_label("Other").set_input_files(COFFEE)
    stylised(page)
    assert abs(saved(page)[1] - made(photo, own, inputs={**inputs, "other": COFFEE}, strength=0.6)).max() <= 1


def test_photos_that_were_turned_come_out_upright(visit, tmp_path):
    photos = [tmp_path / f"{orientation}.jpg" for orientation in range(1, 9)]
    exif = Image.Exif()
    for orientation, photo in enumerate(photos, 1):
        exif[0x0112] = orientation
        Image.open(CHELSEA).resize((90, 60)).save(photo, exif=exif, quality=95)
    page = visit()
    png(page)
    choose(page, *photos)
    stylised(page, 8)
    for n, photo in enumerate(photos, 1):
        row(page, n).locator(".pick").click()
        name, data = download(page, row(page, n).get_by_role("link"))
        pixels, target = np.asarray(Image.open(io.BytesIO(data))).astype(int), made(photo, "anime")
        assert (name, pixels.shape) == (f"{n}.anime.png", (60, 90, 3) if n < 5 else (90, 60, 3))
        assert abs(pixels - target).max() <= 1


def test_without_another_wish_a_photo_is_saved_in_its_format_and_can_be_shared(visit):
    page = visit(script=SHARE)
    choose(page, CHELSEA)
    stylised(page)
    page.get_by_role("button", name="Share").click()
    name, data = download(page, page.locator("#save"))
    assert (name, Image.open(io.BytesIO(data)).format) == ("chelsea.anime.jpg", "JPEG")
    assert page.evaluate("shared") == [["chelsea.anime.jpg", "image/jpeg", len(data)]]


def test_the_second_visit_needs_no_network_and_has_threads(visit, host, tmp_path):
    """On a device with a GPU, too, whose ONNX Runtime the first visit did not need: then the processor computes."""
    page = visit()
    assert page.evaluate("crossOriginIsolated") is False
    page.evaluate("navigator.serviceWorker.ready")
    page.evaluate(KEEP_IN_WORKER, FAILING_GPU)
    context = page.context
    page.close()
    host.stop()
    page = visit(context)
    assert page.evaluate("crossOriginIsolated") is True
    choose(page, photo := resized(tmp_path / "photo.png", 90, 60))
    style(page, "Hosoda")  # which the first visit did not use, and which paints over another style
    stylised(page, style="Hosoda")
    expect(page.locator("#save")).to_have_attribute("download", "photo.hosoda.png")
    assert abs(saved(page)[1] - made(photo, "hosoda")).max() <= 1
    expect(page.get_by_text("Pictures stay on this device")).to_be_visible()


def test_the_list_shows_the_photo_in_every_style(visit):
    """Also where there is a GPU that fails."""
    page = visit()
    script = FAILING_GPU + (ROOT / "site" / "page" / "worker.js").read_text()
    page.route("**/page/worker.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    choose(page, COFFEE)
    sources = page.locator("#styles img")
    expect(sources).to_have_count(10)
    for n in range(10):
        own = page.locator("#styles input").nth(n).input_value() == "own"  # which asks for more than a picture
        expect(sources.nth(n)).to_have_attribute("src", re.compile("thumbnails/own.jpg$" if own else "^blob:"))


def test_on_a_phone_nothing_covers_the_names_of_the_styles(visit):
    page = visit(size=(360, 640))
    choose(page, ASTRONAUT)
    stylised(page)
    seen = page.locator(".style").evaluate_all(
        """styles => styles.filter((style) => style.getBoundingClientRect().right <= innerWidth).map((style) => {
             const { left, bottom, width } = style.querySelector(".name").getBoundingClientRect();
             return style.contains(document.elementFromPoint(left + width / 2, bottom - 2));
           })"""
    )
    assert seen == [True, True, True]


def huge(path):
    """A PNG whose header says 20,000 by 10,000, and no more."""
    body = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 10_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)))
    return path


def test_what_is_no_picture_or_too_large_is_refused_with_a_sentence(visit, tmp_path):
    text = tmp_path / "photo.jpg"
    text.write_text("no picture")
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"no video")
    page = visit()
    choose(page, text, huge(tmp_path / "huge.png"), clip, CHELSEA)
    stylised(page, 4)
    for n, sentence in enumerate(("no picture that this browser can read", "200 million pixels", "no video that"), 1):
        expect(row(page, n)).to_have_attribute("data-status", "failed")
        expect(row(page, n).locator(".note")).to_contain_text(sentence)


def test_without_the_instructions_that_it_needs_the_page_says_so(browser, host):
    old = ["--no-sandbox", "--js-flags=--no-enable-sse4-1 --no-enable-ssse3"]  # a processor of before 2008
    other = browser.browser_type.launch(executable_path=executable(), args=old)
    page = other.new_page()
    page.goto(host.url)
    expect(page.get_by_role("alert")).to_contain_text("WebAssembly SIMD")
    other.close()
