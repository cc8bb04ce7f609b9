"""The folders that a system is trained on, as its config tells, and whether those at hand will do."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from sakuga.errors import UsageError
from sakuga.prepare.files import find
from sakuga.prepare.pairs import refuse_unmatched
from sakuga.prepare.survey import Sentence, Survey, some
from sakuga.systems.base import System
from sakuga.systems.config import descriptions, kinds_of
from sakuga.training.advice import NO_DATA, few_pictures

PARTNERS = "targets"
"""The field that makes a system one of pairs, and the only folder that it can do without."""

AFTERWARDS = "picture"
"""The field that concerns the finished style."""


class Need(NamedTuple):
    """A field of a config that leads to pictures."""

    field: str
    many: bool
    """Whether it takes several folders."""
    told: str
    """What the config says of it."""


def needs(system: type[System]) -> list[Need]:
    """Return the fields of a system's config that lead to pictures to be trained on."""
    kinds, told = kinds_of(system.Config), descriptions(system.Config)
    # What a config has to say of a field that it inherits stands in its own description.
    own, paragraphs = inspect.get_annotations(system.Config), (inspect.getdoc(system.Config) or "").split("\n\n")[1:]
    found = []
    for name in (field.name for field in fields(system.Config)):
        if name not in (*NO_DATA, AFTERWARDS) and _holds_path(kinds[name]):
            words = told.get(name, "")
            if name not in own:
                words = next((" ".join(p.split()) for p in paragraphs if f"`{name}`" in p), words)
            found.append(Need(name, get_origin(kinds[name]) is tuple, words))
    return found


def validate(
    system: type[System], given: Mapping[str, Sequence[Path]], surveys: Mapping[str, Survey]
) -> Iterator[Sentence]:
    """Say what stands in the way of training a system with some folders.

    Args:
        system: the system.
        given: the folders by the field that they were named for.
        surveys: what is in them.
    """
    wanted = {need.field: need for need in needs(system)}
    paired = PARTNERS in wanted
    for name, need in wanted.items():
        places = given.get(name, ())
        if not places:
            if name != PARTNERS:
                yield "problem", f"{system.name} needs --{name}. {need.told}"
        elif len(places) > 1 and (paired or not need.many):
            yield "problem", f"{system.name} takes one path for --{name}, not {len(places)}. {need.told}"
        elif name == "style" and not need.many and places[0].is_dir():
            yield "problem", f"{system.name} takes one picture for --{name}, and {places[0]} is a folder. {need.told}"
        elif name == "style" and need.many and len(surveys[name].facts) == 1:
            yield (
                "problem",
                f"--style holds one picture, and {system.name} needs many: name more, or train fast_style.",
            )
    for name in given:
        if name not in (*wanted, "test"):
            yield "problem", f"{system.name} takes no --{name}: leave it out, or check another system."
    config = system.Config(
        **{
            name: tuple(places) if wanted[name].many else places[0]
            for name, places in given.items()
            if name in wanted and places
        }
    )
    if paired and len(given.get("photos", ())) == 1:
        yield from _pairs(config, surveys)
    side = max(config.crop, getattr(config, "load", 0))
    for name in wanted.keys() & given.keys():
        width = 2 if paired and PARTNERS not in given else 1
        small = [f.path for f in surveys[name].facts if min(f.width // width, f.height) < side]
        if small and wanted[name].many:
            yield "note", f"--{name}: smaller than the {side} pixels that {system.name} trains at {some(small)}."
    if advice := few_pictures(config):
        yield "note", advice


def _pairs(config: Any, surveys: Mapping[str, Survey]) -> Iterator[Sentence]:
    inputs = surveys["photos"].facts
    if config.targets is None:
        odd = [fact.path for fact in inputs if fact.width % 2]
        if odd:
            yield "problem", f"--photos: of odd width, which cannot be halved into a pair {some(odd)}."
        return
    sides = [find([folder]) for folder in (config.photos[0], config.targets)]
    try:
        refuse_unmatched(sides[0], config.photos[0], sides[1], config.targets)
    except UsageError as error:
        yield "problem", str(error)
        return
    shapes = {fact.path: fact.width / fact.height for survey in surveys.values() for fact in survey.facts}
    partners = {file.name: file.source for file in sides[1]}
    differ = [
        file.source
        for file in sides[0]
        if {file.source, partners[file.name]} <= shapes.keys()
        and abs(shapes[file.source] / shapes[partners[file.name]] - 1) > 2 / config.load
    ]
    if differ:
        yield "problem", f"--photos: of another shape than their partners in {config.targets} {some(differ)}."


def _holds_path(kind: Any) -> bool:
    if get_origin(kind) in (tuple, Union, UnionType):
        return any(_holds_path(inner) for inner in get_args(kind))
    return kind is Path
