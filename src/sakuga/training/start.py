"""What a training begins with in place of chance: another run, or a style."""

from pathlib import Path

from torch import Tensor

from sakuga import runs
from sakuga.errors import UsageError
from sakuga.export.rebuild import restore
from sakuga.style import store
from sakuga.systems.base import System


def begin_from(init: Path, system: System) -> dict[str, dict[str, Tensor]]:
    """Give a system the finished weights of another run, or a style's; return those that it has, by network.

    Args:
        init: the run's folder, a style's file, or the name of a style where no folder is called so.
        system: what begins.

    Raises:
        UsageError: that run has no checkpoint, none of the networks, or one of another size; or the style's network
            is not the system's.
        SakugaError: the file is no style, or damaged.
    """
    if init.suffix == ".onnx" or (not init.exists() and str(init) in store.names()):
        return _begin_from_style(init, system)
    found, networks = runs.load(init)["finished"], system.finished
    if not found.keys() & networks.keys():
        raise UsageError(f"--init {init} holds none of {system.name}'s networks: name a run of the same kind")
    try:
        for name in found.keys() & networks.keys():
            networks[name].load_state_dict(found[name])
    except RuntimeError as error:
        raise UsageError(f"--init {init} holds a network of another size; train with the sizes it has.") from error
    return {name: found[name] for name in found.keys() & networks.keys()}


def _begin_from_style(init: Path, system: System) -> dict[str, dict[str, Tensor]]:
    style = store.load(str(init))
    artefact = system.artefact()
    try:
        restore(style, artefact)
    except ValueError as error:
        raise UsageError(
            f"--init {init}: the network of this style, made by {style.card.system}, is not the one that {system.name} "
            f"trains with these options; `sakuga info {init}` tells its own, and a run's folder always fits its kind"
        ) from error
    held = {*artefact.module.parameters()}
    return {name: one.state_dict() for name, one in system.finished.items() if held & {*one.parameters()}}
