"""The networks that a style file was exported from, as far as the export has left their weights apart."""

import copy
from dataclasses import replace

import numpy as np
import onnx
import torch
from onnx import ModelProto, numpy_helper
from torch import Tensor

from sakuga.errors import SakugaError, UsageError
from sakuga.export.context import GivenContext
from sakuga.export.palette import remove_palette
from sakuga.export.trace import check_parity
from sakuga.networks.context import ContextGenerator
from sakuga.style import Style
from sakuga.systems import SYSTEMS, load_system
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import System
from sakuga.systems.config import kinds_of, typed

PREFIX = "network."
"""Of the names of the artefact's weights, which the exported module wraps."""
NAMELESS = "onnx::"
"""Begins the names that the exporter gives weights which it has reshaped, transposed or joined."""


def rebuild(style: Style) -> System:
    """Build a style's system by its card, with the weights of its file. Its artefact's are all that it is given.

    Raises:
        UsageError: the system is not known, or the weights do not go back into it.
    """
    card = style.card
    if card.system not in SYSTEMS:
        raise UsageError(f"style {style.name} was made by {card.system}, which cannot be built here: name a training")
    chosen = load_system(card.system)
    kinds = kinds_of(chosen.Config)
    try:
        config = {name: typed(value, kinds[name]) for name, value in card.config.items() if name in kinds}
        system = chosen(chosen.Config(**config))
        restore(style, system.artefact())
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"style {style.name} does not hold its weights by name, as files exported earlier: "
            "name the folder of its training"
        ) from error
    return system


def restore(style: Style, artefact: Artefact) -> None:
    """Give an artefact's module the weights of a style file, which it then paints like, to 1e-4, but for a palette.

    Raises:
        ValueError: the file's network is another one, or the export has joined some of its layers.
    """
    model = onnx.load(str(style.path))
    remove_palette(model)
    found = _weights(model)
    if style.context is not None:
        found |= _weights(onnx.load_model_from_string(style.context))
    state = artefact.module.state_dict()
    missing = [name for name, value in state.items() if name not in found and value.is_floating_point()]
    nameless = [value for name, value in found.items() if name.startswith(NAMELESS)]
    try:
        # Those stand in the module's order; whether they were only reshaped is seen below.
        found |= {name: value.view_as(state[name]) for name, value in zip(missing, nameless, strict=True)}
        artefact.module.load_state_dict({name: found.get(name, value) for name, value in state.items()})
        module = copy.deepcopy(artefact.module).eval().cpu()
        if isinstance(module, ContextGenerator):
            module = GivenContext(module, ())
            module.default = found["context"]
        check_parity(model, replace(artefact, module=module))
    except (ValueError, KeyError, RuntimeError, SakugaError) as error:
        raise ValueError("another network") from error


def _weights(model: ModelProto) -> dict[str, Tensor]:
    """Return what a model holds, by name, in the order in which it stands there; what is kept in 16 bits in 32."""
    found = {}
    for one in model.graph.initializer:
        value = numpy_helper.to_array(one)
        wide = value.astype(np.float32) if value.dtype == np.float16 else value.copy()
        found[one.name.removesuffix(".half").removeprefix(PREFIX)] = torch.from_numpy(wide)
    for node in model.graph.node:  # equal ones are kept once
        name = node.output[0].removeprefix(PREFIX)
        source = node.input[0].removeprefix(PREFIX) if node.op_type == "Identity" else ""
        if source in found and not name.startswith(NAMELESS):
            found[name] = found[source]
    return found
