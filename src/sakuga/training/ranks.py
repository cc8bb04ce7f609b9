"""What each of a training's processes has of its own: its random state, and its system's stateful modules."""

from typing import Any

import torch
from lightning_fabric import Fabric

from sakuga.systems.base import System


def seed_per_rank(system: System, fabric: Fabric, step: int) -> None:
    """Give every process but the first random states of its own.

    Alike, they would drop, augment and exchange the same for each part of a batch.
    """
    if rank := fabric.global_rank:
        seed = system.config.seed + 1_000_003 * rank + step
        torch.manual_seed(seed)
        for place, name in enumerate(system.stateful):
            for generator in vars(system.get_submodule(name)).values():
                if isinstance(generator, torch.Generator):
                    generator.manual_seed(seed + place)


def gather(system: System, fabric: Fabric) -> list[dict[str, Any]]:
    """Return what each process has of its own, on the first; the others get an empty list. All must call it."""
    own = {
        "chance": torch.get_rng_state(),
        "chance_cuda": torch.cuda.get_rng_state(fabric.device) if fabric.device.type == "cuda" else None,
        "stateful": {name: system.get_submodule(name).state_dict() for name in system.stateful},
    }
    if fabric.world_size == 1:
        return [own]
    everyone: list[Any] | None = [None] * fabric.world_size if fabric.is_global_zero else None
    torch.distributed.gather_object(own, everyone)
    return everyone or []


def scatter(parts: list[dict[str, Any]], system: System, fabric: Fabric, step: int) -> None:
    """Give this process its part of what `gather` returned; one that was not there has the first's state."""
    known = fabric.global_rank < len(parts)
    part = parts[fabric.global_rank if known else 0]
    for name in system.stateful:
        system.get_submodule(name).load_state_dict(part["stateful"][name])
    torch.set_rng_state(part["chance"])
    if part["chance_cuda"] is not None and fabric.device.type == "cuda":
        torch.cuda.set_rng_state(part["chance_cuda"], fabric.device)
    if not known:
        seed_per_rank(system, fabric, step)
