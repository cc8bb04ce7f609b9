"""A server that all tests of this folder share; those that need other limits start their own."""

import threading

import pytest
from running import running

from sakuga.stylizer import Stylizer


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
