"""Runs that were trained before and are parts of a system now: read from their checkpoints."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from sakuga.errors import SakugaError, UsageError
from sakuga.importers.weights import load
from sakuga.networks.mobilefacenet import MobileFaceNet
from sakuga.networks.resnet18 import ResNet18


def read_run(run: Path, option: str, system: str) -> dict[str, Any]:
    """Return a run's checkpoint: its `config`, its `finished` networks, and, of last.pt, all of its `networks`.

    Raises:
        UsageError: the folder that `option` names is no run of this system.
        SakugaError: its checkpoint is damaged.
    """
    file = next((run / name for name in ("last.pt", "best.pt") if (run / name).is_file()), None)
    if file is None:
        raise UsageError(f"{option} {run} holds no checkpoint: name a run of `sakuga train {system}`")
    try:
        state: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
        name = state["name"], state["config"], state["finished"]
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise SakugaError(f"{file} is damaged ({type(error).__name__}): train it again") from error
    if name[0] != system:
        raise UsageError(f"{option} {run} is a run of {name[0]}: name one of `sakuga train {system}`")
    return state


def give(network: nn.Module, weights: dict[str, Any], run: Path, option: str) -> None:
    """Load weights of a run into a network. Raises UsageError where they are of other sizes."""
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise UsageError(f"{option} {run} has networks of other sizes: name a run like the other") from error


def read_classifier(run: Path, option: str) -> tuple[ResNet18, tuple[str, ...]]:
    """Return the frozen network of a run of cam_classifier, and what it tells apart."""
    state = read_run(run, option, "cam_classifier")
    config = state["config"]
    network = ResNet18(len(config["classes"]), width=config["width"], small=config["small"])
    give(network, state["finished"]["classifier"], run, option)
    return network.eval().requires_grad_(False), tuple(config["classes"])


def read_recogniser(path: Path) -> MobileFaceNet:
    """Return the frozen MobileFaceNet whose weights a file holds, in its order, whatever they are called.

    Raises SakugaError for a file of another network.
    """
    network, found = MobileFaceNet(), load(path).weights
    own = {name: value for name, value in network.state_dict().items() if value.ndim}
    given = [value for value in found.values() if value.ndim]
    if [value.shape for value in given] != [value.shape for value in own.values()]:
        raise SakugaError(f"{path} holds no MobileFaceNet: it has other layers")
    network.load_state_dict(dict(zip(own, given, strict=True)), strict=False)
    return network.eval().requires_grad_(False)
