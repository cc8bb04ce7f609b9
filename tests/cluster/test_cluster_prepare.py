"""`sakuga prepare STEP --cluster`: one function over many files, and the folder that one machine makes."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakuga.cli import main
from sakuga.cluster.mapped import mapped
from sakuga.cluster.nodes import connected
from sakuga.errors import SakugaError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_all_items_in_their_order_and_few_handed_out_at_a_time(one_process):
    found = mapped(abs, range(-200, 0), "auto")
    assert next(found) == 200
    assert len(one_process) == 4 * 3 + 1
    assert [200, *found] == [*range(200, 0, -1)]
    assert [*mapped(abs, [], "auto")] == []


def test_a_machine_without_the_folder(one_process, monkeypatch):
    monkeypatch.setattr(os, "chdir", lambda _: (_ for _ in ()).throw(FileNotFoundError))
    with pytest.raises(SakugaError, match=r"a machine has no folder .*: begin in one that all machines share"):
        [*mapped(abs, [1], "auto")]


def test_what_is_said_before_anything_begins(capsys, monkeypatch):
    pictures("in", 1)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["prepare", "edges", "in", "-o", "out", "--cluster", "--workers", "2"]) == 2
    assert "--workers is of one machine: leave out --cluster" in capsys.readouterr().err
    assert main(["prepare", "edges", "in", "-o", "out", "--cluster"]) == 2
    assert '--cluster needs ray: pip install "sakuga[cluster]"' in capsys.readouterr().err


def pictures(folder, count):
    Path(folder).mkdir(parents=True)
    for seed in range(count):
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 48, 3), np.uint8)
        Image.fromarray(pixels).resize((96, 80)).save(f"{folder}/{seed}.png")


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def ray():
    pytest.importorskip("ray.data")
    with connected("local") as begun:
        yield begun


def test_the_folders_are_those_of_one_machine(ray, make_film, capsys):
    pictures("in", 6)
    Path("in/broken.png").write_bytes(b"no picture")
    Path("in/copy.png").write_bytes(Path("in/0.png").read_bytes())
    make_film("film.mp4", 30)
    for step, status in (
        ("edges in -o {} --size 64", 1),
        ("dedup in -o {}", 1),
        ("frames film.mp4 -o {} --blur 0", 0),
        ("superpixels in --cache {} --load 64 --crop 64", 1),
    ):
        name = step.split()[0]
        told = []
        for where, option in (("plain", ""), ("spread", " --cluster")):
            assert main(["prepare", *(step.format(f"{where}-{name}") + option).split()]) == status
            told.append(capsys.readouterr().out.replace(where, ""))
        assert contents(f"plain-{name}") == contents(f"spread-{name}")
        assert told[0] == told[1]
    told = []
    for option in ([], ["--cluster"]):
        assert main(["prepare", "check", "--photos", "in", *option]) == 1
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
