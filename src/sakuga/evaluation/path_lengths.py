"""The perceptual path lengths of a generator that styles steer, for `sakuga evaluate`."""

from itertools import product
from typing import get_args

from sakuga.errors import UsageError
from sakuga.evaluation.evaluate import Evaluation, Options
from sakuga.evaluation.given import Which
from sakuga.evaluation.steered import load_steered
from sakuga.metrics.path import Space, path_length
from sakuga.metrics.perceptual import PerceptualDistance
from sakuga.runtime.console import track

STEERED = ("stylegan", "stylegan2")
"""Systems whose generators have a space w."""
FEW = 1_000
"""Pairs below which the figures are said to be rough."""


def add_path_lengths(found: Evaluation, label: str, name: str, which: Which, options: Options) -> None:
    """Add path lengths in z and w, whole and at their ends, to a style's figures; without VGG-16 a note alone.

    Args:
        found: the style's other figures.
        label: of the style there.
        name: as the command line names it.
        which: of a training's weights.
        options: `pairs` of them, and VGG-16's `weights` if `features` are its.
    """
    distance = PerceptualDistance(weights=options.weights if options.features == "vgg16" else None)
    if distance.missing:
        found.notes.append(f"the path length is left out: {distance.missing}.")
        return
    try:
        generator = load_steered(name, which)
    except UsageError as error:
        found.notes.append(f"the path length is left out: {error}")
        return
    for space, end in track([*product(get_args(Space), (False, True))], "Path lengths"):
        length = path_length(generator, distance, space=space, end=end, pairs=options.pairs)
        found.styles[label][f"PPL {space} {'end' if end else 'full'}"] = length
    found.settings["path length"] = {"pairs": options.pairs, "distance": distance.name}
    if options.pairs < FEW:
        found.notes.append(f"PPL of {options.pairs} pairs is rough: --pairs {FEW:,}, or the papers' 50,000.")
