"""Make the pictures of README, docs/gallery.md and docs/styles.md anew: `python docs/pictures/make.py [FOLDER]`.

Run it when styles have changed. It needs the package with its extra `serve`, playwright and chromium. The originals are
those of examples/ and of originals/ here, whose sources docs/gallery.md names.
"""

import re
import subprocess
import sys
import tempfile
from math import isqrt
from pathlib import Path
from shutil import which

import av
import numpy as np
from PIL import Image, ImageOps

import sakuga
from sakuga.picture.sheet import Cell, contact_sheet
from sakuga.style import DEFAULT

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
OUT = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
BEST = (("garden", "hosoda"), ("moose", "hayao"), ("beach", "shinkai"), ("chelsea", "ink"))
"""The four that README opens with."""
GALLERY = {
    "garden.jpg": "anime",
    "woman.webp": "shinkai",
    "beach.jpg": "comic",
    "town.webp": "hosoda",
    "chelsea.jpg": "ink",
    "coffee.jpg": "comic",
    "rocket.jpg": "cel",
}
"""Originals, whose copies are kept in the same format, and the styles of these."""
SUBJECTS = {
    "faces": (("man", "garden", "beach"), ("anime", "cel", "comic", "hosoda")),
    "landscapes": (("moose", "beach"), ("hayao", "shinkai", "hosoda", "paprika")),
    "things": (("coffee", "rocket"), ("comic", "anime", "ink", "cel")),
}
"""For each subject of docs/styles.md its photos and the styles that suit it, the best first."""


def photo(name: str) -> Image.Image:
    """Open an original."""
    (path,) = [path for folder in (EXAMPLES, HERE / "originals") for path in folder.glob(f"{name}.[jw]*")]
    return Image.open(path).convert("RGB")


def save(picture: Image.Image | np.ndarray, name: str) -> None:
    """Write a picture of the docs."""
    image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    options = {".jpg": {"optimize": True, "progressive": True}, ".webp": {"method": 6}}
    image.save(OUT / name, quality=52, **options[Path(name).suffix])


def cell(picture: Image.Image, text: str, side: int) -> Cell:
    """Return a picture for a sheet, reduced to a side."""
    return ImageOps.contain(picture, (side, side), Image.Resampling.LANCZOS), text


def before_after(name: str, style: str, side: int = 400) -> list[Cell]:
    """Return a photo and its copy in a style."""
    original = photo(name)
    return [cell(original, "", side), cell(sakuga.stylize(original, style=style), f"sakuga photo.jpg -s {style}", side)]


def best(side: int = 300) -> None:
    """Write four photos and their copies as squares, two pairs in a row."""
    cells = []
    for name, style in BEST:
        original = photo(name)
        for picture, text in ((original, ""), (sakuga.stylize(original, style=style), style)):
            cells.append((ImageOps.fit(picture, (side, side), centering=(0.5, 0.2)), text))
    save(contact_sheet([cells[:4], cells[4:]], side=side), "best.jpg")


def all_styles(name: str, side: int = 160) -> None:
    """Write a photo and all embedded styles of it, about as many in a row as there are rows."""
    original = photo(name)
    styles = [style.name for style in sakuga.styles() if style.embedded and not style.card.frame]
    cells = [cell(original, "photo", side), *(cell(sakuga.stylize(original, style=s), s, side) for s in styles)]
    across = isqrt(len(cells) - 1) + 1
    save(contact_sheet([cells[i : i + across] for i in range(0, len(cells), across)], side=side), f"{name}-all.jpg")


def subject(name: str, side: int = 120) -> None:
    """Write the photos of a subject, each with the styles that suit it."""
    rows = []
    for one in SUBJECTS[name][0]:
        original = photo(one)
        made = [cell(sakuga.stylize(original, style=style), style, side) for style in SUBJECTS[name][1]]
        rows.append([cell(original, "photo", side), *made])
    save(contact_sheet(rows, side=side), f"for-{name}.jpg")


def caricature(name: str, side: int = 200) -> None:
    """Write a face, exaggerated once and twice, and drawn after that; needs the extra faces."""
    original = ImageOps.fit(photo(name), (600, 600), centering=(0.5, 0.1))
    made = [sakuga.stylize(original, style="caricature", exaggeration=times) for times in (1, 2)]
    pictures = (original, *made, sakuga.stylize(made[1], style="cel"))
    texts = ("photo", "caricature", "exaggeration=2", "and cel")
    save(contact_sheet([[cell(*one, side) for one in zip(pictures, texts, strict=True)]], side=side), "caricature.jpg")


def clip(name: str, style: str) -> None:
    """Write an animation of a video beside its copy, as a WebP."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "made.mp4")
        command = [sys.executable, "-m", "sakuga", EXAMPLES / f"{name}.mp4", "-s", style, "--stable", "-o", target]
        subprocess.run(command, check=True)
        sides = []
        for path in (EXAMPLES / f"{name}.mp4", target):
            with av.open(str(path)) as video:
                sides.append([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])
    frames = [Image.fromarray(np.concatenate(pair, axis=1)) for pair in zip(*sides, strict=True)]
    first, *more = frames + frames[-2:0:-1]  # and back again
    options = {"save_all": True, "append_images": more, "duration": 66, "loop": 0, "quality": 60, "method": 6}
    first.save(OUT / f"{name}-{style}.webp", **options)


def page(name: str) -> None:
    """Write a screenshot of the page of `sakuga serve` with the photo stylised."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "sakuga", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as driver:
        url = re.search(r"http://\S+", server.stdout.readline())[0]
        browser = driver.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
        shown.goto(url, wait_until="networkidle")
        shown.set_input_files("#chooser", EXAMPLES / f"{name}.jpg")
        shown.wait_for_selector("[data-status=done]")
        shown.wait_for_selector(".divider:visible")
        for style in shown.locator("#styles img").all():
            style.and_(shown.locator("[src^=blob]")).wait_for()
        shown.screenshot(path=OUT / "serve.jpg", quality=75)
        browser.close()
        server.terminate()


if __name__ == "__main__":
    best()
    all_styles("astronaut")
    for name, style in GALLERY.items():
        save(contact_sheet([before_after(Path(name).stem, style)], side=400), f"gallery-{name}")
    for name in SUBJECTS:
        subject(name)
    caricature("man")
    clip("pan", DEFAULT)
    page("astronaut")
