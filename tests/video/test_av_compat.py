"""What is asked of PyAV 18 and of 19, whichever is installed; that no lower bound is below what was run."""

import tomllib
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import pytest

from sakuga.video.av_compat import fraction, open_input

RUN = {"av": "18", "tyro": "0.9.30", "fastapi": "0.115.7", "python-multipart": "0.0.27"}


@pytest.mark.parametrize(
    ("version", "more"), [("18.0.1", {"metadata_errors": "replace"}), ("19.0.0", {}), ("20.1", {})]
)
def test_a_file_is_opened_as_each_version_takes_it(version, more, monkeypatch):
    asked = {}
    monkeypatch.setattr(av, "__version__", version)
    monkeypatch.setattr(av, "open", lambda name, **options: asked.update(options, name=name))
    open_input(Path("a:b.mp4"), {"x": "1"}, 3)
    assert asked == {"name": "file:a:b.mp4", "options": {"x": "1"}, "timeout": (3, None), **more}


def test_numbers_of_both_versions_are_fractions():
    ours = SimpleNamespace(numerator=30000, denominator=1001)
    assert fraction(ours) == fraction(Fraction(30000, 1001)) == Fraction(30000, 1001)
    assert fraction(None) is None


def test_lower_bounds_are_those_that_were_run():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    found = {name: low.partition(",")[0] for name, _, low in (one.partition(">=") for one in named) if name in RUN}
    assert {name: _version(low) >= _version(RUN[name]) for name, low in found.items()} == dict.fromkeys(RUN, True)


def _version(text):
    return tuple(map(int, text.split(".")))
