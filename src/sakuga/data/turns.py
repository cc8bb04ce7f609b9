"""Dialogues of instructions and pictures: after each turn there is a picture of what was asked for until then."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sakuga.data.columns import Column, Crop
from sakuga.data.pictures import Pictures
from sakuga.errors import SakugaError, UsageError
from sakuga.style.inputs import THEN

TABLE = "turns.csv"
HEADER = ("scene", "picture", "instruction", "objects")


class Turn(NamedTuple):
    """A line of the table."""

    picture: Path
    words: tuple[str, ...]
    """Of the instruction, in small letters; none of the picture that a dialogue begins with."""
    objects: frozenset[str]
    """All that are in the picture."""


class Turns(Column):
    """The pictures of each dialogue, (turns + 1, 3, side, side) float32 in [-1, 1]; the last one again where it ended.

    Args:
        dialogues: what `read_turns` returned.
        side: to which pictures are scaled on their shorter side; of a longer one the beginning is taken.

    Raises SakugaError for a picture that cannot be read.
    """

    def __init__(self, dialogues: Sequence[Sequence[Turn]], side: int):
        self.side, longest = side, max(map(len, dialogues))
        paths = list(dict.fromkeys(turn.picture for turns in dialogues for turn in turns))
        places = {path: place for place, path in enumerate(paths)}
        self.pictures = Pictures(paths, short_side=side)
        self.places = [[places[turns[min(i, len(turns) - 1)].picture] for i in range(longest)] for turns in dialogues]

    def __len__(self) -> int:
        return len(self.places)

    def take(self, crop: Crop) -> np.ndarray:
        """Return the pictures of a dialogue; nothing is cropped or mirrored, for left is left."""
        squares = [self.pictures.take(Crop(place, 0, 0, self.side, False)) for place in self.places[crop.index]]
        return np.stack(squares).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1


def read_turns(folder: Path) -> list[list[Turn]]:
    """Read the table of a folder of dialogues, `turns.csv` as `sakuga prepare scenes` writes it.

    Its lines are in order; the first of each scene is the picture before anything was said, without an instruction.

    Raises:
        UsageError: there is no such table; a picture is missing; a scene has one line; an instruction is missing, or
            holds the word that separates instructions.
        SakugaError: it is no table of these columns in UTF-8.
    """
    file = folder / TABLE
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.reader(opened)
            if tuple(cell.strip() for cell in next(reader, [])) != HEADER:
                raise SakugaError(f"{file} must begin with the line {','.join(HEADER)}: make it again")
            lines = [(reader.line_num, row) for row in reader if any(row)]
    except FileNotFoundError as error:
        raise UsageError(f"{file} does not exist: `sakuga prepare scenes` writes one") from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}): name a folder with this table") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SakugaError(f"{file} is not a table in UTF-8 ({error}): make it again") from error
    dialogues: dict[str, list[Turn]] = {}
    for number, row in lines:
        if len(row) != len(HEADER):
            raise SakugaError(f"{file}, line {number}: {len(row)} cells where the header has {len(HEADER)}")
        scene, picture, instruction, objects = row
        turns, words = dialogues.setdefault(scene, []), split_words(instruction)
        if bool(words) != bool(turns):
            what = "needs an instruction" if turns else "is the first of its scene and must have no instruction"
            raise UsageError(f"{file}, line {number} {what}: correct it")
        if THEN in words:
            raise UsageError(f"{file}, line {number}: the word {THEN!r} separates instructions: use another one")
        if not (folder / picture).is_file():
            raise UsageError(f"{file}, line {number}: {picture} does not exist: correct or remove the line")
        turns.append(Turn(folder / picture, words, frozenset(objects.split())))
    if not dialogues:
        raise UsageError(f"{file} has no scenes: `sakuga prepare scenes` writes some")
    if short := [scene for scene, turns in dialogues.items() if len(turns) < 2]:
        raise UsageError(f"{file}: scene {short[0]} has no instruction: add one, or remove the scene")
    return list(dialogues.values())


def survey(dialogues: Sequence[Sequence[Turn]]) -> tuple[tuple[str, ...], tuple[str, ...], int, int]:
    """Return what the table says of the language: all words, padding first; all objects; most turns, most words."""
    turns = [turn for dialogue in dialogues for turn in dialogue]
    words = ("", THEN, *sorted({word for turn in turns for word in turn.words}))
    objects = tuple(sorted({name for turn in turns for name in turn.objects}))
    return words, objects, max(map(len, dialogues)) - 1, max(len(turn.words) for turn in turns)


def split_words(text: str) -> tuple[str, ...]:
    """Return the words of a text in small letters, without punctuation."""
    return tuple(re.findall(r"[^\W_]+(?:['-][^\W_]+)*", text.lower()))


def word_places(dialogues: Sequence[Sequence[Turn]], names: Sequence[str], turns: int, size: int) -> np.ndarray:
    """Return the places of all words in `names`, (N, turns, size) int64; 0 fills what is left.

    Raises UsageError for a word that is not there, or for more turns or words than that.
    """
    known = {name: place for place, name in enumerate(names)}
    ids = np.zeros((len(dialogues), turns, size), np.int64)
    for n, dialogue in enumerate(dialogues):
        for t, turn in enumerate(dialogue[1:]):
            if t >= turns or len(turn.words) > size or not known.keys() >= set(turn.words):
                raise UsageError(
                    f"{turn.picture}: {' '.join(turn.words)!r} does not fit {turns} turns of {size} known words"
                )
            ids[n, t, : len(turn.words)] = [known[word] for word in turn.words]
    return ids


def object_vectors(dialogues: Sequence[Sequence[Turn]], names: Sequence[str], turns: int) -> np.ndarray:
    """Return what is in each picture, (N, turns + 1, names) float32 of 0 and 1; the last again where one ended."""
    rows = [[dialogue[min(t, len(dialogue) - 1)].objects for t in range(turns + 1)] for dialogue in dialogues]
    return np.array([[[name in here for name in names] for here in row] for row in rows], np.float32)
