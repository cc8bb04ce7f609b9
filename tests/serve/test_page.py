"""The page in a real browser, against the real server, the real styles and the examples: one picture."""

import io
import re

import httpx
import numpy as np
import pytest
from on_page import (
    ASTRONAUT,
    CHELSEA,
    COFFEE,
    FOR_FACES,
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
    tab_to,
)
from PIL import Image

from sakuga.style import EMBEDDED


def test_a_picture_is_stylised_and_downloaded_as_the_command_makes_it(visit, tmp_path):
    photo = tmp_path / "Ünïcødé 写真 (1).jpg"
    photo.write_bytes(ASTRONAUT.read_bytes())
    page = visit()
    style(page, "Hayao")
    page.get_by_label("Strength").fill("70")
    page.get_by_label("Keep the colours").check()
    choose(page, photo)
    stylised(page, style="Hayao")
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
    stylised(page)
    assert Image.open(io.BytesIO(download(page, page.locator("#save"))[1])).getexif()[0x013B] == "the author"
    page.get_by_text("Size, format, metadata").click()
    page.get_by_label("Format").select_option("png")
    page.get_by_label("Longest side").evaluate("select => select.add(new Option('300', 300))")
    page.get_by_label("Longest side").select_option("300")
    page.get_by_label("Remove all metadata").check()
    expect(row(page).locator(".note")).to_contain_text("300×200")  # 600x400 halved
    stylised(page)
    name, data = download(page, page.locator("#save"))
    assert name == "photo.anime.png"
    assert not Image.open(io.BytesIO(data)).getexif()
    made = Image.open(stylized(photo, tmp_path / "made.png", "--max-side", "300"))
    assert np.array_equal(Image.open(io.BytesIO(data)), made)


def test_the_divider_moves_by_keys_and_mouse_and_shows_both_sides(visit, tmp_path):
    page = visit()
    choose(page, ASTRONAUT)
    stylised(page)
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
    expect(slider).to_have_attribute("aria-valuenow", re.compile("2[456]"))


def test_a_change_stylises_again_and_drops_the_answer_that_is_no_longer_wanted(visit):
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
    stylised(page, style="Anime")
    style(page, "Hayao")
    expect(row(page)).to_have_attribute("data-status", "running")
    expect(page.locator("#save")).to_have_attribute("aria-disabled", "true")
    style(page, "Paprika")
    stylised(page, style="Paprika")
    assert gone == [("hayao", "net::ERR_ABORTED")]
    # A slider that is dragged fires for every step; only where it rests is stylised.
    page.get_by_label("Strength").evaluate(
        """slider => [80, 60, 40, 20].forEach((value) => {
             slider.value = value;
             slider.dispatchEvent(new Event("input", { bubbles: true }));
           })"""
    )
    with page.expect_response("**/v1/stylize") as response:
        pass
    assert b'name="strength"\r\n\r\n0.2\r\n' in response.value.request.post_data_buffer
    stylised(page)
    assert asked == ["anime", "hayao", "paprika", "paprika"]


def test_the_list_shows_the_picture_in_every_style(visit):
    page = visit()
    names = page.locator("[name=style]").evaluate_all("inputs => inputs.map((one) => one.value)")
    asked, gone = [], []

    def answer(route):
        asked.append(re.search(r"style=([\w-]+)", route.request.url)[1])
        assert max(Image.open(io.BytesIO(route.request.post_data_buffer)).size) == 256
        if len(asked) != 3:  # that one is never answered
            route.continue_()

    def thumbnails():
        return page.locator("#styles img").evaluate_all("images => images.map((one) => one.src)")

    page.route("**/v1/stylize?*", answer)
    page.on("requestfailed", lambda request: gone.append(request.failure))
    samples = thumbnails()
    choose(page, COFFEE, CHELSEA)
    stylised(page)
    expect(page.locator("#shown-on")).to_have_text("on coffee.jpg")
    shown = page.locator("#styles img[src^=blob]")
    expect(shown).to_have_count(len({*names[:2]} - FOR_FACES))
    expect(page.locator(".stale")).to_have_count(len(names) - 2)
    assert (asked, gone) == (names[:3], [])  # one at a time
    row(page, 2).locator(".pick").click()
    expect(page.get_by_role("group", name="Style on chelsea.jpg")).to_be_visible()
    expect(shown).to_have_count(len({*names} - FOR_FACES))
    expect(page.locator(".stale")).to_have_count(0)
    assert (asked[3:], gone) == (names, ["net::ERR_ABORTED"])
    hosoda = page.get_by_role("radio", name="Hosoda")
    assert distance(screenshot(hosoda.locator("~ img")), Image.open(CHELSEA).crop((0, 0, 451, 300))) < 40

    for _ in range(2):
        row(page).get_by_role("button", name="Remove").click()
    expect(page.locator("#shown-on")).to_be_empty()
    assert thumbnails() == samples


