"""Folders, globs and several files: what is done, skipped, kept apart."""

from pathlib import Path

import numpy as np
from shell import photo, pixels, tree


def test_a_folder_mirrors_its_tree(run):
    photos = {name: photo(f"in/{name}", seed) for seed, name in enumerate(["a.png", "sub/a.png", "sub/deep/b.png"])}
    Path("in/notes.txt").write_text("no picture")
    photo("in/.hidden.png")
    status, out, err = run("in", "-s", "neg", "-o", "out")
    assert status == 0
    assert out == ["out/a.neg.png", "out/sub/a.neg.png", "out/sub/deep/b.neg.png"]
    assert err == "sakuga: 3 done, 0 skipped (exist already), 0 failed\n"
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


def test_an_output_folder_within_the_input_folder(run):
    photo("in/a.png")
    assert run("in", "-s", "neg", "-o", "in/out")[1] == ["in/out/a.neg.png"]
    assert run("in", "-s", "neg", "-o", "in/out")[1] == []
    assert tree() == ["in/a.png", "in/out/a.neg.png"]
