"""What a folder holds, to any depth: the files of some kinds, how many others, and what could not be looked into."""

import os
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

_NAMED = 6
_told: ContextVar[Callable[[str], None]] = ContextVar("told", default=lambda sentence: None)


@dataclass
class Found:
    """Files in one order on every machine; the number of all others by their suffix; a sentence for each folder that
    cannot be read.
    """

    files: list[Path] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def left_out(self) -> str:
        """The others in words: "3 .xcf, 1 .txt"; empty where there are none."""
        named = [f"{count} {suffix or 'without a suffix'}" for suffix, count in self.others.most_common(_NAMED)]
        rest = self.others.total() - sum(count for _, count in self.others.most_common(_NAMED))
        return ", ".join([*named, f"{rest} others"] if rest else named)


def walk(root: Path, suffixes: Container[str]) -> Found:
    """Find the files below a folder, also in linked folders, whose suffix in lower case is one of `suffixes`.

    What is hidden is left out. A folder that several ways lead to is searched once, a link last, so one that leads
    back ends there.
    """
    found, known = Found(), set()
    folders, links = [root], list[Path]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in known:
                continue
            known.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                inside = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            found.unreadable.append(f"{folder} cannot be read ({error.strerror})")
            _told.get()(found.unreadable[-1])
            continue
        for entry in inside:
            path = folder / entry.name
            if entry.is_dir():
                (links if entry.is_symlink() else folders).append(path)
            elif path.suffix.lower() in suffixes and entry.is_file():
                found.files.append(path)
            else:
                found.others[path.suffix.lower()] += 1
    found.files.sort()
    return found


@contextmanager
def telling_unreadable(tell: Callable[[str], None]) -> Iterator[set[str]]:
    """Call `tell` with a sentence for each folder that a `walk` within cannot read, once; yield those sentences."""
    told: set[str] = set()

    def once(sentence: str) -> None:
        if sentence not in told:
            told.add(sentence)
            tell(f"{sentence}: what is in it is left out")

    token = _told.set(once)
    try:
        yield told
    finally:
        _told.reset(token)
