"""Styles as the command line names them: an embedded style, a file, or the folder of a training."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sakuga import runs
from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.runs import build
from sakuga.runtime.naming import distinct
from sakuga.style import Style, load
from sakuga.style import names as known

Which = Literal["last", "best"]


def is_run(name: str) -> bool:
    """Whether the folder of a training is meant: any folder, but one named like a style must hold a checkpoint."""
    return Path(name).is_dir() and (name not in known() or (Path(name) / runs.LAST).is_file())


def checkpoint_name(run: Path, which: Which) -> str:
    """Return the checkpoint's file name.

    Raises:
        UsageError: the run keeps no best weights.
    """
    name = {"last": runs.LAST, "best": runs.BEST}[which]
    if which == "best" and (run / runs.LAST).is_file() and not (run / name).is_file():
        raise UsageError(f"{run} has no {name}: its samples were not judged; leave out --which best.")
    return name


def styles(names: Sequence[str], *, which: Which, scratch: Path) -> dict[str, Style]:
    """Load what `names` name, by labels that differ; a training is exported into the folder `scratch`.

    Raises:
        UsageError: nothing is called so, a name is given twice, or a folder holds no training.
        SakugaError: a file is no style, or a checkpoint is damaged.
    """
    found = {}
    for i, (name, label) in enumerate(zip(names, _labels(names), strict=True)):
        found[label] = _export(Path(name), which, scratch / str(i)) if is_run(name) else load(name)
    return found


def _labels(names: Sequence[str]) -> list[str]:
    """Return the last part of each path; of those that would share it, as many parts as tell them apart."""
    # An embedded style's name is no path and has no more than itself.
    parts = [Path(name).resolve().parts if is_run(name) or name not in known() else (name,) for name in names]
    if twice := [name for name, own in zip(names, parts, strict=True) if parts.count(own) > 1]:
        raise UsageError(f"{twice[-1]} is named twice; name it once.")
    longest = max(map(len, parts))
    labels = distinct(parts, lambda own, length: "/".join(own[-length - 1 :]).removesuffix(".onnx"), longest)
    return labels if len({*labels}) == len(labels) else list(names)  # a.onnx and a folder a


def _export(run: Path, which: Which, folder: Path) -> Style:
    system = build(run, checkpoint_name(run, which))
    name = re.sub(r"[^\w-]+", "-", run.resolve().name) or "run"
    folder.mkdir()
    try:
        return export(system, folder / f"{name}.onnx", name=name)
    except UsageError as error:
        raise UsageError(f"{run} is no style by itself ({error}); export it, then name the file.") from error
