"""One file holds all that a run needs to go on: weights, averages, optimisers, chance, step and configuration."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sakuga.errors import SakugaError, UsageError

LAST = "last.pt"


def save(state: dict[str, Any], run: Path) -> None:
    """Write atomically: whatever happens meanwhile, `run/last.pt` is a whole checkpoint, the old or the new one."""
    temporary = run / (LAST + ".tmp")
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(run / LAST)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SakugaError(f"{run / LAST} could not be written ({error.strerror}); the earlier one is whole.") from error
    except RuntimeError as error:  # torch's archive writer reports a full disk this way
        temporary.unlink(missing_ok=True)
        raise SakugaError(f"{run / LAST} could not be written ({error}); the earlier one is whole.") from error


def load(run: Path, *, device: str = "cpu") -> dict[str, Any]:
    """Read a run's checkpoint.

    Raises:
        UsageError: the folder holds no checkpoint.
        SakugaError: the checkpoint is damaged.
    """
    path = run / LAST
    if not path.is_file():
        raise UsageError(f"{run} holds no checkpoint ({LAST}); train first.")
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location=device)
        return state
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise SakugaError(f"{path} is damaged ({type(error).__name__}); remove it to start again.") from error


def load_averaged(run: Path) -> dict[str, Tensor]:
    """Return the averaged weights of a run's output network, the ones that users get."""
    average: dict[str, Tensor] = load(run)["average"]
    return average
