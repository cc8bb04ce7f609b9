"""`sakuga evaluate --cluster`: the figures are those of one process, to the last bit."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from made_style import make_style
from PIL import Image

from sakuga.cli import main
from sakuga.evaluation import gather

WORDS = ["--size", "64", "--features", "vgg16", "--weights", "random:0", "--threads", "1"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "no-cache"))
    monkeypatch.setattr("sakuga.evaluation.speed.SIZE", (48, 64))
    monkeypatch.setattr(gather, "BLOCK", 3)
    make_style(Path("neg.onnx"), "invert")
    for folder, count in (("photos", 7), ("film", 4)):
        Path(folder).mkdir()
        for seed in range(count):
            pixels = np.random.default_rng([seed, count]).integers(0, 256, (8, 10, 3), np.uint8)
            Image.fromarray(pixels).resize((100, 80), Image.Resampling.BICUBIC).save(f"{folder}/{seed}.png")
    Path("photos/broken.png").write_bytes(b"no picture")


def figures(name, *more):
    words = ["evaluate", "neg.onnx", "--photos", "photos", "--style-images", "film", *WORDS, "--json", name, *more]
    assert main(words) == 1  # for the broken one
    found = json.loads(Path(name).read_text(encoding="utf-8"))
    del found["styles"]["neg"]["seconds/megapixel"]
    return found


def test_its_figures_are_those_of_one_process(one_process, capsys):
    here, there = figures("plain.json"), figures("spread.json", "--cluster")
    assert here == there
    assert here["settings"]["photos"]["count"] == 7
    assert len(one_process) == 2 + 3  # blocks of style pictures and of photos
    assert capsys.readouterr().err.count("broken.png") == 2


def test_what_is_said_before_anything_begins(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ["evaluate", "neg.onnx", "--photos", "photos", *WORDS, "--json", "figures.json"]
    assert main([*words, "--cluster"]) == 2
    assert '--cluster needs ray: pip install "sakuga[cluster]"' in capsys.readouterr().err
    assert main([*words, "--cluster", "--labels", "folders"]) == 2
    assert "--labels are learnt on one machine: leave out --cluster" in capsys.readouterr().err
    assert not Path("figures.json").exists()
