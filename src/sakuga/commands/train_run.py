"""One training from the command line: its devices, its data, resuming, and what can go wrong in sentences."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

import torch
from lightning_fabric import Fabric

from sakuga import runs
from sakuga.commands.train_options import Call, Loop, parse
from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.atomic import rename
from sakuga.runtime.console import printable
from sakuga.systems import config as toml
from sakuga.systems.base import System
from sakuga.systems.config import plain
from sakuga.training import device
from sakuga.training.advice import count_pictures, few_pictures, passed_over, unreadable_folders
from sakuga.training.dry_run import report
from sakuga.training.log import Log
from sakuga.training.start import begin_from
from sakuga.training.trainer import Trainer


def run(chosen: type[System], args: Sequence[str]) -> int:
    """Train a system as the arguments say; the exit status."""
    call, loop, config = parse(chosen, args)
    fabric, precision = _fabric(loop)
    torch.manual_seed(config.seed)
    with ExitStack() as held:
        system = _prepared(chosen, call, config, fabric, held)
        if system is None:
            fabric.print(_done(call, config.steps))
            return 0
        trainer = Trainer(system, call.run, fabric=fabric, clip=loop.clip or None, accumulate=loop.accumulate)
        trainer.options["precision"] = precision
        left_out = _train(trainer, call, loop)
    _destroy_process_group()
    # Of another process than the first the launcher would take it for a crash.
    return int(bool(left_out) and fabric.is_global_zero)


def _fabric(loop: Loop) -> tuple[Fabric, str]:
    """Start the processes; return what they share and the precision chosen."""
    precision = device.choose_precision(loop.accelerator) if loop.precision == "auto" else loop.precision
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it says in words of its own what was asked for
    try:
        fabric = Fabric(
            accelerator=loop.accelerator,
            devices=loop.devices,
            num_nodes=loop.nodes,
            strategy="ddp" if loop.devices * loop.nodes > 1 else "auto",
            precision=precision,
        )
    except (RuntimeError, ValueError) as error:  # Lightning's own among them
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(
            f"--accelerator {loop.accelerator} --devices {loop.devices} is not to be had here ({reason})."
        ) from error
    fabric.launch()
    if fabric.device.type == "cpu":
        device.tune()
    _check_same(fabric, precision)
    return fabric, precision


def _check_same(fabric: Fabric, precision: str) -> None:
    """Raise UsageError where `auto` chose another precision on another machine."""
    if fabric.world_size > 1:
        half = torch.tensor(float(precision != "32-true"), device=fabric.device)
        share = float(fabric.all_reduce(half, reduce_op="mean"))  # type: ignore[arg-type]
        if 0 < share < 1:
            _destroy_process_group()
            raise UsageError("some machines compute in 16 bits and some do not: give --precision 32-true on each")


def _train(trainer: Trainer, call: Call, loop: Loop) -> list[str]:
    """Go on with the run or begin it, and say in sentences what goes wrong.

    Returns those of folders that cannot be read, which are said at the end once more.
    """
    system, fabric, config = trainer.system, trainer.fabric, trainer.system.config
    trainer.options |= {f"pictures of {name}": count for name, count in count_pictures(config).items()}
    left_out = unreadable_folders(config)
    for sentence in left_out:
        fabric.print(printable(sentence))
    if trainer.resume():
        if trainer.steps >= config.steps and not call.dry_run:
            fabric.print(_done(call, trainer.steps))
            return left_out
        fabric.print(f"going on from step {trainer.steps} of {call.run}")
        for line in trainer.changed:
            fabric.print(f"  {line}")
    else:
        if config.init is not None:
            trainer.start_from(config.init)
        if advice := few_pictures(config):
            fabric.print(advice)
        for line in passed_over(config):
            fabric.print(line)
    if loop.compile:
        for name in (name for names in system.players.values() for name in names):
            system.get_submodule(name).compile()  # in place: the names in the checkpoint stay
    try:
        if call.dry_run:
            report(trainer)
        else:
            _fit(trainer, call, loop)
            for sentence in left_out:
                fabric.print(printable(sentence))
        return left_out
    except FloatingPointError as error:
        raise SakugaError(f"{error}; a lower --lr or --clip may help{_kept(call)}.") from error
    except torch._dynamo.exc.BackendCompilerFailed as error:
        raise SakugaError(f"--compile does not work here ({error.inner_exception}); train without it.") from error
    except RuntimeError as error:
        if fabric.world_size > 1 and (isinstance(error, torch.distributed.DistBackendError) or "/gloo/" in str(error)):
            raise SakugaError(
                f"another process of this training has ended or is out of reach: start the same command again on every "
                f"machine{_kept(call)}"
            ) from error
        # Of a GPU torch has a type for it, of the processor's memory only a text.
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise SakugaError(
            f"the memory of the {fabric.device.type} is too small for --batch {config.batch} of --crop {config.crop}; "
            f"lower one of them, or the networks' --width where there is one{_kept(call)}."
        ) from error


def _has_done(call: Call, config: Any, of: str) -> bool:
    """Whether the run has taken all steps of just this configuration; raises as `runs.load`."""
    state = runs.load(call.run, of=of)
    same = state["config"] == {name: plain(value) for name, value in asdict(config).items()}
    return bool(same and state["steps"] >= config.steps)


def _done(call: Call, steps: int) -> str:
    return f"{call.run} has done its {steps} steps already; larger --steps go on with it"


def _prepared(chosen: type[System], call: Call, config: Any, fabric: Fabric, held: ExitStack) -> System | None:
    """Lock the run's folder, build the system and load its data; of several processes that cannot, one says why.

    None where the same command has done all its steps: nothing needs to be read then.
    """
    problem: SakugaError | None = None
    done = False
    # The first process of a machine fills the caches, the others read them.
    with _notes(), fabric.rank_zero_first(local=True):
        try:
            if fabric.is_global_zero and not call.dry_run:
                held.enter_context(runs.locked(call.run))
            system = chosen(config)
            if (call.run / runs.LAST).exists():  # what it goes on from is looked at before all pictures, too
                done = _has_done(call, config, of=system.name) and not call.dry_run
            elif config.init is not None:
                begin_from(config.init, system)
            if not done:
                system.load()
        except SakugaError as error:
            problem = error
        except MemoryError:
            problem = SakugaError("the pictures do not fit into memory; lower --load or remove the largest.")
    mine = fabric.world_size - fabric.global_rank if problem is not None else 0
    first: Any = fabric.all_reduce(torch.tensor(float(mine), device=fabric.device), reduce_op="max")
    if not first and not done:
        return system
    _destroy_process_group()
    if not first:
        return None
    if problem is not None and mine == first:
        raise problem
    raise SystemExit(0)  # not 1, at which the launcher would kill the process that has something to say


def _destroy_process_group() -> None:
    # Left to the interpreter's end, gloo's threads now and then abort a process that has done all its work.
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _kept(call: Call) -> str:
    path = call.run / runs.LAST
    return f"; {path} has what was learned up to its last saving" if path.is_file() else ""


def _fit(trainer: Trainer, call: Call, loop: Loop) -> None:
    config, main = trainer.system.config, trainer.fabric.is_global_zero
    if main:
        toml.write(call.run / toml.NAME, trainer.system.name, config, loop)
    log = Log(call.run, every=loop.log_every, total=config.steps) if main else None
    try:
        if log is not None:
            best = call.run / runs.BEST
            if not trainer.steps and best.exists():
                rename(best, best.with_name(f"earlier-{runs.BEST}"))
                trainer.fabric.print(f"{best} is of an earlier training: it is called earlier-{runs.BEST} now")
            log.forget_after(trainer.steps)
        trainer.fit(config.steps, save_every=loop.save_every, log=log)
    finally:
        if log is not None:
            log.close()


@contextmanager
def _notes() -> Iterator[None]:
    """Show warnings as the sentences they are, without the place in the source."""
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_args, **_options: f"note: {message}\n"
    try:
        yield
    finally:
        warnings.formatwarning = before
