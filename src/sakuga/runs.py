"""A training run on disk: its checkpoints, and the system built from one of them."""

import os
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_origin

import torch
from filelock import FileLock, Timeout

from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.atomic import rename, sync
from sakuga.systems import SYSTEMS, load_system
from sakuga.systems.base import System
from sakuga.systems.config import kinds_of, plain, typed

LAST, BEST = "last.pt", "best.pt"


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold a run's folder for one training; the lock ends with its process, however it ends.

    A folder that is made for it goes again if it stays empty.

    Raises:
        SakugaError: another process holds it.
    """
    run.mkdir(parents=True, exist_ok=True)
    lock = FileLock(run / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise SakugaError(f"{run} is being trained by another process: wait for it, or name another --run") from error
    except (OSError, NotImplementedError):  # a file system without locks
        pass
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):
            if all(path.name == ".lock" for path in run.iterdir()):
                (run / ".lock").unlink(missing_ok=True)
                run.rmdir()


def finished(system: System, steps: int) -> dict[str, Any]:
    """Return what rebuilds what users run of a system with its averages in place: best.pt, and a part of last.pt."""
    networks = {name: network.state_dict() for name, network in system.finished.items()}
    config = {key: plain(value) for key, value in asdict(system.config).items()}
    return {"name": system.name, "config": config, "steps": steps, "finished": networks}


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
    rename(run / (name + ".tmp"), run / name)
    sync(run)


def load(run: Path, name: str = LAST, *, of: str | None = None) -> dict[str, Any]:
    """Read a run's checkpoint onto the CPU; `of` names the system whose it must be.

    Raises:
        UsageError: the folder holds no such checkpoint.
        SakugaError: the checkpoint is damaged, or of another system.
    """
    path = run / name
    if not path.is_file():
        raise UsageError(f"{run} holds no checkpoint ({name}); train first.")
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        state = _with_present_names(state)
        if not {"name", "config", "steps", "finished"} <= state.keys():
            raise ValueError("not written by sakuga")
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise SakugaError(f"{path} is damaged ({type(error).__name__}); remove it to start again.") from error
    if of not in (None, state["name"]):
        raise SakugaError(f"{run} is a run of {state['name']}, not of {of}; name another --run.")
    return state


def _with_present_names(state: dict[str, Any]) -> dict[str, Any]:
    """Give what earlier versions called otherwise its present name."""
    if "networks" in state:
        state["networks"] = {k.replace("judge", "discriminator"): v for k, v in state["networks"].items()}
    for part in state.get("ranks", ()):
        if "memories" in part:
            part["stateful"] = part.pop("memories")
    if "average" in state:  # of one network alone; the others that can be exported were found among all
        output = "painter" if state["name"] == "adain" else "generator"
        others = {k: v for k, v in state.get("networks", {}).items() if not k.startswith(("discriminator", output))}
        state["finished"] = others | {output: state.pop("average")}
    options = state.get("options", {})
    if "ema" in options:
        state["config"]["ema"] = options.pop("ema")
    if "micro" in options:
        options["accumulate"] = options.pop("micro")
    return state


def build(run: Path, which: str = LAST, *, changes: Sequence[str] = (), network: str | None = None) -> System:
    """Build a run's system from one of its checkpoints alone: its networks hold their averages where there are any.

    best.pt may lack networks that users do not run: they hold their first weights then.

    Args:
        run: the run's folder.
        which: the checkpoint's name.
        changes: fields of the config to change, each as "FIELD=VALUE".
        network: one that is to be exported, which the checkpoint must hold.

    Raises:
        UsageError: a change names no field or has a value of another type, or there is no such network.
        SakugaError: no checkpoint, a damaged one, or one of a system that this version lacks.
    """
    state = load(run, which)
    if state["name"] not in SYSTEMS:
        raise SakugaError(f"{run} is a run of {state['name']}, which this version does not have.")
    system_type = load_system(state["name"])
    kinds = kinds_of(system_type.Config)
    try:
        known = {name: typed(value, kinds[name]) for name, value in state["config"].items() if name in kinds}
        system = system_type(system_type.Config(**known | _changed(changes, system_type.name, kinds)))
        held = state.get("networks", {}) | state["finished"]
        for name, weights in held.items():
            system.get_submodule(name).load_state_dict(weights)
    except ValueError as error:
        raise SakugaError(f"{run} was trained by a version whose {state['name']} differs ({error}).") from error
    except RuntimeError as error:  # in which torch lists every weight
        if changes:
            raise UsageError(
                f"--set {' '.join(changes)}: {run} has other networks; set what concerns the finished style alone."
            ) from error
        raise SakugaError(f"{run} was trained by a version whose {state['name']} has other networks.") from error
    if network is not None and network not in system.exportable:
        raise UsageError(f"--network {network}: choose one of {system.name}'s {' or '.join(system.exportable)}")
    if network is not None and network not in held:
        raise UsageError(f"{run / which} does not hold {network}: export --which last")
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
        except (ValueError, RecursionError):
            value = text  # a word or a path without quotes
        if get_origin(kinds[name]) is tuple and not isinstance(value, list):
            value = [value]
        try:
            changed[name] = typed(value, kinds[name])
        except ValueError as error:
            raise UsageError(f"--set {change}: {name} must be {error}.") from error
    return changed
