"""Labels of pictures: a class each, or attributes that are set or not."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from sakuga.data.columns import Rows
from sakuga.errors import SakugaError, UsageError

BINARY = {"1": 1.0, "0": 0.0, "-1": 0.0, "true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
"""What an attribute's cell may hold; -1 is how CelebA's files say no."""

UNLABELLED = "unlabelled"
"""Folder of the pictures without a class, where only some have one."""


class Labels(Rows):
    """The class of every picture, int64 (N,), or its attributes, float32 (N, K) of 0 and 1.

    Attributes:
        names: of the classes or of the attributes.
        classes: the classes (N,); None of attributes.
    """

    def __init__(self, values: np.ndarray, names: Sequence[str]):
        super().__init__(values)
        self.names = tuple(names)
        self.classes = values if values.ndim == 1 else None

    @classmethod
    def read(
        cls, labels: str, folders: Sequence[Path], paths: Sequence[Path], *, names: Sequence[str] = ()
    ) -> "Labels":
        """Read what `--labels` names: `folders`, see `from_folders`, or a table, see `from_csv`."""
        if labels == "folders":
            return cls.from_folders(folders, paths)
        return cls.from_csv(Path(labels), paths, names=names)

    @classmethod
    def read_some(cls, labels: str, folders: Sequence[Path], paths: Sequence[Path]) -> "Labels":
        """Read the classes of those pictures that have one; of the others the value is -1.

        They lie in a folder `unlabelled` beside those of the classes, or the table has no line or an empty cell.

        Raises:
            UsageError: as for `from_folders`, or as for a table of one column.
        """
        if labels == "folders":
            found = cls.from_folders(folders, paths)
            classes = ["" if found.names[value] == UNLABELLED else found.names[value] for value in found.values]
        else:
            header, lines = _read(Path(labels))
            if len(header) > 2:
                raise UsageError(f"{labels} must have two columns, the picture and its class, not {len(header)}")
            rows = _rows_by_picture(Path(labels), lines, [1], paths)
            classes = [rows[path][0][0] if path in rows else "" for path in paths]
        place = labels if labels != "folders" else ", ".join(map(str, folders))
        if not any(classes):
            raise UsageError(f"{place}: no picture has a class: label some")
        some = cls._of_classes([one for one in classes if one], place)
        values = np.full(len(paths), -1, np.int64)
        values[[bool(one) for one in classes]] = some.values
        return cls(values, some.names)

    @classmethod
    def from_folders(cls, folders: Sequence[Path], paths: Sequence[Path]) -> "Labels":
        """Return the classes of pictures that lie in a sub-folder for each class.

        Args:
            folders: in which the classes' folders lie, as what the pictures were found by.
            paths: the pictures.

        Raises:
            UsageError: a picture lies in no class's folder, a class's folder holds no picture, or there is one alone.
        """
        classes = []
        for path in paths:
            below = next((path.relative_to(folder) for folder in folders if path.is_relative_to(folder)), Path())
            if len(below.parts) < 2:
                raise UsageError(f"{path} lies in no class's folder: move it into one, {path.parent}/CLASS/{path.name}")
            classes.append(below.parts[0])
        empty = {
            place.name
            for folder in folders
            for place in folder.iterdir()
            if place.is_dir() and not place.name.startswith(".")
        } - set(classes)
        if empty:
            raise UsageError(f"the class {min(empty)} has no picture: add some, or remove its folder")
        return cls._of_classes(classes, ", ".join(map(str, folders)))

    @classmethod
    def from_csv(cls, file: Path, paths: Sequence[Path], *, names: Sequence[str] = ()) -> "Labels":
        """Read the labels of pictures from a table with a line for each.

        The first column names the picture, by its path as seen from the table or from any folder above the picture. A
        single column besides, unless it holds 0 and 1 alone, is the class; several are attributes, 0 or 1.

        Args:
            file: the table, comma-separated, with a header.
            paths: the pictures; lines of other ones that exist are not looked at.
            names: the columns to read, in this order; by default all of them.

        Raises:
            UsageError: the table is missing; a column is unknown; a line's file does not exist; a picture has no line,
                or two that differ; a cell is empty or not binary; a name cannot be shown; an attribute is always or
                never set, or there is one class alone.
        """
        header, lines = _read(file)
        if unknown := [name for name in names if name not in header[1:]]:
            raise UsageError(f"{file} has no column {unknown[0]}: it has {', '.join(header[1:])}")
        columns = [header.index(name, 1) for name in names or header[1:]]
        rows = _rows_by_picture(file, lines, columns, paths)
        if bare := [path for path in paths if path not in rows]:
            raise UsageError(
                f"{file} has no line for {bare[0]} ({len(bare)} such pictures): add it, or remove the picture"
            )
        cells = [rows[path] for path in paths]
        chosen = [header[column] for column in columns]
        if len(columns) == 1 and any(cell.lower() not in BINARY for (cell,), _ in cells):
            for path, ((cell,), number) in zip(paths, cells, strict=True):
                if not cell:
                    raise UsageError(f"{file}, line {number}: {path.name} has no class")
            return cls._of_classes([cell for (cell,), _ in cells], str(file))
        for row, number in cells:
            for name, cell in zip(chosen, row, strict=True):
                if cell.lower() not in BINARY:
                    raise UsageError(f"{file}, line {number}: {name} must be 0 or 1, not {cell!r}")
        values = np.array([[BINARY[cell.lower()] for cell in row] for row, _ in cells], np.float32)
        for name, column in zip(chosen, values.T, strict=True):
            if column.min() == column.max():
                often = "always" if column.all() else "never"
                raise UsageError(f"{file}: {name} is {often} set, so nothing can be learned of it: leave it out")
        return cls(values, chosen)

    @classmethod
    def _of_classes(cls, classes: Sequence[str], place: str) -> "Labels":
        names = sorted(set(classes))
        if len(names) < 2:
            raise UsageError(f"{place}: all pictures are of one class, {names[0]}: at least two are needed")
        if odd := [name for name in names if "," in name or not name.isprintable()]:
            raise UsageError(f"{place}: the class {odd[0]!r} holds a comma, or what cannot be shown: rename it")
        return cls(np.array([names.index(name) for name in classes], np.int64), names)


def _read(file: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header of a table, and its lines with their numbers."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.reader(_without_nul(opened))
            header = [cell.strip() for cell in next(reader, [])]
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}): name a table of labels") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SakugaError(f"{file} is not a table in UTF-8 ({error})") from error
    if len(header) < 2 or not lines:
        raise UsageError(
            f"{file} has no labels: its first line must read FILE,LABEL,... and one follow for each picture"
        )
    if unnamed := [number for number, name in enumerate(header[1:], 2) if not name.isprintable() or not name]:
        raise UsageError(f"{file}: column {unnamed[0]} has no name that can be shown: write one into its first line")
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise UsageError(f"{file} has two columns {twice[0]}: rename one of them")
    for number, row in lines:
        if len(row) != len(header):
            raise UsageError(f"{file}, line {number}: {len(row)} cells where the header has {len(header)}")
    return header, lines


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    """Pass lines on. Raises csv.Error for the byte that no path can hold, as `csv` did before Python 3.11."""
    for line in lines:
        if "\0" in line:
            raise csv.Error("line contains NUL")
        yield line


def _rows_by_picture(
    file: Path, lines: Sequence[tuple[int, list[str]]], columns: Sequence[int], paths: Sequence[Path]
) -> dict[Path, tuple[list[str], int]]:
    """Return the chosen cells of every picture that has a line, and the line that they stand in."""
    known: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        parts = path.resolve().parts
        for start in range(len(parts)):
            known.setdefault(parts[start:], []).append(path)
    rows: dict[Path, tuple[list[str], int]] = {}
    for number, row in lines:
        name = Path(row[0])
        found = known.get((file.parent / name).resolve().parts) or known.get(name.parts, [])
        if not found and not (file.parent / name).is_file():
            raise UsageError(f"{file}, line {number}: {row[0]} is not among the pictures: correct or remove the line")
        if len(found) > 1:
            raise UsageError(f"{file}, line {number}: {row[0]} can be {found[0]} or {found[1]}: write more of its path")
        cells = [row[column] for column in columns]
        for path in found:
            if rows.setdefault(path, (cells, number))[0] != cells:
                raise UsageError(f"{file}, line {number}: {row[0]} has other labels in line {rows[path][1]}")
    return rows
