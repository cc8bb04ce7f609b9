"""What a folder holds, to any depth: the files of some kinds, how many others, and what could not be looked into."""

import os
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from sakuga.runtime.paths import Paths

_NAMED = 6
_told: ContextVar[Callable[[str], None]] = ContextVar("told", default=lambda sentence: None)


@dataclass
class Found:
    """Files in one order on every machine; the number of all others by their suffix; a sentence for each folder that
    cannot be read.
    """

    files: Paths = field(default_factory=Paths)
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
                inside = sorted((one.name, _kind(one, suffixes)) for one in entries if not one.name.startswith("."))
        except OSError as error:
            found.unreadable.append(f"{folder} cannot be read ({error.strerror})")
            _told.get()(found.unreadable[-1])
            continue
        folders += [folder / name for name, kind in inside if kind == "folder"]
        links += [folder / name for name, kind in inside if kind == "link"]
        found.files.extend(folder, [name for name, kind in inside if kind == "file"])
        found.others.update(_suffix(name) for name, kind in inside if kind == "other")
    found.files = found.files.ordered()
    return found


def _kind(entry: "os.DirEntry[str]", suffixes: Container[str]) -> str:
    try:
        if entry.is_dir():
            return "link" if entry.is_symlink() else "folder"
        return "file" if _suffix(entry.name) in suffixes and entry.is_file() else "other"
    except OSError:  # such as a link to itself
        return "other"


def _suffix(name: str) -> str:
    """The suffix in lower case, as pathlib's, which would keep the name in a table of its own."""
    dot = name.rfind(".")
    return name[dot:].lower() if 0 < dot < len(name) - 1 else ""


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
