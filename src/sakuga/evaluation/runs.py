"""What a training tells of itself: time, parameters, curves, configuration."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

from sakuga import runs
from sakuga.data.images import find_images
from sakuga.errors import UsageError
from sakuga.evaluation.given import Which, checkpoint_name
from sakuga.runs import build
from sakuga.training.log import read_metrics

LISTED = 4

Curve = list[tuple[int, float]]


@dataclass
class Training:
    """A run, read from its folder.

    Attributes:
        system: its name.
        steps: finished ones.
        config: every field of the system's configuration.
        parameters: of each network that is trained, and, by `output`, of the one that users run.
        output: the name of that network.
        seconds_per_step: median over the rows of the log, without what checkpoints and samples take; None where there
            is no log of times.
        steps_per_epoch: photos divided by the batch; None where the photos are not there any more.
        curves: (step, value) by term.
    """

    system: str
    steps: int
    config: dict[str, Any]
    parameters: dict[str, int]
    output: str
    seconds_per_step: float | None = None
    steps_per_epoch: float | None = None
    curves: dict[str, Curve] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return all but the curves, as JSON values; of paths the last part."""
        config = {
            name: _text(value) if isinstance(value, (str, list)) else value for name, value in self.config.items()
        }
        return {key: value for key, value in vars(self).items() if key != "curves"} | {"config": config}


def read_training(run: Path, which: Which = "last") -> Training:
    """Read the folder of a run.

    Raises:
        UsageError: it holds no such checkpoint.
        SakugaError: the checkpoint is damaged.
    """
    name = checkpoint_name(run, which)
    state = runs.load(run, name)
    system = build(run, name)
    moved = {network for names in system.players.values() for network in names} | {*system.exportable}
    return Training(
        system=state["name"],
        steps=state["steps"],
        config=state["config"],
        parameters={n: sum(p.numel() for p in system.get_submodule(n).parameters()) for n in sorted(moved)},
        output=system.exportable[0],
        seconds_per_step=_seconds_per_step(run),
        steps_per_epoch=_steps_per_epoch(state["config"]),
        curves=_curves(run / "metrics.csv"),
    )


def _curves(path: Path) -> dict[str, Curve]:
    curves: dict[str, dict[int, float]] = {}
    if path.is_file():
        for step, term, value in read_metrics(path):
            curves.setdefault(term, {})[step] = value  # the last one of a step that was done again
    return {term: sorted(curve.items()) for term, curve in curves.items()}


def _seconds_per_step(run: Path) -> float | None:
    # metrics.csv has no times, TensorBoard's records have. A median, because samples and pauses are in between.
    if not any(run.glob("events.out.tfevents.*")):
        return None
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "images": 1})
    events.Reload()
    rates: list[float] = []
    for tag in events.Tags()["scalars"]:
        if not tag.startswith("quality/"):  # judged with the samples
            for a, b in pairwise(events.Scalars(tag)):
                if b.step > a.step and b.wall_time > a.wall_time:
                    rates.append((b.wall_time - a.wall_time) / (b.step - a.step))
    return median(rates) if rates else None


def _steps_per_epoch(config: dict[str, Any]) -> float | None:
    try:
        return len(find_images(config["photos"])) / int(config["batch"])
    except (UsageError, KeyError, ZeroDivisionError):
        return None


def differences(configs: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the fields in which runs differ, with each run's value; a dash where its system has no such field."""
    names = sorted({name for config in configs for name in config})
    rows = {name: [_text(config[name]) if name in config else "-" for config in configs] for name in names}
    return {name: values for name, values in rows.items() if len({*values}) > 1}


def _text(value: Any) -> str:
    if isinstance(value, list):
        shown = ", ".join(map(_text, value[:LISTED])) or "none"
        return shown if len(value) <= LISTED else f"{shown} and {len(value) - LISTED} more"
    # Of a path the last part: a page is passed on, and folders are nobody's business.
    return Path(value).name if isinstance(value, str) and "/" in value else str(value)
