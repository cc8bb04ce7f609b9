"""`sakuga prepare scenes`: what is said is true of what is drawn."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from sakuga.commands.prepare import main
from sakuga.data.images import load_image
from sakuga.errors import UsageError
from sakuga.prepare.objects import COLORS, GROUND, SHAPES, compose, draw


def command(folder, *options):
    return main(["scenes", "-o", str(folder), "--workers", "1", *options])


@pytest.mark.parametrize("turns", [1, 2, 5, 12])
def test_what_is_said_is_true(turns):
    for seed in range(20):
        told = compose(np.random.default_rng(seed), turns)
        things = {thing.name: thing for _, thing in told}
        assert len(told) == len(things) == len({(thing.row, thing.column) for thing in things.values()}) == turns
        assert told[0][0] == f"add a {told[0][1].name} at the center"
        for instruction, thing in told[1:]:
            start, *relations = re.split(r" (?=left|right|above|below)", instruction)
            assert start == f"add a {thing.name}"
            for relation in relations:
                where, name = re.fullmatch(
                    r"(left|right|above|below)(?: of)? the (\w+ \w+)(?: and)?", relation
                ).groups()
                other = things[name]
                assert {
                    "left": thing.x < other.x,
                    "right": thing.x > other.x,
                    "above": thing.y < other.y,
                    "below": thing.y > other.y,
                }[where]


def test_an_object_fills_its_own_cell_alone_and_shows_its_colour():
    for shape in SHAPES:
        ((_, thing),) = compose(np.random.default_rng(0), 1)
        picture = draw([thing._replace(shape=shape, color="cyan", x=0.5, y=0.5)], 60, 3)
        changed = (picture != GROUND).any(2)
        rows, columns = (np.flatnonzero(changed.any(axis)) for axis in (1, 0))
        assert 10 < changed.sum() < 400
        assert max(abs(rows - 29.5).max(), abs(columns - 29.5).max()) < 10
        assert (picture[32, 28] == COLORS["cyan"]).all()


def test_the_table_says_what_the_pictures_show(tmp_path, capsys):
    assert command(tmp_path / "a", "--count", "3", "--turns", "2", "--side", "16", "--colors", "2") == 0
    assert "3 scenes of 2 turns" in capsys.readouterr().out
    lines = [*csv.DictReader((tmp_path / "a" / "turns.csv").open(encoding="utf-8"))]
    assert [line["picture"] for line in lines] == [f"{n:06}/{t}.png" for n in range(3) for t in range(3)]
    assert [len(line["objects"].split()) for line in lines] == [0, 1, 2] * 3
    assert {name.partition("-")[0] for line in lines for name in line["objects"].split()} <= {"red", "blue"}
    assert load_image(tmp_path / "a" / "000000" / "2.png").shape == (16, 16, 3)
    command(tmp_path / "b", "--count", "2", "--turns", "2", "--side", "16", "--colors", "2")
    for file in (tmp_path / "b").rglob("*.png"):  # the same seed, the same scenes
        assert file.read_bytes() == (tmp_path / "a" / file.relative_to(tmp_path / "b")).read_bytes()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--count", "0"), "--count must be from 1"),
        (("--turns", "4", "--colors", "1"), "--colors 1 gives 3 objects, too few for --turns 4"),
        (("--seed", "-1"), "--seed must be at least 0"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, options, sentence):
    with pytest.raises(UsageError, match=sentence):
        command(tmp_path / "new", *options)
    assert not (tmp_path / "new").exists()


def test_what_is_there_stays_unless_asked(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds files already"):
        command(tmp_path, "--count", "1")
    assert [path.name for path in Path(tmp_path).iterdir()] == ["mine.txt"]
    assert command(tmp_path, "--count", "1", "--side", "16", "--overwrite") == 0
    assert (tmp_path / "mine.txt").read_text() == "mine"
