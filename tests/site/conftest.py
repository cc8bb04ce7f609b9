"""The page without a server, built and laid on a plain server of files, and a browser."""

import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from browser import chromium
from made_style import ASKS, make_style
from on_page import opened

ROOT = Path(__file__).parents[2]
MODULES = [ROOT / "site" / "node_modules" / name for name in ("onnxruntime-web", "mediabunny")]


def fetch_runtime():
    """What npm brings, of the versions in the lock file; the tests are skipped where it cannot be had."""
    if all(module.is_dir() for module in MODULES):
        return
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("the page without a server needs npm, which brings what it is made of")
    fetched = subprocess.run(
        [npm, "ci", "--prefix", ROOT / "site", "--ignore-scripts"], capture_output=True, timeout=120
    )
    if fetched.returncode:
        pytest.skip("npm could not fetch what the page is made of: there is no network, or no registry")


class Files(SimpleHTTPRequestHandler):
    """Files with the types that a browser insists on, and none of the headers that threads want."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript", ".js": "text/javascript"}

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="session")
def built(tmp_path_factory, own):
    """The folder of the page, as `make site` builds it."""
    fetch_runtime()
    folder = tmp_path_factory.mktemp("built")
    subprocess.run([sys.executable, ROOT / "site" / "build.py", folder, "--styles", own], check=True)
    return folder


@pytest.fixture(scope="session")
def own(tmp_path_factory):
    """A style file beside the embedded ones: of one size, and it asks for each kind of thing that the page can give."""
    changed = {"tint": {"kind": "choices"}, "other": {"default": ""}, "z": {"kind": "vector"}}
    inputs = [one | changed.get(one["name"], {}) for one in ASKS]
    return make_style(tmp_path_factory.mktemp("own") / "own.onnx", "asks", inputs=inputs, size=(48, 40))


@pytest.fixture
def host(built):
    """A server of the folder, below a path, as on a host of many pages: {url, stop()}."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=built))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def stop():
        server.shutdown()
        server.server_close()
        thread.join()

    yield SimpleNamespace(url=f"http://localhost:{server.server_port}/", stop=stop)
    stop()


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser, host):
    """Return a function that opens the page; afterwards nothing may have gone wrong, nor to another host."""
    contexts, wrong = [], []

    def open(context=None, size=(1440, 900), **options):
        if context is None:
            viewport = dict(zip(("width", "height"), size, strict=True))
            contexts.append(browser.new_context(viewport=viewport, has_touch=size[0] < 500, reduced_motion="reduce"))
        return opened(context or contexts[-1], host.url, wrong, **options)

    yield open
    for context in contexts:
        context.close()
    assert wrong == []
