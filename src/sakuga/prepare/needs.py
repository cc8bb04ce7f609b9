"""The folders that a system is trained on, as its config tells, and whether those at hand will do."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_origin

from sakuga.errors import UsageError
from sakuga.prepare.files import find
from sakuga.prepare.pairs import refuse_unmatched
from sakuga.prepare.survey import Sentence, Survey, some
from sakuga.systems.base import System
from sakuga.systems.config import descriptions, kinds_of
from sakuga.systems.fields import Role, flag, misfit, roles
from sakuga.training.advice import few_pictures


class Need(NamedTuple):
    """A field of a config that leads to pictures to be trained on."""

    field: str
    role: Role
    told: str
    """What the config says of it."""


def needs(system: type[System]) -> list[Need]:
    """Return the fields of a system's config that lead to pictures to be trained on."""
    told = descriptions(system.Config)
    return [
        Need(name, role, told[name])
        for name, role in roles(system.Config).items()
        if role.training and role.of != "name"
    ]


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
    for name, (_, role, told) in wanted.items():
        places = given.get(name, ())
        if not places:
            if role.required:
                yield "problem", f"{system.name} needs {flag(name)}: {told}"
        elif problem := misfit(role, places):
            yield "problem", f"{system.name}: {flag(name)} takes {problem}: {told}"
        elif role.use == "style" and role.of == "pictures" and len(surveys[name].facts) == 1:
            yield (
                "problem",
                f"--style holds one picture, and {system.name} needs many: name more, or train fast_style.",
            )
    for name in given:
        if name not in (*wanted, "test"):
            yield "problem", f"{system.name} takes no {flag(name)}: leave it out, or check another system."
    kinds = kinds_of(system.Config)
    config = system.Config(
        **{
            name: tuple(places) if get_origin(kinds[name]) is tuple else places[0]
            for name, places in given.items()
            if name in wanted and places
        }
    )
    paired = [name for name, need in wanted.items() if need.role.of == "folder"]
    if paired and all(len(given.get(name, ())) == 1 for name in paired if wanted[name].role.required):
        yield from _pairs(config, surveys)
    for name in wanted.keys() & given.keys():
        width = 2 if paired and not given.keys() >= set(paired) else 1  # side by side
        side = config.short_side
        small = [f.path for f in surveys[name].facts if min(f.width // width, f.height) < side]
        if small and wanted[name].role.of != "picture":
            yield "note", f"{flag(name)}: smaller than the {side} pixels that {system.name} trains at {some(small)}."
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
        and abs(shapes[file.source] / shapes[partners[file.name]] - 1) > 2 / config.short_side
    ]
    if differ:
        yield "problem", f"--photos: of another shape than their partners in {config.targets} {some(differ)}."
