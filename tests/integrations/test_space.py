"""The app for Gradio, with what it uses of Gradio in its place: the default style, and what its controls do."""

import importlib.util
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from made_style import make_style
from PIL import Image

from sakuga import stylize
from sakuga.style import DEFAULT

FOLDER = Path(__file__).parents[2] / "integrations" / "space"


class Control:
    """Any of Gradio's: what it was made with."""

    def __init__(self, *given, **named):
        self.given, self.named = given, named


def test_it_opens_with_the_default_style_and_its_controls_are_the_looks(monkeypatch, style_folder):
    make_style(style_folder / f"{DEFAULT}.onnx", "invert")
    parts = dict.fromkeys(("Interface", "Image", "Radio", "Slider", "Checkbox"), Control)
    monkeypatch.setitem(sys.modules, "gradio", SimpleNamespace(**parts))
    spec = importlib.util.spec_from_file_location("space_app", FOLDER / "app.py")
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    _, style, strength, keep_color = app.page.named["inputs"]
    assert style.named["value"] == DEFAULT
    assert style.given == ([DEFAULT],)
    assert (strength.given, keep_color.given) == ((0, 1, 1), ())
    (function,) = app.page.given
    photo = Image.new("RGB", (70, 64), (200, 100, 0))
    made = function(photo, DEFAULT, 0.5, True)
    assert np.array_equal(made, stylize(photo, DEFAULT, strength=0.5, keep_color=True))
    assert not np.array_equal(made, photo)
    assert function(None, DEFAULT, 1, False) is None


def test_the_space_says_how_it_runs():
    """What Hugging Face reads at the top of a Space's README, and the container that it starts."""
    _, head, _ = (FOLDER / "README.md").read_text(encoding="utf-8").split("---\n", maxsplit=2)
    facts = dict(line.split(": ") for line in head.splitlines())
    image = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    assert (facts["sdk"], facts["license"]) == ("docker", "apache-2.0")
    assert f"EXPOSE {facts['app_port']}\n" in image
    (name,) = re.findall(r"^COPY (\S+) \./$", image, re.MULTILINE)
    assert (FOLDER / name).is_file()
    assert f'CMD ["python", "{name}"]' in image
    assert image.index("pip install --no-cache-dir gradio") < image.index("pip install --no-cache-dir sakuga")
