"""`sakuga export`: a run becomes a style."""

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

import tyro
from torch import nn

from sakuga.data.images import find_images
from sakuga.errors import SakugaError, UsageError
from sakuga.export import export as export_network
from sakuga.lists import join_lists
from sakuga.networks.fast import FastGenerator
from sakuga.systems import SYSTEMS, System
from sakuga.training import checkpoint
from sakuga.training.config import kinds_of, typed


def build(run: Path, which: str = checkpoint.LAST, *, changes: Sequence[str] = ()) -> System:
    """Build a run's system from one of its checkpoints alone, its output network with the averaged weights.

    The system's alternatives have theirs, unaveraged, where the checkpoint holds them, which best.pt does not.

    Args:
        run: the run's folder.
        which: the checkpoint's name.
        changes: fields of the config to change, each as "FIELD=VALUE".

    Raises:
        UsageError: a change names no field or has a value of another type.
        SakugaError: no checkpoint, a damaged one, or one of a system that this version lacks.
    """
    state = checkpoint.load(run, which)
    system_type = next((s for s in SYSTEMS if s.name == state["name"]), None)
    if system_type is None:
        raise SakugaError(f"{run} is a run of {state['name']}, which this version does not have.")
    kinds = kinds_of(system_type.Config)
    try:
        known = {name: typed(value, kinds[name]) for name, value in state["config"].items() if name in kinds}
        system = system_type(system_type.Config(**known | _changed(changes, system_type.name, kinds)))
        system.get_submodule(system.output).load_state_dict(state["average"])
        if "networks" in state:
            for name in system.alternatives:
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


def main(args: Sequence[str]) -> int:
    """Run `sakuga export` with its arguments; the exit status."""
    return tyro.cli(export, args=join_lists(args, export), prog="sakuga export")


def export(
    run: Annotated[Path, tyro.conf.Positional],
    /,
    *,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    which: Literal["last", "best"] = "last",
    network: str | None = None,
    title: str | None = None,
    licence: str = "not stated",
    data: tuple[str, ...] = (),
    set: tuple[str, ...] = (),
    overwrite: bool = False,
) -> int:
    """Turn a run into a style: one .onnx file that `sakuga photo.jpg -s FILE` uses.

    Args:
        run: folder of the training.
        output: the style's file; its name is the style's name.
        which: the last weights, or the best by KID, which runs with pictures of their style keep.
        network: inverse, for the way back from the style to photos, which cyclegan and ugatit learn as well.
        title: the style's name for people.
        licence: of the style.
        data: what it was trained on, each as "NAME|LICENCE|USE".
        set: fields of the system that concern the finished style, each as FIELD=VALUE: adain's picture=wave.jpg.
        overwrite: replace an existing file.
    """
    sources = []
    for entry in data:
        parts = entry.split("|")
        if len(parts) != 3:
            raise UsageError(f"--data {entry!r} must read NAME|LICENCE|USE.")
        sources.append(dict(zip(("name", "licence", "use"), parts, strict=True)))
    if output.suffix != ".onnx":
        raise UsageError(f"--output {output} must end in .onnx.")
    if output.exists() and not overwrite:  # said before the work, not after it
        raise SakugaError(f"{output} exists already: choose another name or allow overwriting (--overwrite)")
    name = {"last": checkpoint.LAST, "best": checkpoint.BEST}[which]
    if which == "best" and (run / checkpoint.LAST).is_file() and not (run / name).is_file():
        raise UsageError(f"{run} has no {name}: its samples were not judged; export --which last.")
    system = build(run, name, changes=set)
    chosen = _network(system, run / name, network or system.output)
    style = export_network(
        chosen,
        output,
        system=system,
        name=output.stem,
        title=title,
        licence=licence,
        data=sources or None,
        overwrite=overwrite,
        photos=_photos(system) if isinstance(chosen, FastGenerator) else (),
    )
    print(style.path)
    return 0


def _network(system: System, checkpoint_file: Path, name: str) -> nn.Module:
    """Return the network of that name if the checkpoint, from which the system was built, holds one to export."""
    choices = (system.output, *system.alternatives)
    if name not in choices:
        raise UsageError(f"--network {name}: of {system.name} {' or '.join(choices)} can be exported.")
    if name != system.output and checkpoint_file.name != checkpoint.LAST:
        raise UsageError(f"{checkpoint_file} holds no other network than {system.output}; export --which last.")
    return system.get_submodule(name)


def _photos(system: System) -> list[Path]:
    """The photos of the training, for the int8 variant; none, saying so, where they are no longer there."""
    try:
        return find_images(system.config.photos)
    except UsageError as error:
        print(f"sakuga: no int8 variant, which needs photos (--set photos=FOLDER): {error}", file=sys.stderr)
        return []
