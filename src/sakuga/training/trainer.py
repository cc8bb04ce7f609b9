"""The training loop: one for every system."""

import copy
import os
from collections.abc import Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from sakuga import runs
from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.signals import interrupts
from sakuga.systems.base import Batch, System, Update, swapped
from sakuga.systems.config import differences
from sakuga.training import device, ranks
from sakuga.training.log import Log
from sakuga.training.prefetch import prefetch
from sakuga.training.start import begin_from


class Trainer:
    """Takes a system through its steps, from the last checkpoint of its run folder on.

    A step of the system yields (player, terms) once per update. The trainer clears that player's gradients, runs
    backward, averages gradients over the processes, clips them, moves the player, and refuses to go on from a term that
    is not finite, by its name. After the step it moves the averages of the networks whose players moved.

    Args:
        system: what is trained; `system.averaged` names the networks that are averaged.
        run: the run's folder; made if need be.
        fabric: devices, precision and processes; one process on the CPU in 32 bits by default.
        clip: largest norm of a player's gradient; None for no limit.
        accumulate: parts in which a batch is worked through, to save memory, while gradients accumulate; the same step
            unless a network has batch statistics or spectral norm, whose estimate moves with every part, or a term
            draws random numbers of its own.

    Attributes:
        steps: finished steps.
        gauges: of the last step, each player's learning rate (`rate/PLAYER`) and the norm of its gradient before
            `clip` in its last update (`gradient/PLAYER`).
        averages: the averaged networks by name, which is what users get.
        options: how it is trained beyond the system's config; kept in the checkpoint, to be compared.
        changed: after `resume`, each field that differs from the checkpoint's, as `lr: 0.0002 -> 0.0001`.
    """

    def __init__(
        self,
        system: System,
        run: Path,
        *,
        fabric: Fabric | None = None,
        clip: float | None = None,
        accumulate: int = 1,
    ):
        self.fabric = fabric or Fabric(accelerator="cpu", devices=1)
        self.system = system
        self.fabric.to_device(system)
        device.to_channels_last(system, self.fabric)
        self.optimizers = system.optimizers()
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["fused"] = True  # one pass over the weights in place of fifteen
        self.settings = {
            player: [{k: v for k, v in group.items() if k != "params"} for group in o.param_groups]
            for player, o in self.optimizers.items()
        }
        self.averages = {
            name: copy.deepcopy(system.get_submodule(name)).requires_grad_(False) for name in system.averaged
        }
        self.run, self.clip, self.accumulate, self.steps = Path(run), clip, accumulate, 0
        ranks.seed_per_rank(system, self.fabric, self.steps)
        self.options: dict[str, Any] = {"clip": clip, "accumulate": accumulate}
        self.changed: list[str] = []
        self.gauges: dict[str, float] = {}

    def one_step(self, batch: Batch) -> dict[str, float]:
        """Take one step and return every term by `player/name`, averaged over parts, processes and a player's updates.

        Players that move together have one name, as `G+E/name`.

        Raises:
            FloatingPointError: a term or a gradient is not finite; no weight has moved for it.
        """
        self.gauges = {}
        for player, optimizer in self.optimizers.items():
            for group, settings in zip(optimizer.param_groups, self.settings[player], strict=True):
                group["lr"] = settings["lr"] * self.system.rate(self.steps, player)
        for player in self.system.fresh(self.steps):
            self.optimizers[player].state.clear()
        # The parts walk through the step side by side, so each update sees the gradients of all of them.
        phases = [self.system.step(part, self.steps) for part in self._split(batch)]
        values: dict[str, list[Tensor]] = {}
        moved: set[str] = set()
        while players := self._backward(phases, values):
            self._update(players)
            moved |= {*players}
        self._move_averages(moved)
        self.steps += 1
        if not values:
            return {}
        means = [torch.stack(updates).mean() for updates in values.values()]
        return dict(zip(values, self._mean(torch.stack(means)).tolist(), strict=True))

    def batch(self, step: int) -> Batch:
        """Return this process's part of a step's batch."""
        return self.system.batch(step, self.fabric.global_rank, self.fabric.world_size)

    def fit(self, until: int, *, save_every: int = 500, log: Log | None = None) -> None:
        """Train up to step `until`, saving on the way, at the end, when interrupted and when a batch cannot be made.

        Raises:
            SakugaError: a picture cannot be read; what was learned before is saved.
            KeyboardInterrupt: Ctrl-C, a scheduler's SIGTERM, or SIGHUP of a terminal that is gone; the same.
        """
        began, threads, waiting = self.steps, self._threads(), False
        with (
            interrupts() as interrupted,
            closing(prefetch(self.batch, range(began, until), threads=threads)) as batches,
        ):
            while self.steps < until:
                batch = self._next(batches, began)
                terms = self.one_step(self.fabric.to_device(batch))
                if waiting and self.fabric.is_global_zero:
                    runs.publish(self.run)
                waiting = False
                if log is not None:
                    log.step(self.steps, terms, self.gauges)
                stop = self._anywhere(bool(interrupted))
                if stop or self.steps % save_every == 0 or self.steps == until:
                    # Weights can be finite and yet beyond repair: the earlier checkpoint stays until a step was good.
                    waiting = not stop and self.steps < until
                    self.save(published=not waiting)
                    if log is not None and not stop:
                        with swapped(self.system, self.averages):
                            log.sample(self.steps, self.system)
                if stop:
                    raise KeyboardInterrupt(f"saved at step {self.steps}; the same command goes on")

    def _next(self, batches: Iterator[Batch], began: int) -> Batch:
        """Return the next batch; if it cannot be made in any process, all of them save and stop."""
        try:
            batch, problem = next(batches), None
        except (SakugaError, OSError) as error:
            batch, problem = {}, error
        if self._anywhere(problem is not None):
            if self.steps > began:
                self.save()
                if isinstance(problem, SakugaError):
                    raise SakugaError(f"{problem}; saved at step {self.steps}") from problem
            raise problem or SakugaError(f"another process could not make the batch of step {self.steps}.")
        return batch

    def _threads(self) -> int:
        """Threads that make batches: a processor is busy with the steps, a GPU waits for what its cores bring."""
        if self.fabric.device.type == "cpu":
            return 1
        return max(1, min(8, (os.cpu_count() or 1) // self.fabric.world_size - 1))

    def save(self, *, published: bool = True) -> None:
        """Write the checkpoint (see `runs.save`); only the first process does, but all of them must call it.

        Raises:
            FloatingPointError: a weight is not finite; nothing was written.
        """
        for name, network in self.system.networks.items():
            if not all(torch.isfinite(weight).all() for weight in network.parameters()):
                raise FloatingPointError(f"step {self.steps}: the weights of {name} are not finite")
        parts = ranks.gather(self.system, self.fabric)
        problem: Exception | None = None
        if self.fabric.is_global_zero:
            try:
                self.run.mkdir(parents=True, exist_ok=True)
                runs.save({**self._state(), "ranks": parts}, self.run, published=published)
            except (SakugaError, OSError) as error:
                problem = error
        if self._anywhere(problem is not None):
            raise problem or SakugaError(f"the first process could not save {self.run}.")

    def resume(self) -> bool:
        """Go on from the run's checkpoint if there is one; the rest is bit for bit what it would have been.

        Raises:
            SakugaError: the checkpoint is damaged or of another system.
        """
        if not (self.run / runs.LAST).exists():
            return False
        state = runs.load(self.run, of=self.system.name)
        try:
            # Into what is trained too, for what no player moves in it: AdaIN's encoder as it was measured at the start.
            for name, average in self.averages.items():
                for whole in (average, self.system.get_submodule(name)):
                    whole.load_state_dict(state["finished"][name])
            for name, network in self.system.networks.items():
                network.load_state_dict(state["networks"][name])
            for player, optimizer in self.optimizers.items():
                optimizer.load_state_dict(state["optimizers"][player])
                device.order_state(optimizer)
                for group, settings in zip(optimizer.param_groups, self.settings[player], strict=True):
                    group.update(settings)  # of the present configuration, not of the checkpoint's
            ranks.scatter(state["ranks"], self.system, self.fabric, state["steps"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise SakugaError(
                f"{self.run} was trained with other network sizes, or by another version; name another --run."
            ) from error
        self.steps = state["steps"]
        now = self._state()
        init = now["config"].get("init")
        if init not in (None, state["config"].get("init")):
            raise UsageError(f"--init {init} is of a new run, and {self.run} has begun; leave it out or change --run.")
        for part in ("config", "options"):
            self.changed += differences(state.get(part, {}), now[part])
        return True

    def start_from(self, init: Path) -> None:
        """Give the networks, and their averages, the finished weights of another run or a style (`training.start`).

        Raises:
            UsageError: it has none of the networks, or others.
        """
        found = begin_from(init, self.system)
        with swapped(self.system, self.averages):
            averages = self.system.finished
        for name, weights in found.items():
            averages[name].load_state_dict(weights)

    def _split(self, batch: Batch) -> list[Batch]:
        """Divide every part of a batch, whatever its length, in its order, in which image pools exchange pictures."""
        n = self.accumulate
        for name, value in batch.items():
            if len(value) % n:
                raise SakugaError(f"the batch's {name}, {len(value)} long, does not divide by --accumulate {n}")
        return [{k: v[i * len(v) // n : (i + 1) * len(v) // n] for k, v in batch.items()} for i in range(n)]

    def _backward(self, phases: list[Iterator[Update]], values: dict[str, list[Tensor]]) -> tuple[str, ...]:
        """Run every part up to its next update and accumulate gradients; return whose update it is, () at the end."""
        current: tuple[str, ...] | None = None
        found: dict[str, Tensor] = {}
        for phase in phases:
            with self.fabric.autocast():
                turn, terms = next(phase, ((), {}))
            players = (turn,) if isinstance(turn, str) else turn
            together = "+".join(players)
            if current is None:
                current = players
                for player in players:
                    self.optimizers[player].zero_grad(set_to_none=True)
            elif players != current:
                raise RuntimeError(f"step {self.steps}: parts of one batch differ in whose turn it is")
            if not players:
                continue
            loss = torch.stack([term.float() for term in terms.values()]).sum() / len(phases)
            finite = bool(torch.isfinite(loss))
            if self._anywhere(not finite):
                shown = ", ".join(f"{name}={value.item():.4g}" for name, value in terms.items())
                where = " in another process" if finite else f": {shown}"
                raise FloatingPointError(f"step {self.steps}: the loss of {together} is not finite{where}")
            self.fabric.backward(loss)
            for name, value in terms.items():
                part = value.detach().float() / len(phases)
                key = f"{together}/{name}"
                found[key] = found[key] + part if key in found else part
        for key, value in found.items():
            values.setdefault(key, []).append(value)
        return current or ()

    def _update(self, players: tuple[str, ...]) -> None:
        """Move players by their gradients; all of them or, where a gradient is not finite, none."""
        norms = []
        for player in players:
            if self.fabric.world_size > 1:
                self._reduce(self.system.weights(player))
            norms.append(nn.utils.get_total_norm([p.grad for p in self.system.weights(player) if p.grad is not None]))
            if not torch.isfinite(norms[-1]):
                raise FloatingPointError(f"step {self.steps}: the gradient of {player} is not finite")
        for player, norm in zip(players, norms, strict=True):
            optimizer = self.optimizers[player]
            if self.clip:
                nn.utils.clip_grads_with_norm_(self.system.weights(player), self.clip, norm)
            self.gauges |= {f"rate/{player}": optimizer.param_groups[0]["lr"], f"gradient/{player}": float(norm)}
            optimizer.step()

    def _reduce(self, weights: list[nn.Parameter]) -> None:
        """Average gradients over the processes; one that some lack counts as zero there, one that all lack stays away.

        One reduction per player's update and no wrapper around the networks, so a step may have any shape.
        """
        present = torch.tensor([float(p.grad is not None) for p in weights], device=self.fabric.device)
        gradients = [(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in weights]
        flat = self._mean(torch.cat([present, *gradients]))
        present, *means = torch.split(flat, [len(weights), *(p.numel() for p in weights)])
        for weight, anywhere, mean in zip(weights, present.tolist(), means, strict=True):
            if anywhere:
                if weight.grad is None:
                    weight.grad = torch.zeros_like(weight)
                weight.grad.copy_(mean.view_as(weight))  # which keeps its order in memory, the weight's

    def _anywhere(self, here: bool) -> bool:
        """Whether it holds in any process: all must stop after the same step, or the others would wait for ever."""
        if self.fabric.world_size == 1:
            return here
        return bool(self._mean(torch.tensor(float(here), device=self.fabric.device)) > 0)

    def _mean(self, values: Tensor) -> Tensor:
        mean: Tensor = self.fabric.all_reduce(values, reduce_op="mean")  # type: ignore[assignment]
        return mean

    @torch.no_grad()
    def _move_averages(self, players: set[str]) -> None:
        """Move the averages of the networks that some of these players moved in this step."""
        decay = self.system.decay(self.steps)
        moved = [f"{name}." for player in players for name in self.system.players[player]]
        for name, average in self.averages.items():
            if not any(f"{name}.".startswith(other) or other.startswith(f"{name}.") for other in moved):
                continue
            network = self.system.get_submodule(name)
            for mean, now in zip_longest(average.parameters(), network.parameters()):
                mean.lerp_(now, 1 - decay)
            for mean, now in zip_longest(average.buffers(), network.buffers()):
                mean.copy_(now)

    def _state(self) -> dict[str, Any]:
        with swapped(self.system, self.averages):
            finished = runs.finished(self.system, self.steps)
        return {
            **finished,
            "options": self.options,
            "networks": {name: network.state_dict() for name, network in self.system.networks.items()},
            "optimizers": {player: o.state_dict() for player, o in self.optimizers.items()},
        }
