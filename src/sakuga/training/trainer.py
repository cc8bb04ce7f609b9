"""The training loop: one for every system."""

import copy
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from sakuga import runs
from sakuga.errors import SakugaError, UsageError
from sakuga.systems.base import Batch, System
from sakuga.systems.config import differences
from sakuga.training import device as cpu
from sakuga.training import ranks
from sakuga.training.log import Log
from sakuga.training.prefetch import prefetch

Phase = Iterator[tuple[str, dict[str, Tensor]]]


class Trainer:
    """Takes a system through its steps, from the last checkpoint of its run folder on.

    A step of the system yields (player, terms) once per update. The trainer clears that player's gradients, runs
    backward, averages gradients over the processes, clips them, moves the player, averages the output network's
    weights, and refuses to go on from a term that is not finite, by its name.

    Args:
        system: what is trained; `system.output` names the network that is averaged.
        run: the run's folder; made if need be.
        fabric: devices, precision and processes; one process on the CPU in 32 bits by default.
        ema: decay of the averaged weights; early steps decay faster, min(ema, (1 + t) / (10 + t)).
        clip: largest norm of a player's gradient; None for no limit.
        micro: parts in which a batch is worked through, to save memory; the same step unless a network has batch
            statistics or spectral norm, whose estimate moves with every part, or a term draws chance of its own.

    Attributes:
        steps: finished steps.
        gauges: of the last step, each player's learning rate (`rate/PLAYER`) and the norm of its gradient before
            `clip` (`gradient/PLAYER`).
        average: the averaged output network, which is what users get.
        options: how it is trained beyond the system's config; kept in the checkpoint, to be compared.
        changed: after `resume`, each field that differs from the checkpoint's, as `lr: 0.0002 -> 0.0001`.
    """

    def __init__(
        self,
        system: System,
        run: Path,
        *,
        fabric: Fabric | None = None,
        ema: float = 0.999,
        clip: float | None = None,
        micro: int = 1,
    ):
        self.fabric = fabric or Fabric(accelerator="cpu", devices=1)
        self.system = system
        self.fabric.to_device(system)
        cpu.to_channels_last(system, self.fabric)
        self.optimizers = system.optimizers()
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["fused"] = True  # one pass over the weights in place of fifteen
        self.settings = {
            player: [{k: v for k, v in group.items() if k != "params"} for group in o.param_groups]
            for player, o in self.optimizers.items()
        }
        self.average = copy.deepcopy(self.output).requires_grad_(False)
        self.run, self.ema, self.clip, self.micro, self.steps = Path(run), ema, clip, micro, 0
        ranks.seed_per_rank(system, self.fabric, self.steps)
        self.options: dict[str, Any] = {"ema": ema, "clip": clip, "micro": micro}
        self.changed: list[str] = []
        self.gauges: dict[str, float] = {}

    @property
    def output(self) -> nn.Module:
        """The network that users run, as it is now; `average` is what they get."""
        return self.system.get_submodule(self.system.output)

    def one_step(self, batch: Batch) -> dict[str, float]:
        """Take one step and return every term by `player/name`, averaged over parts and processes.

        Raises:
            FloatingPointError: a term or a gradient is not finite; no weight has moved for it.
        """
        self.gauges = {}
        for player, optimizer in self.optimizers.items():
            for group, settings in zip(optimizer.param_groups, self.settings[player], strict=True):
                group["lr"] = settings["lr"] * self.system.rate(self.steps)
        parts = self._split(batch)
        # The parts walk through the step side by side, so each update sees the gradients of all of them.
        phases: list[Phase] = [self.system.step(part, self.steps) for part in parts]
        values: dict[str, Tensor] = {}
        while turn := self._backward(phases, values):
            self._update(turn)
        self._move_average()
        self.steps += 1
        return dict(zip(values, self._mean(torch.stack(list(values.values()))).tolist(), strict=True))

    def batch(self, step: int) -> Batch:
        """Return this process's part of a step's batch."""
        return self.system.batch(step, self.fabric.global_rank, self.fabric.world_size)

    def fit(self, until: int, *, save_every: int = 500, log: Log | None = None) -> None:
        """Train up to step `until`, saving on the way, at the end, when interrupted and when a batch cannot be made.

        Raises:
            SakugaError: a picture cannot be read; what was learned before is saved.
            KeyboardInterrupt: Ctrl-C, or a scheduler's SIGTERM; the same.
        """
        began, threads, waiting = self.steps, self._threads(), False
        with (
            _interrupts() as interrupted,
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
                        log.sample(self.steps, self.average, self.system)
                if stop:
                    raise KeyboardInterrupt

    def _next(self, batches: Iterator[Batch], began: int) -> Batch:
        """Return the next batch; if it cannot be made in any process, all of them save and stop."""
        try:
            batch, problem = next(batches), None
        except (SakugaError, OSError) as error:
            batch, problem = {}, error
        if self._anywhere(problem is not None):
            if self.steps > began:
                self.save()
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
        state = runs.load(self.run)
        if state["name"] != self.system.name:
            raise SakugaError(f"{self.run} is a run of {state['name']}, not of {self.system.name}; name another --run.")
        try:
            # Into the output too, for what no player moves in it: AdaIN's encoder as it was measured at the start.
            for whole in (self.average, self.output):
                whole.load_state_dict(state["average"])
            for name, network in self.system.networks.items():
                network.load_state_dict(state["networks"][name])
            for player, optimizer in self.optimizers.items():
                optimizer.load_state_dict(state["optimizers"][player])
                _lie_alike(optimizer)
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

    def start_from(self, run: Path) -> None:
        """Give the output network, and its average, the averaged weights of another run.

        Raises:
            UsageError: that run has no checkpoint, or its network another size.
        """
        try:
            for network in (self.output, self.average):
                network.load_state_dict(runs.load_averaged(run))
        except RuntimeError as error:
            raise UsageError(f"--init {run} holds a network of another size; train with the sizes it has.") from error

    def _split(self, batch: Batch) -> list[Batch]:
        size = len(next(iter(batch.values())))
        if size % self.micro:
            raise SakugaError(f"a batch of {size} does not divide into {self.micro} equal parts; change --micro.")
        part = size // self.micro  # in their order, in which image pools exchange them
        return [{k: v[i : i + part] for k, v in batch.items()} for i in range(0, size, part)]

    def _backward(self, phases: list[Phase], values: dict[str, Tensor]) -> str:
        """Run every part up to its next update and accumulate gradients; return whose update it is, '' at the end."""
        current = ""
        for phase in phases:
            with self.fabric.autocast():
                player, terms = next(phase, ("", {}))
            if not player:
                return ""
            if not current:
                current = player
                self.optimizers[player].zero_grad(set_to_none=True)
            loss = torch.stack([term.float() for term in terms.values()]).sum() / len(phases)
            finite = bool(torch.isfinite(loss))
            if self._anywhere(not finite):
                shown = ", ".join(f"{name}={value.item():.4g}" for name, value in terms.items())
                where = " in another process" if finite else f": {shown}"
                raise FloatingPointError(f"step {self.steps}: the loss of {player} is not finite{where}")
            self.fabric.backward(loss)
            for name, value in terms.items():
                key = f"{player}/{name}"
                values[key] = values.get(key, torch.zeros((), device=loss.device)) + value.detach().float() / len(
                    phases
                )
        return current

    def _update(self, player: str) -> None:
        weights = [p for p in self.system.weights(player) if p.grad is not None]
        if self.fabric.world_size > 1:
            # One reduction per player's step and no wrapper around the networks, so a step may have any shape.
            flat = self._mean(torch.cat([p.grad.flatten() for p in weights if p.grad is not None]))
            for weight, part in zip(weights, torch.split(flat, [p.numel() for p in weights]), strict=True):
                assert weight.grad is not None
                weight.grad.copy_(part.view_as(weight))  # which keeps its order in memory, the weight's
        norm = nn.utils.get_total_norm([p.grad for p in weights if p.grad is not None])
        if not torch.isfinite(norm):
            raise FloatingPointError(f"step {self.steps}: the gradient of {player} is not finite")
        if self.clip:
            nn.utils.clip_grads_with_norm_(weights, self.clip, norm)
        optimizer = self.optimizers[player]
        self.gauges |= {f"rate/{player}": optimizer.param_groups[0]["lr"], f"gradient/{player}": float(norm)}
        optimizer.step()

    def _anywhere(self, here: bool) -> bool:
        """Whether it holds in any process: all must stop after the same step, or the others would wait for ever."""
        if self.fabric.world_size == 1:
            return here
        return bool(self._mean(torch.tensor(float(here), device=self.fabric.device)) > 0)

    def _mean(self, values: Tensor) -> Tensor:
        mean: Tensor = self.fabric.all_reduce(values, reduce_op="mean")  # type: ignore[assignment]
        return mean

    @torch.no_grad()
    def _move_average(self) -> None:
        decay = min(self.ema, (1 + self.steps) / (10 + self.steps))
        for mean, now in zip_longest(self.average.parameters(), self.output.parameters()):
            mean.lerp_(now, 1 - decay)
        for mean, now in zip_longest(self.average.buffers(), self.output.buffers()):
            mean.copy_(now)

    def _state(self) -> dict[str, Any]:
        return {
            **runs.averaged(self.system, self.average, self.steps),
            "options": self.options,
            "networks": {name: network.state_dict() for name, network in self.system.networks.items()},
            "optimizers": {player: o.state_dict() for player, o in self.optimizers.items()},
        }


def _lie_alike(optimizer: torch.optim.Optimizer) -> None:
    """Order an optimiser's state in memory as its weights: a fused step walks through both without looking."""
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if value.shape == weight.shape:
                state[name] = torch.empty_like(weight).copy_(value)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM instead of breaking off within a step, whose players may have moved in part.

    A second Ctrl-C breaks off; schedulers repeat SIGTERM as they like. Only the main thread may handle signals;
    elsewhere nothing is changed.
    """
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def note(number: int, _frame: object) -> None:
        if seen and number == signal.SIGINT:
            raise KeyboardInterrupt
        seen.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
