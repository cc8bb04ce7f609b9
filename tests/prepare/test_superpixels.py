"""`sakuga prepare superpixels` makes what training looks for."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakuga.cli import main
from sakuga.data.derived.segments import Segments, regions, superpixels
from sakuga.data.pictures import Pictures
from sakuga.systems.animegan3 import AnimeGANv3Config
from sakuga.systems.whitebox import WhiteBoxConfig


def photos(folder: Path, names=("a.png", "ä b/a.png")):
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.kron(rng.integers(0, 256, (4, 5, 3)), np.ones((10, 10, 1))).astype(np.uint8)
        Image.fromarray(pixels).save(folder / name)
    return folder


@pytest.mark.parametrize(("system", "method"), [("whitebox", superpixels), ("animegan3", regions)])
def test_training_finds_them(tmp_path, monkeypatch, system, method):
    folder = photos(tmp_path / "Ünïcødé 写真 (1)")
    cache = tmp_path / "runs" / "seg ments"
    monkeypatch.chdir(tmp_path)
    args = ["--for", system, "--cache", str(cache), "--load", "24", "--crop", "32", "--workers", "1"]
    assert main(["prepare", "superpixels", folder.name, *args]) == 0
    assert len(list(cache.glob("*.npy"))) == 2
    # As the systems call it: from another folder, with the larger of load and crop, and no pool is needed any more.
    monkeypatch.setattr("sakuga.data.derived.segments.process_pool", None)
    files = Segments(Pictures([folder], short_side=32), cache, method).files
    assert np.load(files[0]).shape == (32, 40)
    assert main(["prepare", "superpixels", str(folder), *args]) == 0


def test_the_defaults_are_the_trainings():
    import inspect

    from sakuga.prepare.superpixels import superpixels as step

    default = {name: p.default for name, p in inspect.signature(step).parameters.items()}
    for config in (WhiteBoxConfig(), AnimeGANv3Config()):
        assert (config.load, config.crop, config.cache) == (default["load"], default["crop"], default["cache"])


def test_an_unreadable_photo_does_not_stop_the_others(tmp_path, capsys):
    folder = photos(tmp_path / "p")
    (folder / "cut.png").write_bytes((folder / "a.png").read_bytes()[:60])
    args = ["--cache", str(tmp_path / "c"), "--load", "16", "--crop", "16", "--workers", "1"]
    assert main(["prepare", "superpixels", str(folder), *args]) == 1
    captured = capsys.readouterr()
    assert "cut.png is damaged or truncated" in captured.err
    assert "segments of 2 photos, 1 failed" in captured.out
    assert len(list((tmp_path / "c").glob("*.npy"))) == 2


@pytest.mark.parametrize("wrong", ["load", "cache", "empty"])
def test_wrong_usage(tmp_path, capsys, wrong):
    folder = photos(tmp_path / "p", () if wrong == "empty" else ("a.png",))
    folder.mkdir(exist_ok=True)
    (tmp_path / "file").write_text("")
    more = {"load": ["--load=0"], "cache": ["--cache", str(tmp_path / "file")], "empty": []}[wrong]
    assert main(["prepare", "superpixels", str(folder), *more]) == 2
    words = {"load": "--load 0", "cache": "file is a file", "empty": "no picture found in"}[wrong]
    assert words in capsys.readouterr().err
