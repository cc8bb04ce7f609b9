"""The page in a real browser when something goes wrong."""

import pytest
from on_page import CHELSEA, COFFEE, choose, expect, row, stylised


@pytest.mark.parametrize(("name", "sentence"), [("NotAllowedError", "may not use"), ("NotFoundError", "no camera")])
def test_a_camera_that_is_refused_or_absent_is_explained(visit, name, sentence):
    refusal = f"async () => {{ throw new DOMException('', '{name}'); }}"
    page = visit(script=f"navigator.mediaDevices.getUserMedia = {refusal}")
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(page.get_by_role("button", name="Take the picture")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


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
    stylised(page)
    assert refusals == []


def test_a_server_that_is_gone_is_named_as_the_reason(visit):
    page = visit()
    page.route("**/v1/stylize", lambda route: route.abort())
    choose(page, CHELSEA)
    expect(row(page).locator(".note")).to_contain_text("The server does not answer")
    page.unroute("**/v1/stylize")
    row(page).get_by_role("button", name="again").click()
    stylised(page)


def test_what_will_be_refused_again_is_not_offered_again(visit, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no picture")
    page = visit()
    choose(page, text)
    expect(row(page).locator(".note")).to_contain_text("The file is not a picture")
    expect(row(page).get_by_role("button", name="again")).to_be_hidden()
    expect(page.locator("#blank")).to_contain_text("The file is not a picture")


def test_the_stage_says_that_a_picture_is_being_painted(visit):
    page = visit()
    page.route("**/v1/stylize", lambda route: None)  # never answered
    choose(page, CHELSEA)
    expect(page.locator("#busy")).to_have_text("Stylising …")
    row(page).get_by_role("button", name="Remove").click()
    expect(page.locator("#busy")).to_be_hidden()


def test_where_the_server_takes_no_more_pictures_are_reduced_to_what_it_takes(visit):
    page = visit()
    page.route("**/v1/limits", lambda route: route.fulfill(json={**route.fetch().json(), "max_side": 300}))
    page.reload()
    expect(page.get_by_role("radio", name="Anime")).to_be_checked()
    choose(page, COFFEE)
    stylised(page)
    expect(row(page).locator(".note")).to_contain_text("300×200")  # of 600x400
