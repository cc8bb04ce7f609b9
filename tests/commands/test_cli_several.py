"""Folders, globs and several files: what is done, skipped, kept apart."""

import contextlib
import fcntl
import os
from pathlib import Path

import numpy as np
import pytest
from shell import photo, pixels, tree

from sakuga.stylizer import Stylizer


def test_a_folder_mirrors_its_tree(run):
    photos = {name: photo(f"in/{name}", seed) for seed, name in enumerate(["a.png", "sub/a.png", "sub/deep/b.png"])}
    Path("in/notes.txt").write_text("no picture")
    photo("in/.hidden.png")
    status, out, err = run("in", "-s", "neg", "-o", "out")
    assert status == 0
    assert out == ["out/a.neg.png", "out/sub/a.neg.png", "out/sub/deep/b.neg.png"]
    assert err == "sakuga: 3 done, 0 skipped (exist already), 0 failed; left out, as no pictures: 1 .txt\n"
    for name, before in photos.items():
        np.testing.assert_array_equal(pixels(f"out/{name}".replace(".png", ".neg.png")), 255 - before)


def test_a_second_run_skips_what_is_done_and_does_not_stylise_results(run):
    photo("in/a.png")
    photo("in/b.png")
    assert run("in", "-s", "neg")[1] == ["in/a.neg.png", "in/b.neg.png"]
    photo("in/c.png")
    changed = Path("in/a.neg.png").stat().st_mtime_ns
    status, out, err = run("in", "-s", "neg")
    assert (status, out) == (0, ["in/c.neg.png"])
    assert "1 done, 2 skipped" in err
    assert Path("in/a.neg.png").stat().st_mtime_ns == changed
    # Another known style does not take the first one's results for pictures either.
    assert run("in", "-s", "soft")[1] == ["in/a.soft.png", "in/b.soft.png", "in/c.soft.png"]
    assert len(run("in", "-s", "neg", "--overwrite")[1]) == 3
    assert Path("in/a.neg.png").stat().st_mtime_ns > changed
    assert len(tree()) == 9


def test_a_folder_of_nothing_but_results_and_an_empty_folder(run):
    Path("empty").mkdir()
    photo("results/a.neg.png")
    for folder in ("empty", "results", "empty/*.png"):
        status, _, err = run(folder, "-s", "neg")
        assert status == 1
        assert err == f"sakuga: {folder} holds no pictures or videos: check the path\n"


def test_an_earlier_result_named_outright_is_an_input(run):
    photo("a.neg.png")
    assert run("a.neg.png", "-s", "neg")[1] == ["a.neg.neg.png"]


def test_a_folder_run_goes_on_after_errors_and_fails_at_the_end(run):
    photo("in/a.png")
    photo("in/c.jpg")
    Path("in/b.png").write_bytes(b"no picture")
    Path("in/c.jpg").write_bytes(Path("in/c.jpg").read_bytes()[:200])
    photo("in/d.png")
    status, out, err = run("in", "-s", "neg", "-o", "out")
    assert (status, out) == (1, ["out/a.neg.png", "out/d.neg.png"])
    lines = err.splitlines()
    assert [line.startswith("sakuga: in/" + name) for line, name in zip(lines, ["b.png ", "c.jpg "], strict=False)] == [
        True
    ] * 2
    assert lines[2:] == ["sakuga: 2 done, 0 skipped (exist already), 2 failed"]
    assert [name for name in tree() if name.startswith("out")] == ["out/a.neg.png", "out/d.neg.png"]


def test_globs(run):
    for name in ("in/a.png", "in/b.jpg", "in/sub/c.png", "in/sub/d.png"):
        photo(name)
    Path("in/sub/e.txt").write_text("no picture")
    assert run("in/*.png", "-s", "neg", "-o", "one")[1] == ["one/a.neg.png"]
    assert run("in/**/*", "-s", "neg", "-o", "all")[1] == [
        "all/a.neg.png",
        "all/b.neg.jpg",
        "all/sub/c.neg.png",
        "all/sub/d.neg.png",
    ]
    assert run("in/s?b/[cd].png", "-s", "neg", "-o", "two")[1] == ["two/sub/c.neg.png", "two/sub/d.neg.png"]
    assert run("in/nothing*.png", "-s", "neg")[0] == 1


def test_a_name_with_brackets_is_no_glob_when_it_exists(run):
    photo("a[1].png")
    assert run("a[1].png", "-s", "neg")[:2] == (0, ["a[1].neg.png"])


def test_several_files_are_a_batch(run):
    photo("a.png")
    photo("b.png")
    photo("a.neg.png")
    status, out, err = run("a.png", "missing.png", "b.png", "-s", "neg")
    assert (status, out) == (1, ["b.neg.png"])
    assert err.splitlines()[0].startswith("sakuga: missing.png does not exist")
    assert "1 done, 1 skipped (exist already), 1 failed" in err


def test_names_that_would_collide_get_longer(run):
    photo("in/a.jpg", 1)
    photo("in/a.png", 2)
    photo("in/b.png", 3)
    _, out, _ = run("in", "-s", "neg", "--format", "png")
    assert out == ["in/a.jpg.neg.png", "in/a.png.neg.png", "in/b.neg.png"]
    np.testing.assert_array_equal(pixels("in/a.jpg.neg.png"), 255 - pixels("in/a.jpg"))
    np.testing.assert_array_equal(pixels("in/a.png.neg.png"), 255 - pixels("in/a.png"))
    assert "0 done, 3 skipped" in run("in", "-s", "neg", "--format", "png")[2]


