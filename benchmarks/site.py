"""Seconds for one megapixel on the page without a server, with one thread and with all, beside the command's engines.

    make site && python benchmarks/site.py [--style anime] [--runs 5] [--brush 1]

Needs playwright and chromium. The page and the command take turns, so that a machine that is shared slows both; the
least of the runs counts. The page's seconds are those it shows, of decoding, stylising and encoding; beside them stand
those until it shows its first look. Where the command gains nothing by a second thread, the machine has no second core
to spare, and the page can gain nothing either.
"""

import argparse
import re
import shutil
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from sakuga import Stylizer
from sakuga.runtime.machine import instructions
from sakuga.runtime.parallel import cores

ROOT = Path(__file__).parents[1]


class Files(SimpleHTTPRequestHandler):
    """Files, silently."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript", ".js": "text/javascript"}

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def on_page(page: Page, photo: Path, first: list[float]) -> float:
    """Seconds that the page takes; those until its first look are added to `first`."""
    start = time.perf_counter()
    page.locator("#chooser").set_input_files(photo)
    row = page.locator("#rows li").last
    row.get_by_text("A first look").wait_for(timeout=300_000)
    first.append(time.perf_counter() - start)
    page.locator("#rows li[data-status=done]").last.wait_for(timeout=300_000)
    seconds = float(re.search(r"([\d.]+)\s*s$", row.locator(".note").inner_text())[1])
    row.locator("button.plain").click()
    return seconds


def by_command(stylizer: Stylizer, photo: Path) -> float:
    """Seconds from a file to a file."""
    start = time.perf_counter()
    stylizer.file(photo, photo.with_suffix(".out.jpg"), overwrite=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--style", default="anime")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--brush", default="", help="as the page's field: 1 has the network work on every pixel")
    options = parser.parse_args()
    brush = options.brush or "auto"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=ROOT / "build" / "site"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        photo = Path(folder) / "photo.jpg"
        Image.open(ROOT / "examples" / "astronaut.jpg").resize((1000, 1000)).save(photo, quality=95)
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(service_workers="allow")
        first, second = context.new_page(), context.new_page()
        first.goto(f"http://localhost:{server.server_port}/")
        first.evaluate("navigator.serviceWorker.ready")
        second.goto(first.url)
        for page in (first, second):
            page.locator(f"input[value={options.style}]").check(force=True)
            page.get_by_text("Size, format").click()
            page.get_by_label("Brush").fill(options.brush)
        isolated = [page.evaluate("crossOriginIsolated") for page in (first, second)]
        if isolated != [False, True]:
            raise SystemExit(f"the pages have threads or not as they should not: {isolated}")
        looks: tuple[list[float], list[float]] = [], []
        ways = {
            "page, 1 thread": partial(on_page, first, first=looks[0]),
            f"page, {cores()} threads": partial(on_page, second, first=looks[1]),
            "command, 1 thread": partial(by_command, Stylizer(options.style, precision="fp32", threads=1, brush=brush)),
            f"command, {cores()} threads": partial(by_command, Stylizer(options.style, precision="fp32", brush=brush)),
            "command, auto": partial(by_command, Stylizer(options.style, brush=brush)),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.runs):
            for name, run in ways.items():
                taken[name].append(run(photo))
        browser.close()
    taken |= {"first look, 1 thread": looks[0], f"first look, {cores()} threads": looks[1]}
    print(f"{options.style}, 1000x1000, {cores()} cores, {', '.join(sorted(instructions()))}")
    for name, seconds in taken.items():
        ratio = min(seconds) / min(taken["command, 1 thread"])
        print(f"{name:22} {min(seconds):6.2f} s   {ratio:5.2f} times the command in fp32 with one thread")


if __name__ == "__main__":
    main()
