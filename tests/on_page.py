"""What a user does on the page, for its tests."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakuga.cli import main
from sakuga.style import EMBEDDED, read

expect = pytest.importorskip("playwright.sync_api", reason="the page is tested through playwright").expect
expect.set_options(timeout=20_000)  # a busy machine is slow, and passing does not wait

EXAMPLES = Path(__file__).parents[1] / "examples"
ASTRONAUT, CHELSEA, COFFEE = (EXAMPLES / f"{name}.jpg" for name in ("astronaut", "chelsea", "coffee"))
PAN = EXAMPLES / "pan.mp4"
FOR_FACES = {path.stem for path in EMBEDDED.glob("*.onnx") if read(path).card.frame}
"""Styles that make nothing of a picture where no faces can be found, which takes an extra."""
SLIDER = ".pair [role=slider]"


def opened(context, address, wrong, *, script="", provoked="nothing"):
    """The page at an address; what goes wrong in it or goes elsewhere is noted in `wrong`, but for what is provoked."""

    def watch(request):
        if not request.url.startswith((address, "blob:", "data:")):
            wrong.append(f"a request to {request.url}")

    def listen(message):
        if message.type in ("error", "warning") and not message.text.startswith(provoked):
            wrong.append(message.text)

    page = context.new_page()
    page.set_default_timeout(20_000)
    page.add_init_script(script)
    context.on("request", watch)
    page.on("console", listen)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    expect(page.get_by_role("radio", name="Anime")).to_be_checked()
    return page


def choose(page, *files):
    """Give files through the browser's own dialog."""
    with page.expect_file_chooser() as chooser:
        page.locator("[data-do=choose]:visible").first.click()
    chooser.value.set_files(files)


def style(page, title):
    page.get_by_role("radio", name=title).check()


def row(page, n=1):
    return page.locator(f"#rows li:nth-child({n})")


def stylised(page, n=1, style=None):
    """Wait until the nth file is stylised, in a style if one is named."""
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


def tab_to(page, selector):
    """Press Tab until the element is reached; whatever is reached on the way shows that it is, and has a name."""
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
            assert page.evaluate(
                """() => {
                  const { ariaLabel, labels, innerText } = document.activeElement;
                  return (ariaLabel || labels?.[0]?.innerText || innerText).trim();
                }"""
            ), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached with Tab")