def test_an_output_that_is_a_file_cannot_hold_several(run):
    photo("a.png")
    photo("b.png")
    Path("taken").write_text("")
    status, _, err = run("a.png", "b.png", "-s", "neg", "-o", "taken")
    assert status == 2
    assert "taken is a file" in err
    photo("in/a.png")
    sentence = "sakuga: {} is a file's name: the results of several inputs need a folder\n"
    for several in (["a.png", "b.png"], ["in"]):
        for name in ("z.png", "z.mkv"):
            assert run(*several, "-s", "neg", "-o", name) == (2, [], sentence.format(name))
    assert run("in/*.png", "-s", "neg", "-o", "z.png") == (2, [], sentence.format("z.png"))
    assert run("a.png", "b.png", "-s", "neg", "-o", "out.v2")[1] == ["out.v2/a.neg.png", "out.v2/b.neg.png"]


def test_an_empty_argument_is_no_folder(run):
    photo("a.png")
    for args in ([""], ["a.png", ""], ["a.png", "-o", ""], ["prepare", "check", "--photos", ""]):
        status, out, err = run(*args)
        assert (status, out) == (2, [])
        assert "an argument is empty" in err
    assert tree() == ["a.png"]


def test_a_folder_that_cannot_be_read_is_a_failure(run):
    photo("in/a.png")
    here = os.getcwd()
    for _ in range(20):  # deeper than a path may be long
        os.makedirs("in/" + "x" * 250 if os.getcwd() == here else "x" * 250)
        os.chdir("in/" + "x" * 250 if os.getcwd() == here else "x" * 250)
    os.chdir(here)
    for place, target in (("in", "out"), ("in/**/*.png", "other")):
        status, out, err = run(place, "-s", "neg", "-o", target)
        assert (status, out) == (1, [f"{target}/a.neg.png"])
        first, last = err.splitlines()
        assert first.endswith("x cannot be read (File name too long): what is in it is left out")
        assert last == "sakuga: 1 done, 0 skipped (exist already), 1 failed"
    assert run("in/*.png", "-s", "neg", "-o", "third")[0] == 0  # it does not lead there


def test_a_folder_that_cannot_be_read_is_a_failure_of_prepare(run):
    photo("in/a.png")
    with contextlib.chdir("in"):
        for _ in range(20):
            os.mkdir("x" * 250)
            os.chdir("x" * 250)
    status, out, err = run("prepare", "crop", "in", "-o", "out", "--size", "8")
    assert status == 1
    assert err.splitlines()[0].endswith("x cannot be read (File name too long): what is in it is left out")
    assert any("1 kept" in line for line in out), out


def test_a_linked_folder_is_searched(run):
    photo("far/a.png")
    Path("in").mkdir()
    Path("in/link").symlink_to("../far")
    Path("far/back").symlink_to("../in")
    assert run("in", "-s", "neg", "-o", "out")[1] == ["out/link/a.neg.png"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_a_list_as_find_writes_it(run, end):
    photo("a.png")
    photo("b c.png")
    Path("list").write_bytes(f"a.png{end}b c.png{end}".encode())
    assert run("--from", "list", "-s", "neg")[:2] == (0, ["a.neg.png", "b c.neg.png"])


def test_a_link_that_leads_nowhere_stops_no_batch(run):
    photo("in/b.png")
    for name, target in (("a", "a"), ("c.png", "c.png"), ("d.png", "nothing"), ("e.png", "/dev/zero")):
        Path("in", name).symlink_to(target)
    assert run("in", "-s", "neg")[:2] == (0, ["in/b.neg.png"])


def test_a_name_that_is_too_long_for_its_result_stops_no_batch(run):
    photo("in/b.png")
    photo(f"in/{'a' * 250}.png")
    status, out, err = run("in", "-s", "neg", "--jobs", "1")
    assert (status, out) == (1, ["in/b.neg.png"])
    assert "a.neg.png cannot be written (File name too long): choose another name or folder" in err.replace("\n", "")


@pytest.mark.parametrize("kind", ["EMF", "DDS"])
def test_no_name_stops_a_batch(run, kind):
    """Without a suffix the file itself says what the result is called."""
    photo("a.png")
    Path("odd").write_bytes(b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(60) if kind == "EMF" else b"DDS " + bytes(90))
    status, out, err = run("a.png", "odd", "-s", "neg")
    assert (status, out) == (1, ["a.neg.png"])
    assert err.startswith("sakuga: odd is ")


def test_what_another_run_makes_meanwhile_is_skipped(run, monkeypatch):
    photo("in/a.png")
    photo("in/b.png")
    array = Stylizer.array

    def other_run(self, rgb, faces):
        photo("in/b.neg.png") if not Path("in/b.neg.png").exists() else photo("in/a.neg.png")
        return array(self, rgb, faces)

    monkeypatch.setattr(Stylizer, "array", other_run)
    status, out, err = run("in", "-s", "neg", "--jobs", "1")
    assert (status, len(out)) == (0, 1)
    assert err == "sakuga: 1 done, 1 skipped (exist already), 0 failed\n"


def test_what_a_killed_run_left_is_removed_and_what_is_in_use_stays(run):
    photo("in/a.png")
    left, used, foreign = (Path(f"in/.sakuga-{name}.png") for name in ("0" * 12, "1" * 12, "mine"))
    for path in (left, used, foreign):
        path.write_bytes(b"half")
    with used.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert run("in", "-s", "neg")[0] == 0
    assert tree() == ["in/.sakuga-111111111111.png", "in/.sakuga-mine.png", "in/a.neg.png", "in/a.png"]


def test_an_output_folder_within_the_input_folder(run):
    photo("in/a.png")
    assert run("in", "-s", "neg", "-o", "in/out")[1] == ["in/out/a.neg.png"]
    assert run("in", "-s", "neg", "-o", "in/out")[1] == []
    assert tree() == ["in/a.png", "in/out/a.neg.png"]
