"""Many paths in little memory."""

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import overload

from sakuga.runtime.compact import Repeated, Texts
from sakuga.runtime.urls import Url

_UNKNOWN = -1


class Paths(Sequence[Path]):
    """Paths of which the names alone are kept, and each folder once; a path is made when it is asked for.

    A million of 10 letters take about 30 MB.
    """

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self.folders = Repeated[Path]()
        self.names = Texts()
        self._sizes = array("q")
        for path in paths:
            self.append(path)

    def append(self, path: Path) -> None:
        """Take a path."""
        self.extend(path.parent, [path.name], path.size if isinstance(path, Url) else None)

    def extend(self, folder: Path, names: Sequence[str], size: int | None = None) -> None:
        """Take names in a folder."""
        self.folders.extend(repeat(folder, len(names)))
        self.names.extend(names)
        self._sizes.extend([_UNKNOWN if size is None else size] * len(names))

    def add(self, others: "Paths") -> None:
        """Take all of others behind one's own."""
        self.folders.extend(others.folders)
        self.names.extend(others.names)
        self._sizes += others._sizes

    def chosen(self, places: Iterable[int]) -> "Paths":
        """Return those at some places, in that order."""
        paths = Paths()
        for i in places:
            size = self._sizes[i]
            paths.extend(self.folders[i], [self.names[i]], None if size == _UNKNOWN else size)
        return paths

    def ordered(self) -> "Paths":
        """Return them in the order in which `Path`s compare."""
        if all(folder is self.folders[0] for folder in self.folders):
            return self.chosen(sorted(range(len(self)), key=self.names.__getitem__))
        return self.chosen(sorted(range(len(self)), key=lambda i: (*self.folders[i].parts, self.names[i])))

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Path]:
        return map(self._path, range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> "Paths": ...
    def __getitem__(self, index: int | slice) -> "Path | Paths":
        return self._path(index) if isinstance(index, int) else self.chosen(range(len(self))[index])

    def _path(self, index: int) -> Path:
        # Of a text, not as `folder / name`: pathlib would keep every such name in a table of its own.
        folder = self.folders[index]
        path = type(folder)(os.path.join(str(folder), self.names[index]))
        if isinstance(path, Url) and self._sizes[index] != _UNKNOWN:
            path.size = self._sizes[index]
        return path
