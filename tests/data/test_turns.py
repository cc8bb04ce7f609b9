"""Dialogues of instructions and pictures, read from their table."""

import numpy as np
import pytest
from PIL import Image

from sakuga.data.columns import Crop
from sakuga.data.turns import Turns, object_vectors, read_turns, split_words, word_places
from sakuga.errors import SakugaError, UsageError

LINES = ["a,0.png,,", 'a,1.png,"Add a tree, please!",tree', "a,2.png,a sun,tree sun", "b,0.png,,", "b,1.png,a sun,sun"]


def write(folder, lines=LINES, header="scene,picture,instruction,objects"):
    for i in range(3):
        Image.new("RGB", (8, 8), (100 * i, 0, 255)).save(folder / f"{i}.png")
    (folder / "turns.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


def test_dialogues_of_different_length(tmp_path):
    first, second = dialogues = read_turns(write(tmp_path))
    assert [turn.words for turn in first] == [(), ("add", "a", "tree", "please"), ("a", "sun")]
    assert len(second) == 2
    pictures = Turns(dialogues, 8)
    assert len(pictures) == 2
    found = pictures.take(Crop(1, 0, 0, 0, False))
    assert found.shape == (3, 3, 8, 8)
    np.testing.assert_allclose(found[:, 0, 0, 0], np.array([0, 100, 100]) / 127.5 - 1, rtol=1e-6)  # the last one again
    assert (found[:, 2] == 1).all()
    names = ("", "a", "add", "please", "sun", "tree")
    words = word_places(dialogues, names, 2, 4)
    assert words.tolist() == [[[2, 1, 5, 3], [1, 4, 0, 0]], [[1, 4, 0, 0], [0, 0, 0, 0]]]
    assert object_vectors(dialogues, ("sun", "tree"), 2).tolist() == [
        [[0, 0], [0, 1], [1, 1]],
        [[0, 0], [1, 0], [1, 0]],
    ]
    with pytest.raises(UsageError, match="'add a tree please' does not fit 2 turns of 3 known words"):
        word_places(dialogues, names, 2, 3)


def test_words_are_without_punctuation():
    assert split_words("Add the dog's T-shirt; now!") == ("add", "the", "dog's", "t-shirt", "now")


@pytest.mark.parametrize(
    ("lines", "error", "sentence"),
    [
        (["a,0.png,,", "a,1.png,,"], UsageError, "line 3 needs an instruction"),
        (["a,0.png,a sun,"], UsageError, "line 2 is the first of its scene"),
        (["a,0.png,,"], UsageError, "scene a has no instruction"),
        (["a,0.png,,", "a,9.png,a sun,sun"], UsageError, "line 3: 9.png does not exist"),
        (["a,0.png,,", "a,1.png,a sun then a tree,sun"], UsageError, "'then' separates"),
        (["a,0.png"], SakugaError, "line 2: 2 cells"),
        ([], UsageError, "has no scenes"),
    ],
)
def test_a_table_that_cannot_be(tmp_path, lines, error, sentence):
    with pytest.raises(error, match=sentence):
        read_turns(write(tmp_path, lines))


def test_no_table(tmp_path):
    with pytest.raises(UsageError, match=r"turns.csv does not exist: .*prepare scenes"):
        read_turns(tmp_path)
    with pytest.raises(SakugaError, match="must begin with the line scene,picture"):
        read_turns(write(tmp_path, header="file,text"))
    (tmp_path / "turns.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SakugaError, match="not a table in UTF-8"):
        read_turns(tmp_path)
