"""One file holds all that a run needs to go on: weights, averages, optimisers, chance, step and configuration."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sakuga.errors import SakugaError, UsageError
from sakuga.training.config import plain

if TYPE_CHECKING:
    from sakuga.systems.base import System

LAST, BEST = "last.pt", "best.pt"


def averaged(system: "System", average: nn.Module, steps: int) -> dict[str, Any]:
    """Return what rebuilds the network that users run: all that best.pt holds, and a part of last.pt."""
    return {
        "name": system.name,
        "config": {key: plain(value) for key, value in asdict(system.config).items()},
        "steps": steps,
        "average": average.state_dict(),
    }


def save(state: dict[str, Any], run: Path, name: str = LAST, *, published: bool = True) -> None:
    """Write atomically: whatever happens meanwhile, `run/name` is a whole checkpoint, the old or the new one.

    Unless it is `published`, the old one stays until `publish` is called.
    """
    temporary = run / (name + ".tmp")
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        if published:
            publish(run, name)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        # Of a disk that fills up, torch's archive writer says no more than that a position is unexpected.
        reason = getattr(error, "strerror", None) or "the disk is full, most likely"
        kept = "the earlier one is whole" if (run / name).exists() else "there is no earlier one"
        raise SakugaError(
            f"{run / name} could not be written ({reason}); {kept}. Make room and give the same command again."
        ) from error


def publish(run: Path, name: str = LAST) -> None:
    """Put what was saved last into the place of the earlier checkpoint."""
    (run / (name + ".tmp")).replace(run / name)


def load(run: Path, name: str = LAST) -> dict[str, Any]:
    """Read a run's checkpoint onto the CPU.

    Raises:
        UsageError: the folder holds no such checkpoint.
        SakugaError: the checkpoint is damaged.
    """
    path = run / name
    if not path.is_file():
        raise UsageError(f"{run} holds no checkpoint ({name}); train first.")
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        if not {"name", "config", "steps", "average"} <= state.keys():
            raise ValueError("not written by sakuga")
        return state
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise SakugaError(f"{path} is damaged ({type(error).__name__}); remove it to start again.") from error


def load_averaged(run: Path) -> dict[str, Tensor]:
    """Return the averaged weights of a run's output network, the ones that users get."""
    average: dict[str, Tensor] = load(run)["average"]
    return average
