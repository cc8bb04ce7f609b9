"""What a config's fields say of themselves besides their types: roles in the training, and bounds."""

import inspect
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_origin, get_type_hints

from sakuga.data.images import find_images
from sakuga.errors import UsageError
from sakuga.picture import read_header
from sakuga.systems.config import descriptions


@dataclass(frozen=True)
class Role:
    """What a field's files are for; `use` is what the style's card says of them."""

    use: str
    required: bool = False
    of: Literal["pictures", "folder", "picture", "name"] = "pictures"
    """Folders and files of pictures; one folder, as of pairs; one picture; or a name that may be no file at all."""
    training: bool = True
    """Whether it is trained on; otherwise it concerns the finished style alone."""


@dataclass(frozen=True)
class Bound:
    """What a number, or each of several, must be."""

    limit: float
    words: ClassVar[str]
    compare: ClassVar[Any]

    def holds(self, value: float) -> bool:
        """Whether a number keeps it."""
        return bool(self.compare(value, self.limit))

    def __str__(self) -> str:
        return f"{self.words} {self.limit}"


class AtLeast(Bound):
    """The least value."""

    words, compare = "at least", operator.ge


class MoreThan(Bound):
    """A value that is too small by itself."""

    words, compare = "more than", operator.gt


class AtMost(Bound):
    """The largest value."""

    words, compare = "at most", operator.le


class LessThan(Bound):
    """A value that is too large by itself."""

    words, compare = "less than", operator.lt


class MultipleOf(Bound):
    """A divisor."""

    words = "a multiple of"
    compare = staticmethod(lambda value, limit: value % limit == 0)


Count = Annotated[int, AtLeast(1)]
Weight = Annotated[float, AtLeast(0)]
"""Of a loss term, and of whatever else is not negative."""


def roles(config: type) -> dict[str, Role]:
    """Return the role of every field that has one."""
    found = {name: [note for note in notes if isinstance(note, Role)] for name, notes in _notes(config).items()}
    return {name: notes[0] for name, notes in found.items() if notes}


def places(config: Any) -> dict[str, list[Path]]:
    """Return the files and folders of each field of a config that has a role and names some."""
    found = {name: _paths(getattr(config, name)) for name, role in roles(type(config)).items() if role.of != "name"}
    return {name: paths for name, paths in found.items() if paths}


def sources(config: Any) -> list[dict[str, str]]:
    """Return what a style was trained on, for its card: dictionaries with `name`, `licence` and `use`."""
    return [
        {"name": Path(origin).resolve().name or "unnamed", "licence": "not stated", "use": role.use}
        for name, role in roles(type(config)).items()
        for origin in _paths(getattr(config, name))
    ]


def check_bounds(config: Any) -> None:
    """Refuse a number outside its field's bounds, or that is not finite.

    Raises:
        UsageError: there is one.
    """
    for name, notes in _notes(type(config)).items():
        value = getattr(config, name)
        bounds = [bound for bound in notes if isinstance(bound, Bound)]
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, float) and not math.isfinite(number):
                raise UsageError(f"{flag(name)} must be a finite number, not {number}")
            if number is not None and not all(bound.holds(number) for bound in bounds):
                raise UsageError(f"{flag(name)} must be {' and '.join(map(str, bounds))}, not {number}")


def check_places(config: Any) -> None:
    """Refuse files and folders that are missing, hold no picture, are of another kind than their field's, or shared.

    Raises:
        UsageError: there is one.
        SakugaError: a file that is named itself is no picture.
    """
    told = descriptions(type(config))
    found: dict[str, set[Path]] = {}
    for name, role in roles(type(config)).items():
        paths = _paths(getattr(config, name))
        words = told[name].rstrip(".")
        if role.required and not paths:
            raise UsageError(f"{flag(name)} is missing: name {words[:1].lower()}{words[1:]}")
        if role.of == "name" or not paths:
            continue
        if problem := misfit(role, paths):
            raise UsageError(f"{flag(name)} takes {problem}")
        pictures = find_images(paths)
        for path in paths:  # one that is named itself is missed before the folders of others are read
            if path.is_file():
                read_header(path)
        if role.training and role.of != "picture":  # a painting may hang among the photos
            found[name] = {path.resolve() for path in pictures}
    for (one, first), (other, second) in combinations(found.items(), 2):
        if shared := first & second:
            raise UsageError(
                f"{min(shared)} is found by {flag(one)} and by {flag(other)}: "
                "name different folders, none within the other"
            )


def misfit(role: Role, paths: Sequence[Path]) -> str:
    """Return what is wrong with the kind or the number of a field's paths, as "one folder, not 2 paths"; else ''."""
    if role.of == "pictures":
        return ""
    if len(paths) > 1:
        return f"one {role.of}, not {len(paths)}"
    if paths[0].exists() and paths[0].is_dir() != (role.of == "folder"):
        return f"one {role.of}, and {paths[0]} is a {'folder' if paths[0].is_dir() else 'file'}"
    return ""


def flag(name: str) -> str:
    """Return a field's option on the command line."""
    return f"--{name.replace('_', '-')}"


def _notes(config: type) -> dict[str, list[Any]]:
    """Roles and bounds of every field; those of a field that a subclass declares again stay, and its own come first."""
    notes: dict[str, list[Any]] = {field.name: [] for field in fields(config)}
    for base in config.__mro__[:-1]:
        own = inspect.get_annotations(base)
        for name, kind in get_type_hints(base, include_extras=True).items():
            if name in own and get_origin(kind) is Annotated:
                notes[name] += kind.__metadata__
    return notes


def _paths(value: Any) -> list[Path]:
    values = value if isinstance(value, (tuple, list)) else [value]
    return [Path(one) for one in values if one]
