"""`sakuga train SYSTEM --dry-run`: what a training costs, before it is begun."""

import sys
import time

import torch
from torch import Tensor

from sakuga.errors import SakugaError
from sakuga.training.advice import count_pictures
from sakuga.training.trainer import Trainer


def report(trainer: Trainer) -> None:
    """Take steps at the beginning and at the end of a training, which may differ, and print what they cost.

    The run's folder is not touched; the trainer is used up.

    Raises:
        SakugaError: a batch holds what no training can use.
    """
    system, say = trainer.system, trainer.fabric.print
    began = trainer.steps
    check(trainer.batch(began))
    now, terms = _measure(trainer, began)
    later, later_terms = _measure(trainer, max(began, system.config.steps - 1))
    say(f"{system.name}: ready")
    for player, names in system.players.items():
        for name in names:
            count = sum(p.numel() for p in system.get_submodule(name).parameters())
            say(f"  {name + ' (' + player + ')':<22}{count:,} parameters")
    for name, count in count_pictures(system.config).items():
        say(f"  {name:<22}{count:,} picture{'s' * (count != 1)}")
    for name, value in trainer.batch(began).items():
        say(f"  {'batch of ' + name:<22}{' x '.join(map(str, value.shape))}")
    say(f"  {'precision':<22}{trainer.options['precision']}")
    say(f"  {'terms':<22}{', '.join(later_terms | terms)}")
    if peak := _peak(trainer.fabric.device):
        say(f"  {'peak memory':<22}{peak / 2**20:,.0f} MiB")
    grown = f", {1000 * later:,.0f} s at the end" if later_terms.keys() != terms.keys() else ""
    left = max(0, system.config.steps - began)
    whole = duration(max(now, later) * left)
    say(f"  {'1,000 steps':<22}{1000 * now:,.0f} s{grown} (this run has {left:,} to go: {whole})")


def duration(seconds: float) -> str:
    """Return a time in words, in the largest unit of which there are two."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"about {seconds / length:,.0f} {unit}"
    return f"about {seconds:.0f} seconds"


def check(batch: dict[str, Tensor]) -> None:
    """Refuse a batch that is empty or not finite."""
    for name, value in batch.items():
        if not value.numel():
            raise SakugaError(f"the batch's {name} is empty: {[*value.shape]}.")
        if value.is_floating_point() and not value.isfinite().all():
            raise SakugaError(f"the batch's {name} is not finite; look for damaged pictures.")


def _measure(trainer: Trainer, step: int) -> tuple[float, dict[str, float]]:
    """Return the seconds of a step and its terms, after one that warms up."""
    seconds = []
    for _ in range(3):
        trainer.steps = step
        began = time.perf_counter()
        terms = trainer.one_step(trainer.fabric.to_device(trainer.batch(step)))
        seconds.append(time.perf_counter() - began)
    return sum(seconds[1:]) / 2, terms


def _peak(device: torch.device) -> float:
    """Return the most bytes that were in use so far, 0 where the system does not tell."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    try:
        import resource  # not on Windows
    except ImportError:
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
