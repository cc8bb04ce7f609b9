"""Servers and a browser that the tests of this folder share; those that need other limits start their own."""

import threading

import pytest
from browser import chromium, serving
from running import running

from sakuga.stylizer import Stylizer

DESKTOP = {"width": 1440, "height": 900}


@pytest.fixture
def styles(made_style, tmp_path, monkeypatch):
    """Files of a few styles, and none but these anywhere."""
    monkeypatch.setenv("SAKUGA_STYLES", str(tmp_path / "none"))
    return [made_style(kind) for kind in ("invert", "blur", "double")]


@pytest.fixture(scope="module")
def server(made_style):
    """A server with the styles invert, which is its default, blur and double."""
    with running([made_style(kind) for kind in ("invert", "blur", "double")]) as server:
        yield server


class Brake:
    """Painting waits until `go` is set; `begun` counts pictures."""

    def __init__(self):
        self.go, self.begun = threading.Event(), 0


@pytest.fixture
def brake(monkeypatch):
    """Hold pictures (not videos) in the middle of their painting."""
    brake = Brake()

    class Held(Stylizer):
        def picture(self, picture):
            brake.begun += 1
            assert brake.go.wait(20)
            return super().picture(picture)

    monkeypatch.setattr("sakuga.serve.pictures.Stylizer", Held)
    yield brake
    brake.go.set()


@pytest.fixture(scope="module")  # longer would leave its event loop running under the tests of others
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("none")) as address:
        yield address


@pytest.fixture
def visit(browser, site):
    """Return a function that opens the page; afterwards nothing may have gone wrong in it or gone elsewhere."""
    from on_page import opened

    contexts, wrong = [], []

    def open(viewport=DESKTOP, script="", touch=False):
        contexts.append(browser.new_context(viewport=viewport, reduced_motion="reduce", has_touch=touch))
        # The browser logs every refusal by the server; those that a test provokes are no fault of the page.
        return opened(contexts[-1], f"{site}/", wrong, script=script, provoked="Failed to load resource")

    yield open
    for context in contexts:
        context.close()
    assert wrong == []
