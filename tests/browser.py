"""Chromium, and `sakuga serve` as a user starts it, for the tests of the page."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def executable() -> str:
    """Where the browser is; the tests are skipped where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip(f"no browser is installed: none of {', '.join(names)}")
    return path


@contextmanager
def chromium() -> Iterator:
    """A browser with a made-up camera; the tests are skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the page is tested through playwright")
    path = executable()
    with playwright.sync_playwright() as driver:
        # The sandbox needs rights that containers often lack; all that is opened is our own page.
        arguments = ["--no-sandbox", "--disable-gpu", *QUIET, *CAMERA]
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server with the embedded styles; `folder` stands for the user's styles."""
    environment = {**os.environ, "SAKUGA_STYLES": str(folder), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "sakuga", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            line = process.stdout.readline()
            address = re.search(r"http://\S+", line)
            assert address, f"the server said {line!r}"
            yield address[0]
        finally:
            process.terminate()
            assert process.wait(15) == 0
