"""What `sakuga train` can be told, in layers: defaults, then a preset, then a file, then the command line."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from sakuga.commands.options import join_lists
from sakuga.errors import UsageError
from sakuga.systems import config as toml
from sakuga.systems.base import Config, System
from sakuga.systems.fields import Count, Weight, check_bounds, flag, places

Precision = Literal["auto", "32-true", "bf16-mixed"]


@dataclass
class Call:
    """What belongs to one call of the command and is not kept."""

    run: Path
    """The run's folder. The same command goes on where it stopped."""
    preset: str | None = None
    """Values of a published style or variant; those of --config and of the command line win."""
    config: Path | None = None
    """A TOML file of fields, such as an earlier RUN/config.toml; the command line wins."""
    dry_run: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Check everything, take a few steps, say what they cost, and leave the run's folder alone."""


@dataclass
class Loop:
    """How to train, whatever the system."""

    devices: Count = 1
    """Processes of a machine, one device each; torchrun says it by itself."""
    nodes: Count = 1
    """Machines; torchrun says it by itself."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""
    precision: Precision = "auto"
    """Numbers to compute with; auto: bfloat16 where the device is made for it, else 32 bits."""
    compile: bool = False
    """Compile the networks (torch.compile): a minute at the start, faster steps on a GPU."""
    clip: Weight = 0.0
    """Largest norm of a player's gradient; 0: no limit, as published."""
    accumulate: Count = 1
    """Gradient accumulation steps: parts in which a batch is worked through, to save memory; little where D moves
    before G, as in pix2pix."""
    save_every: Count = 500
    """Steps between checkpoints and sample pictures."""
    log_every: Count = 50
    """Steps between rows of metrics.csv."""


def parse(system: type[System], args: Sequence[str]) -> tuple[Call, Loop, Any]:
    """Read the command line of `sakuga train SYSTEM`.

    Raises:
        UsageError: an unknown preset, or a file that does not fit.
    """
    prog = f"sakuga train {system.name}"
    args = [re.sub(r"^--micro(?=$|=)", "--accumulate", arg) for arg in args]  # its name in earlier versions
    args = join_lists(args, Call, Loop, system.Config)
    quiet = [arg for arg in args if arg not in ("-h", "--help")]
    call = Call(run=tyro.MISSING)
    layers, _ = tyro.cli(
        Call, args=quiet, default=replace(call, run=Path()), prog=prog, return_unknown_args=True, add_help=False
    )
    values: dict[str, Any] = {}
    if layers.preset is not None:
        if layers.preset not in system.presets:
            there = f"it has {', '.join(system.presets)}" if system.presets else "it has none"
            raise UsageError(f"{system.name} has no preset {layers.preset!r}; {there}.")
        values |= system.presets[layers.preset]
    if layers.config is not None:
        values |= toml.read(layers.config, system.name, toml.kinds_of(Loop, system.Config))
    defaults: list[Any] = [
        replace(part, **{f.name: values[f.name] for f in fields(part) if f.name in values})
        for part in (Loop(), system.Config())
    ]
    flat = tyro.conf.arg(name="")
    call, loop, config = tyro.cli(
        tuple[Annotated[Call, flat], Annotated[Loop, flat], Annotated[system.Config, flat]],  # type: ignore[name-defined]
        args=args,
        default=(call, *defaults),
        prog=prog,
        description=(system.__doc__ or "") + (f"\n\nPresets: {', '.join(system.presets)}." if system.presets else ""),
    )
    loop = _as_launched(loop)
    _check(call, loop, config)
    return call, loop, config


def _as_launched(loop: Loop) -> Loop:
    """The processes that torchrun began, who knows best: a restart after a loss may have fewer of them."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return loop
    processes, devices = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    if processes % devices:
        raise UsageError(f"{processes} processes on machines of {devices}: give each machine the same --nproc-per-node")
    return replace(loop, devices=devices, nodes=processes // devices)


def _check(call: Call, loop: Loop, config: Config) -> None:
    """Refuse what would only fail somewhere inside."""
    check_bounds(loop)
    check_bounds(config)
    if loop.nodes > 1 and not {"MASTER_ADDR", "SLURM_JOB_ID"} & os.environ.keys():
        raise UsageError(
            f"--nodes {loop.nodes} needs a launcher on every machine, such as "
            f"`torchrun --nnodes {loop.nodes} --nproc-per-node {loop.devices} -m -- sakuga train ...`."
        )
    warmup = getattr(config, "warmup", 0)
    if config.init is not None and warmup:
        raise UsageError(
            f"the warm-up of --warmup {warmup} steps, in which the network learns to repeat the photo, would undo "
            f"--init {config.init}; add --warmup 0."
        )
    if config.steps <= warmup:
        raise UsageError(
            f"--steps {config.steps} ends before the warm-up of --warmup {warmup} steps, in which no style is learned; "
            f"give more steps, or --warmup {config.steps // 10}."
        )
    if call.run.exists() and not call.run.is_dir():
        raise UsageError(f"--run {call.run} is a file; name a folder, which is made if need be.")
    for name, paths in places(config).items():
        for path in paths:
            if path.is_dir() and path.resolve() in (call.run.resolve(), *call.run.resolve().parents):
                raise UsageError(
                    f"--run {call.run} lies within {flag(name)} {path}, so its samples would be trained "
                    "on; name a folder elsewhere."
                )
    processes = loop.devices * loop.nodes
    if config.batch % (processes * loop.accumulate):
        raise UsageError(
            f"--batch {config.batch} does not divide by {processes} processes and --accumulate {loop.accumulate}."
        )
    if int(os.environ.get("WORLD_SIZE", processes)) != processes:
        raise UsageError(
            f"{os.environ['WORLD_SIZE']} processes were launched, but --devices times --nodes is {processes}."
        )
