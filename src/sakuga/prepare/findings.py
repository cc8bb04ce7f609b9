"""What is wrong with sets of pictures, whatever they are for."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from sakuga.prepare.survey import Sentence, Survey, copies, near, some

NEAR = 6
"""Bits of a perceptual hash, of 64, in which two versions of one picture may differ; `prepare dedup` takes as many."""

APART = 10
"""A difference of mean brightness or saturation, in percent of the range, that training would learn."""


def findings(surveys: Mapping[str, Survey]) -> Iterator[Sentence]:
    """Say what is wrong with each set, and what with several together."""
    for name, survey in surveys.items():
        for sentence in survey.broken:
            yield "problem", sentence
        if survey.left_out:
            yield "note", f"--{name}: left out, as no pictures: {survey.left_out}"
        same = [fact.path for fact in copies(survey.facts)]
        if same:
            yield (
                "problem",
                f"--{name}: copies of other files {some(same)}; `sakuga prepare dedup` leaves them out.",
            )
        alike = [f"{one.path} and {other.path}" for one, other in near(survey.facts, survey.facts, limit=NEAR)]
        if alike:
            yield (
                "note",
                f"--{name}: look alike {some(alike)}; `sakuga prepare dedup` leaves such pictures out.",
            )
        lying = [f"{fact.path} is a {fact.format}" for fact in survey.facts if fact.lies]
        if lying:
            yield "note", f"--{name}: called what they are not {some(lying)}; sakuga does not mind, other programs may."
    for one, other in combinations(surveys.values(), 2):
        if "test" in (one.name, other.name) or {one.name, other.name} == {"photos", "style"}:
            yield from _shared(one, other)
    # A single painting is to be learned as it is.
    if {"photos", "style"} <= surveys.keys() and len(surveys["style"].facts) > 1:
        yield from _apart(surveys["photos"], surveys["style"])


def _shared(one: Survey, other: Survey) -> Iterator[Sentence]:
    digests = {fact.digest for fact in other.facts}
    both = [fact.path for fact in one.facts if fact.digest in digests]
    why = "what is tested must not be trained on" if other.name == "test" else "the two must differ"
    if both:
        yield "problem", f"--{one.name}: also in --{other.name} {some(both)}; {why}."
    alike = [f"{a.path} and {b.path}" for a, b in near(one.facts, other.facts, limit=NEAR)]
    if alike:
        yield "note", f"--{one.name} and --{other.name}: look alike {some(alike)}; {why}."


def _apart(photos: Survey, style: Survey) -> Iterator[Sentence]:
    for attribute, words in (("brightness", ("darker", "brighter")), ("saturation", ("paler", "more colourful"))):
        means = [np.mean([getattr(fact, attribute) for fact in one.facts]) for one in (photos, style) if one.facts]
        if len(means) == 2 and abs(means[1] - means[0]) > APART:
            yield (
                "note",
                f"--style is {words[int(means[1] > means[0])]} than --photos ({attribute} {means[1]:.0f} and "
                f"{means[0]:.0f} %), and so will be what is trained with it; `sakuga prepare balance` corrects that.",
            )
