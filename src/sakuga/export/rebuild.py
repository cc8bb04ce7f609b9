"""The system that a style file was exported from, where the file's weights have kept their names."""

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from sakuga.errors import UsageError
from sakuga.style import Style
from sakuga.systems import SYSTEMS, load_system
from sakuga.systems.base import System
from sakuga.systems.config import kinds_of, typed

PREFIX = "network."
"""Of the names of the artefact's weights, which the exported module wraps."""


def rebuild(style: Style) -> System:
    """Build a style's system by its card, with the weights of its file. Its artefact's are all that it is given.

    Raises:
        UsageError: the system is not known, or the weights are not there by name.
    """
    card = style.card
    if card.system not in SYSTEMS:
        raise UsageError(f"style {style.name} was made by {card.system}, which cannot be built here: name a training")
    chosen = load_system(card.system)
    kinds = kinds_of(chosen.Config)
    try:
        config = {name: typed(value, kinds[name]) for name, value in card.config.items() if name in kinds}
        system = chosen(chosen.Config(**config))
        system.artefact().module.load_state_dict(named_weights(style.path))
    except (ValueError, TypeError, RuntimeError) as error:  # torch lists every weight
        raise UsageError(
            f"style {style.name} does not hold its weights by name, as files exported earlier or with --half: "
            "name the folder of its training"
        ) from error
    return system


def named_weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of a style file by the names that they had in its artefact's module."""
    graph = onnx.load(str(path)).graph
    found = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer}
    for node in graph.node:  # equal ones are kept once
        if node.op_type == "Identity" and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    return {name.removeprefix(PREFIX): value for name, value in found.items() if name.startswith(PREFIX)}
