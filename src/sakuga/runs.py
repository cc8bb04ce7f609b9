"""A training run on disk: its checkpoints, and the system built from one of them."""

import os
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_origin

import torch
from torch import Tensor, nn

from sakuga.errors import SakugaError, UsageError
from sakuga.systems import SYSTEMS, System
from sakuga.systems.config import kinds_of, plain, typed

LAST, BEST = "last.pt", "best.pt"


def averaged(system: System, average: nn.Module, steps: int) -> dict[str, Any]:
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
        return _with_present_names(state)
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise SakugaError(f"{path} is damaged ({type(error).__name__}); remove it to start again.") from error


def _with_present_names(state: dict[str, Any]) -> dict[str, Any]:
    """Give what earlier versions called otherwise its present name."""
    if "networks" in state:
        state["networks"] = {k.replace("judge", "discriminator"): v for k, v in state["networks"].items()}
    for part in state.get("ranks", ()):
        if "memories" in part:
            part["stateful"] = part.pop("memories")
    return state


def load_averaged(run: Path) -> dict[str, Tensor]:
    """Return the averaged weights of a run's output network, the ones that users get."""
    average: dict[str, Tensor] = load(run)["average"]
    return average


def build(run: Path, which: str = LAST, *, changes: Sequence[str] = ()) -> System:
    """Build a run's system from one of its checkpoints alone, its output network with the averaged weights.

    The other exportable networks have theirs, unaveraged, where the checkpoint holds them, which best.pt does not.

    Args:
        run: the run's folder.
        which: the checkpoint's name.
        changes: fields of the config to change, each as "FIELD=VALUE".

    Raises:
        UsageError: a change names no field or has a value of another type.
        SakugaError: no checkpoint, a damaged one, or one of a system that this version lacks.
    """
    state = load(run, which)
    system_type = next((s for s in SYSTEMS if s.name == state["name"]), None)
    if system_type is None:
        raise SakugaError(f"{run} is a run of {state['name']}, which this version does not have.")
    kinds = kinds_of(system_type.Config)
    try:
        known = {name: typed(value, kinds[name]) for name, value in state["config"].items() if name in kinds}
        system = system_type(system_type.Config(**known | _changed(changes, system_type.name, kinds)))
        system.get_submodule(system.output).load_state_dict(state["average"])
        if "networks" in state:
            for name in system.exportable:
                system.get_submodule(name).load_state_dict(state["networks"][name])
    except ValueError as error:
        raise SakugaError(f"{run} was trained by a version whose {state['name']} differs ({error}).") from error
    except RuntimeError as error:  # in which torch lists every weight
        if changes:
            raise UsageError(
                f"--set {' '.join(changes)}: {run} has other networks; set what concerns the finished style alone."
            ) from error
        raise SakugaError(f"{run} was trained by a version whose {state['name']} has other networks.") from error
    return system


def _changed(changes: Sequence[str], system: str, kinds: dict[str, Any]) -> dict[str, Any]:
    changed = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise UsageError(f"--set {change}: write FIELD=VALUE.")
        if name not in kinds:
            raise UsageError(f"--set {change}: {system} has no field {name}.")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text  # a word or a path without quotes
        if get_origin(kinds[name]) is tuple and not isinstance(value, list):
            value = [value]
        try:
            changed[name] = typed(value, kinds[name])
        except ValueError as error:
            raise UsageError(f"--set {change}: {name} must be {error}.") from error
    return changed
