"""What a run shows of itself: a line on the terminal, metrics.csv, TensorBoard, pictures, warnings, a figure."""

import csv
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rich.console import Console

from sakuga import runs
from sakuga.data.images import to_uint8
from sakuga.runtime.atomic import atomic
from sakuga.systems.base import Preview, System
from sakuga.training.health import Health
from sakuga.training.kid_monitor import KIDMonitor, best_before
from sakuga.training.preview import samples

HEADER = ("step", "term", "value")


def read_metrics(path: Path) -> list[tuple[int, str, float]]:
    """Return step, term and value of each row of a metrics.csv, leaving out what is none: a kill may cut one short."""
    rows = []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        for row in csv.reader(file):
            with suppress(ValueError):
                step, term, value = row
                rows.append((int(step), term, float(value)))
    return rows


class Log:
    """Records terms and gauges every `every` steps into `run/metrics.csv` and TensorBoard, and samples when asked.

    A log never stops a run: what fails is announced once and left out.
    """

    def __init__(self, run: Path, *, every: int = 50, total: int | None = None):
        self.run, self.every, self.total = run, every, total
        self.console = Console(stderr=True)
        self.began, self.first = time.monotonic(), -1
        self.sums: dict[str, list[float]] = {}
        self.gauges: set[str] = set()
        self.failed: set[str] = set()
        self.health = Health()
        self.preview: Preview | None = None
        self.kid_monitor: KIDMonitor | None = None
        self.best = math.inf
        self.board: Any = None
        self._open_board()

    def _open_board(self, step: int | None = None) -> None:
        """Open TensorBoard's file; what it showed of later steps than `step` goes."""
        with self._best_effort("TensorBoard"):
            from torch.utils import tensorboard

            self.run.mkdir(parents=True, exist_ok=True)
            self.board = tensorboard.SummaryWriter(str(self.run), purge_step=None if step is None else step + 1)

    def forget_after(self, step: int) -> None:
        """Drop what a run that goes on from `step` will write again, and remember the rest."""
        self.close()
        self._open_board(step)
        with self._best_effort("earlier rows of metrics.csv"):
            path = self.run / "metrics.csv"
            if not path.exists():
                return
            rows = [row for row in read_metrics(path) if row[0] <= step]
            with atomic(path, overwrite=True) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows([HEADER, *rows])
            for _, record in groupby(rows, key=lambda row: row[0]):
                self.health.terms({name: value for _, name, value in record})

    def close(self) -> None:
        """Write what TensorBoard still holds back."""
        if self.board is not None:
            with self._best_effort("TensorBoard"):
                self.board.close()

    def step(self, step: int, terms: dict[str, float], gauges: dict[str, float] | None = None) -> None:
        """Take the terms of one step; means over `every` steps are written, those of the gauges to the files only."""
        if self.first < 0:
            self.first = step - 1
        if step == 1:
            self.health.begin(terms)
        gauges = gauges or {}
        self.gauges |= gauges.keys()
        for name, value in (terms | gauges).items():
            self.sums.setdefault(name, []).append(value)
        if step % self.every and step != self.total:
            return
        means = {name: sum(v) / len(v) for name, v in self.sums.items()}
        self.sums = {}
        rate = (step - self.first) / (time.monotonic() - self.began)
        shown = "  ".join(f"{name} {value:.4f}" for name, value in means.items() if name not in self.gauges)
        left = f"{timedelta(seconds=round((self.total - step) / rate))} left  " if self.total else ""
        self._say(f"step {step}/{self.total or '?'}  {rate:.2f}/s  {left}{shown}")
        self._write(step, means)
        with self._best_effort("health"):
            self._warn(self.health.terms(means))

    def sample(self, step: int, system: System) -> None:
        """Show on fixed inputs what users would get of a system, whose averages are in place, and measure it.

        It is exported to `run/style.onnx` for it and run as users run it.
        """
        # A resumed run takes up the random state of the checkpoint, written a moment ago: it may not be moved here.
        with torch.random.fork_rng(devices=[]):
            after: np.ndarray | None = None
            with self._best_effort("samples"):
                if self.preview is None:
                    self.preview = system.preview()
                if self.preview is not None:
                    after = self._pictures(step, system, self.preview)
            if after is None or self.preview is None:
                return
            if step <= getattr(system.config, "warmup", 0):
                return  # so far only the photo was learned, which is neither a fault nor to be kept as the best
            with self._best_effort("health"):
                photos, references = self.preview.inputs.get("image"), self.preview.references
                if photos is not None:
                    self._warn(self.health.samples(to_uint8(photos), after))
                elif references is not None:
                    self._warn(self.health.generated(after, to_uint8(references)))
            with self._best_effort("quality"):
                if self.preview.references is not None:
                    self._monitor(step, after, self.preview.references, system)

    def _pictures(self, step: int, system: System, shown: Preview) -> np.ndarray:
        made, sheet = samples(system, shown, self.run / "style.onnx")
        folder = self.run / "samples"
        folder.mkdir(exist_ok=True)
        Image.fromarray(sheet).save(folder / f"{step:07}.png")
        if self.board is not None:
            with self._best_effort("TensorBoard"):
                self.board.add_image("samples", sheet, step, dataformats="HWC")
        return made

    def _monitor(self, step: int, after: np.ndarray, references: torch.Tensor, system: System) -> None:
        if self.kid_monitor is None:
            self.kid_monitor = KIDMonitor(references)
            self.best = best_before(self.run, step, self.kid_monitor.source)
            self._say(f"samples are measured by KID on {self.kid_monitor.source}; the best are kept as {runs.BEST}")
        figure = self.kid_monitor(after)
        self._write(step, {self.kid_monitor.name: figure})
        if figure < self.best:
            self.best = figure
            state = runs.finished(system, step)
            runs.save({**state, "quality": figure, "monitor": self.kid_monitor.source}, self.run, runs.BEST)

    def _write(self, step: int, means: dict[str, float]) -> None:
        # One row per term: a system whose terms come and go keeps one table.
        with self._best_effort("metrics.csv"):
            path = self.run / "metrics.csv"
            new = not path.exists()
            with path.open("a", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                if new:
                    writer.writerow(HEADER)
                writer.writerows((step, name, f"{value:.6g}") for name, value in means.items())
        if self.board is not None:
            with self._best_effort("TensorBoard"):
                for name, value in means.items():
                    self.board.add_scalar(name, value, step)

    def _warn(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self._say(f"warning: {sentence}", style="yellow")

    def _say(self, line: str, *, style: str | None = None) -> None:
        with suppress(OSError, ValueError):  # a terminal that is gone
            self.console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def _best_effort(self, part: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if part not in self.failed:
                self._say(
                    f"The log is without {part} ({error or type(error).__name__}); training goes on.", style="yellow"
                )
            self.failed.add(part)
