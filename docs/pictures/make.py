"""Make the README's pictures out of examples/: `python docs/pictures/make.py`.

Needs the package with its extra `serve`, playwright and chromium.
"""

import re
import subprocess
import sys
from pathlib import Path
from shutil import which

import numpy as np
from PIL import Image

import sakuga
from sakuga.style import DEFAULT

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
GAP = 6


def beside(*pictures: np.ndarray) -> np.ndarray:
    """Put pictures of one height in a row."""
    gap = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    row = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.concatenate(row, axis=1)


def before_after(name: str, style: str) -> None:
    """Write photo and stylised photo side by side."""
    photo = Image.open(EXAMPLES / f"{name}.jpg").convert("RGB")
    painted = sakuga.stylize(photo, style=style)
    Image.fromarray(beside(np.asarray(photo), np.asarray(painted))).save(HERE / f"{name}-{style}.jpg", quality=90)


def gallery(name: str, side: int = 256) -> None:
    """Write the photo and all embedded styles of it, five in a row."""
    photo = Image.open(EXAMPLES / f"{name}.jpg").convert("RGB")
    square = min(photo.size)
    photo = photo.crop((0, 0, square, square))
    cells = [photo, *(sakuga.stylize(photo, style=s.name) for s in sakuga.styles() if s.embedded)]
    cells += [Image.new("RGB", (side, side), "white")] * (-len(cells) % 5)
    small = [np.asarray(cell.resize((side, side), Image.Resampling.LANCZOS)) for cell in cells]
    rows = [beside(*small[i : i + 5]) for i in range(0, len(small), 5)]
    gap = np.full((GAP, rows[0].shape[1], 3), 255, np.uint8)
    sheet = np.concatenate([part for row in rows for part in (row, gap)][:-1])
    Image.fromarray(sheet).save(HERE / f"{name}-all.jpg", quality=90)


def page(name: str) -> None:
    """Write a screenshot of the page of `sakuga serve` with the photo painted."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "sakuga", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as driver:
        url = re.search(r"http://\S+", server.stdout.readline())[0]
        browser = driver.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
        shown.goto(url, wait_until="networkidle")  # with the thumbnails of the styles
        shown.set_input_files("#chooser", EXAMPLES / f"{name}.jpg")
        shown.wait_for_selector("[data-status=done]")
        shown.wait_for_selector(".divider:visible")
        shown.screenshot(path=HERE / "serve.jpg", quality=88)
        browser.close()
        server.terminate()


if __name__ == "__main__":
    before_after("astronaut", DEFAULT)
    before_after("coffee", DEFAULT)
    before_after("chelsea", DEFAULT)
    gallery("astronaut")
    page("astronaut")
