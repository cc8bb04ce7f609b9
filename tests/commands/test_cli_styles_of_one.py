"""Several styles at once: a file of each, or a sheet that shows them all."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from made_style import make_style
from PIL import Image
from shell import photo, pixels, tree

from sakuga.picture.sheet import CAPTION, GAP, SIDE


def test_a_file_of_each_style(run):
    before = photo("a.png")
    report = "sakuga: 2 done, 0 skipped (exist already), 0 failed\n"
    assert run("a.png", "-s", "neg,soft") == (0, ["a.neg.png", "a.soft.png"], report)
    np.testing.assert_array_equal(pixels("a.neg.png"), 255 - before)
    assert run("a.png", "-s", "soft", "-o", "alone.png")[0] == 0
    np.testing.assert_array_equal(pixels("a.soft.png"), pixels("alone.png"))
    Path("a.soft.png").unlink()
    assert run("a.png", "-s", "all")[1:] == (["a.soft.png"], report.replace("2 done, 0", "1 done, 1"))
    assert run("a.png", "-s", "all", "--overwrite")[1] == ["a.neg.png", "a.soft.png"]


def test_folders_in_several_styles(run):
    photo("in/a.png")
    photo("in/sub/b.jpg")
    make_style(Path("mine.onnx"), "identity")
    made = ["out/a.mine.png", "out/a.neg.png", "out/sub/b.mine.jpg", "out/sub/b.neg.jpg"]
    assert run("in", "-s", "mine.onnx,neg", "-o", "out")[:2] == (0, made)
    # Beside their inputs, results of a style that is a file are not taken for inputs of the other.
    assert len(run("in", "-s", "mine.onnx,neg")[1]) == 4
    assert run("in", "-s", "mine.onnx,neg")[1] == []
    photo("two/a.png")
    photo("two/a.jpg")
    assert run("two", "-s", "neg,soft", "-o", "other", "--format", "png")[1] == [
        "other/a.jpg.neg.png",
        "other/a.jpg.soft.png",
        "other/a.png.neg.png",
        "other/a.png.soft.png",
    ]


def test_a_video_in_several_styles(run):
    """Of numbered pictures, which take the way of every video."""
    pytest.importorskip("av")
    for i in range(3):
        photo(f"frames/{i}.png", size=(32, 32))
    status, out, _ = run("frames/%d.png", "-s", "neg,soft", "--fps", "10")
    assert (status, [Path(path).name for path in out]) == (0, ["frames.neg.mp4", "frames.soft.mp4"])
    assert run("frames.neg.mp4", "-s", "soft,neg", "-o", "out")[1] == [
        "out/frames.neg.soft.mp4",
        "out/frames.neg.neg.mp4",
    ]
    assert run("frames/%d.png", "-s", "neg,soft")[1] == []


def test_a_file_that_no_style_can_read_is_told_of_once(run):
    Path("broken.png").write_bytes(b"no picture")
    photo("a.png")
    status, out, err = run("broken.png", "a.png", "-s", "neg,soft")
    assert (status, out) == (1, ["a.neg.png", "a.soft.png"])
    assert [line.split()[1] for line in err.splitlines()] == ["broken.png", "2"]
    assert err.endswith("2 done, 0 skipped (exist already), 2 failed\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("a.png -s neg,soff", "there is no style 'soff': did you mean 'soft'?"),
        ("a.png -s neg,", "'neg,' has nothing between two commas, or at an end: name a style there"),
        ("a.png -s neg,soft -o one.png", "one.png is a file's name: the results of several styles need a folder"),
        ("a.png -s neg,soft -o -", "- stands for one picture or one video in one style: name files instead"),
        ("- -s all --sheet s.png", "- stands for one picture or one video in one style: name files instead"),
        ("a.png --sheet s.png -s neg -o x", "--sheet names the one file to write, s.png: leave out --output and"),
        ("a.mp4 --sheet s.png -s neg", "--sheet is for pictures, but a.mp4 is a video: leave it out"),
        ("a.png --sheet s.txt -s neg", "s.txt: the suffix .txt is not one that is written: choose one of .jpg"),
        ("a.png -s soft --sheet a.png", "a.png exists already: choose another name or allow overwriting (--overwrite)"),
        ("a.png -s neg,twin/neg.onnx", "would have results of one name: rename one of them"),
        ("styles --photo a.png", "--photo is for --sheet, which shows it: sakuga styles --sheet styles.jpg"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run, style_folder, arguments, sentence):
    photo("a.png")
    Path("a.mp4").write_bytes(b"")
    shutil.copytree(style_folder, "twin")
    before = tree()
    status, out, err = run(*arguments.split())
    assert (status != 0, out) == (True, [])
    assert sentence in err
    assert err.count("\n") == 1
    assert tree() == before


def test_a_comma_in_the_name_of_a_style_or_its_file(run, style_folder):
    photo("a.png")
    make_style(Path("my, own.onnx"), "invert", name="own")
    make_style(style_folder / "x,y.onnx", "invert", name="xy")
    assert run("a.png", "-s", "my, own.onnx") == (0, ["a.my, own.png"], "")
    assert run("a.png", "-s", "x,y") == (0, ["a.x,y.png"], "")
    assert run("a.png", "-s", "neg,my, own.onnx,x,y,neg", "-o", "out")[1] == [
        "out/a.neg.png",
        "out/a.my, own.png",
        "out/a.x,y.png",
    ]


def test_all_are_those_that_need_a_photo_alone(run, style_folder):
    photo("a.png")
    make_style(style_folder / "asks.onnx", "asks")  # a second picture
    (style_folder / "broken.onnx").write_bytes(b"?")
    status, out, err = run("a.png", "-s", "all")
    assert (status, out) == (0, ["a.neg.png", "a.soft.png"])
    asks, broken, _ = err.splitlines()
    assert "left out: style asks does not make its pictures of a photo alone" in asks
    assert "broken.onnx" in broken


def test_a_sheet_of_one_photo_and_nothing_else(run):
    before = photo("a.png", size=(40, 20))
    assert run("a.png", "-s", "all", "--sheet", "new/s.png") == (0, ["new/s.png"], "")
    assert tree() == ["a.png", "new/s.png"]
    sheet = pixels("new/s.png")
    step = SIDE + GAP
    assert sheet.shape == (GAP + 2 * (20 + CAPTION + GAP), GAP + 2 * step, 3)
    left = GAP + SIDE // 2 - 20
    np.testing.assert_array_equal(sheet[GAP : GAP + 20, left : left + 40], before)
    np.testing.assert_array_equal(sheet[GAP : GAP + 20, left + step : left + step + 40], 255 - before)
    captions = sheet[GAP + 20 : GAP + 20 + CAPTION]
    assert (captions[:, :step] < 128).any()
    assert not np.array_equal(captions[:, GAP : GAP + SIDE], captions[:, step + GAP : step + GAP + SIDE])
    assert run("a.png", "-s", "neg", "--sheet", "new/s.png", "--overwrite")[0] == 0
    assert pixels("new/s.png").shape[0] == GAP + 20 + CAPTION + GAP


def test_a_sheet_has_a_row_for_each_photo_that_can_be_read(run):
    photo("in/a.png", size=(600, 300))
    photo("in/b.jpg", size=(100, 200))
    Path("in/c.png").write_bytes(b"no picture")
    Path("in/d.mp4").write_bytes(b"")
    status, out, err = run("in", "-s", "neg,soft", "--sheet", "s.webp")
    assert (status, out) == (1, ["s.webp"])
    assert [line.split()[1] for line in err.splitlines()] == ["in/c.png", "left"]
    with Image.open("s.webp") as sheet:
        assert sheet.size == (GAP + 3 * (SIDE + GAP), GAP + 160 + 200 + 2 * (CAPTION + GAP))
    status, out, err = run("in/c.png", "-s", "neg", "--sheet", "t.png")
    assert (status, out, err.count("\n")) == (1, [], 1)
    assert not Path("t.png").exists()


def test_a_copy_that_cannot_be_made_leaves_its_place_empty(run, style_folder):
    before = photo("a.png", size=(SIDE, 20))
    make_style(style_folder / "mad.onnx", "nan")
    status, out, err = run("a.png", "-s", "mad,neg", "--sheet", "s.png")
    assert (status, out) == (1, ["s.png"])
    assert err == "sakuga: a.png in style mad: style mad makes values that are no numbers: export it again\n"
    top, bottom = pixels("s.png")[:, GAP : GAP + SIDE], GAP + 20 + CAPTION + GAP
    assert (pixels("s.png")[GAP : GAP + 20, -GAP - SIDE : -GAP] == 255).all()
    np.testing.assert_array_equal(top[bottom : bottom + 20], 255 - before)


def test_a_sheet_too_large_is_refused_before_the_work(run, monkeypatch):
    monkeypatch.setattr("sakuga.stylizer.sheet.MAX_CELLS", 8)
    for name in "abc":
        photo(f"in/{name}.png")
    sentence = "sakuga: s.png has room for 2 photos in 2 styles, not 3: name fewer\n"
    assert run("in", "-s", "all", "--sheet", "s.png") == (2, [], sentence)


def test_the_sheet_of_the_styles_that_there_are(run):
    assert run("styles", "--sheet", "s.jpg")[:2] == (0, ["s.jpg"])
    before = photo("a.png", size=(SIDE, 20))
    assert run("styles", "--sheet", "t.png", "--photo", "a.png")[:2] == (0, ["t.png"])
    np.testing.assert_array_equal(pixels("t.png")[GAP : GAP + 20, GAP : GAP + SIDE], before)


def test_the_list_of_styles_fits_eighty_columns(run, style_folder):
    assert all(len(line.rstrip()) <= 80 for line in run("styles")[1])