def test_with_the_keyboard_alone(visit):
    page = visit()
    tab_to(page, "#empty [data-do=sample]")
    page.keyboard.press("Enter")
    expect(row(page).locator(".pick")).to_be_focused()  # what was pressed is hidden
    stylised(page, style="Anime")
    tab_to(page, SLIDER)
    page.keyboard.press("ArrowRight")
    expect(page.locator(SLIDER)).to_have_attribute("aria-valuenow", "52")
    tab_to(page, "[name=style]")
    names = page.locator("[name=style]").evaluate_all("inputs => inputs.map((one) => one.value)")
    at = next(n for n, name in enumerate(names) if n and name not in FOR_FACES)
    for _ in range(at):
        page.keyboard.press("ArrowRight")
    stylised(page, style=page.locator(".style .name").nth(at).inner_text())
    tab_to(page, "#save")
    with page.expect_download() as event:
        page.keyboard.press("Enter")
    assert event.value.suggested_filename == f"sample.{names[at]}.jpg"


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_nothing_is_wider_than_the_screen(visit, tmp_path, width):
    long = tmp_path / f"{'long' * 30}.jpg"
    long.write_bytes(COFFEE.read_bytes())
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    page = visit({"width": width, "height": 740}, touch=True)

    def fits():
        return page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    assert fits()
    choose(page, long, broken)
    stylised(page)
    expect(row(page, 2)).to_have_attribute("data-status", "failed")
    width = page.locator(".pair").bounding_box()["width"]
    page.locator(".pair").tap(position={"x": width * 0.75, "y": 20})  # waits until the page has come to rest
    expect(page.locator(SLIDER)).to_have_attribute("aria-valuenow", re.compile("7[456]"))
    for one in page.locator(".style").all():  # their names stand below their pictures, whole
        picture, name, list_ = (
            place.bounding_box() for place in (one.locator("img"), one.locator(".name"), page.locator("#styles"))
        )
        assert picture["y"] + picture["height"] <= name["y"]
        assert name["y"] + name["height"] <= list_["y"] + list_["height"]
    page.get_by_text("Size, format, metadata").click()
    assert fits()
    page.get_by_role("button", name="Camera").click()
    assert fits()


def test_a_small_laptop_shows_all_styles_with_their_licences(visit, site):
    page = visit({"width": 1280, "height": 800})
    told = httpx.get(f"{site}/v1/styles").json()["styles"]
    shown = page.locator("#styles small").all_inner_texts()
    assert shown == [style["licence"] for style in told]
    assert len(told) == len(list(EMBEDDED.glob("*.onnx"))) > 7
    for scroller in ("#styles", "html"):
        assert page.locator(scroller).evaluate("box => box.scrollHeight <= box.clientHeight"), scroller


def test_a_row_that_is_chosen_brings_its_picture_into_sight(visit):
    page = visit({"width": 1280, "height": 500})
    choose(page, *[CHELSEA, COFFEE] * 3)
    stylised(page, 6)
    page.mouse.wheel(0, 2000)
    page.wait_for_function("() => scrollY > 100")
    row(page, 6).locator(".pick").click()
    expect(page.locator("#stage")).to_be_in_viewport(ratio=0.95)


def test_the_last_style_is_remembered(visit):
    page = visit()
    style(page, "Shinkai")
    page.reload()
    expect(page.get_by_role("radio", name="Shinkai")).to_be_checked()
