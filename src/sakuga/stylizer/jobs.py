"""What is to be done with each of many inputs."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from sakuga.runtime.compact import Repeated
from sakuga.runtime.paths import Paths
from sakuga.runtime.urls import Url


@dataclass(frozen=True)
class Job:
    """One picture or video, the file its result goes to, and the name of the style."""

    source: Path
    target: Path
    style: str = ""


class Jobs(Sequence[Job]):
    """The jobs of many inputs, of which names alone are kept: each job is made when it is asked for.

    Input i has its result of style k in `folders[i]`, under a name of length `lengths[k][i]`, with the suffix
    `endings[i]`; the styles of an input follow one another.
    """

    def __init__(self, sources: Paths, folders: Repeated[Path], endings: Repeated[str], styles: Sequence[str]) -> None:
        self.sources, self.folders, self.endings, self.styles = sources, folders, endings, styles
        self.lengths: list[bytearray] = []

    def target(self, index: int, style: str, length: int) -> str:
        """The path of a result."""
        return os.path.join(
            str(self.folders[index]), f"{_label(self.sources[index], length)}.{style}{self.endings[index]}"
        )

    def __len__(self) -> int:
        return len(self.sources) * len(self.styles)

    @overload
    def __getitem__(self, index: int) -> Job: ...
    @overload
    def __getitem__(self, index: slice) -> list[Job]: ...
    def __getitem__(self, index: int | slice) -> Job | list[Job]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        place, column = divmod(range(len(self))[index], len(self.styles))
        target = self.target(place, self.styles[column], self.lengths[column][place])
        return Job(self.sources[place], type(self.folders[place])(target), self.styles[column])


def _label(source: Path, length: int) -> str:
    """Return the name a result begins with; from length 2 on no other file can have it."""
    if length < 2:
        return source.name if length else source.stem
    return f"{source.name}.{hashlib.sha256(os.fsencode(absolute(source))).hexdigest()[:8]}"


def key_of(path: Path) -> str:
    """Return what two names share when some file system takes them for the same."""
    return absolute(path).casefold()


def absolute(path: Path) -> str:
    """Return the path from the root, without following links: two links to one file are two inputs."""
    return str(path) if isinstance(path, Url) else os.path.abspath(path)
