"""What a run shows of itself: a line on the terminal, metrics.csv, TensorBoard, pictures."""

import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from rich.console import Console
from torch import nn

from sakuga.data.images import to_uint8
from sakuga.export import export
from sakuga.stylizer import Stylizer

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from sakuga.systems.base import System


class Log:
    """Records terms every `every` steps into `run/metrics.csv` and TensorBoard, and sample pictures when asked.

    A log never stops a run: what cannot be written is announced once and left out.
    """

    def __init__(self, run: Path, *, every: int = 50, total: int | None = None):
        run.mkdir(parents=True, exist_ok=True)
        self.run, self.every, self.total = run, every, total
        self.console = Console(stderr=True)
        self.began, self.first = time.monotonic(), -1
        self.sums: dict[str, list[float]] = {}
        self.broken = False
        self.board: SummaryWriter | None = None
        try:
            from torch.utils import tensorboard

            self.board = tensorboard.SummaryWriter(str(run))
        except (ImportError, OSError) as error:
            self._give_up(f"no TensorBoard ({error})")

    def forget_after(self, step: int) -> None:
        """Drop the rows that a run which goes on from `step` will write again."""
        path = self.run / "metrics.csv"
        if path.exists():
            first, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [row for row in rows if int(row.partition(",")[0]) <= step]
            path.write_text("".join([first, *kept]), encoding="utf-8")

    def close(self) -> None:
        """Write what TensorBoard still holds back."""
        if self.board is not None:
            self.board.close()

    def step(self, step: int, terms: dict[str, float]) -> None:
        """Take the terms of one step; means over `every` steps are written."""
        if self.first < 0:
            self.first = step - 1
        for name, value in terms.items():
            self.sums.setdefault(name, []).append(value)
        if step % self.every == 0:
            means = {name: sum(v) / len(v) for name, v in self.sums.items()}
            self.sums = {}
            rate = (step - self.first) / (time.monotonic() - self.began)
            shown = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
            self.console.print(f"step {step}/{self.total or '?'}  {rate:.2f}/s  {shown}", highlight=False)
            try:
                self._write(step, means)
            except OSError as error:
                self._give_up(str(error))

    def sample(self, step: int, network: nn.Module, system: "System") -> None:
        """Export the network to `run/style.onnx` and show it on the fixed photos, by the path that users run."""
        photos = system.samples()
        if photos is None:
            return
        try:
            style = export(network, self.run / "style.onnx", system=system, name="sample", overwrite=True)
            stylizer = Stylizer(style)
            before = to_uint8(photos)
            after = np.stack([stylizer.array(photo) for photo in before])
            sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in (before, after)], axis=0)
            folder = self.run / "samples"
            folder.mkdir(exist_ok=True)
            Image.fromarray(sheet).save(folder / f"{step:07}.png")
            if self.board is not None:
                self.board.add_image("samples", sheet, step, dataformats="HWC")
        except Exception as error:
            self._give_up(f"samples: {error}")

    def _write(self, step: int, means: dict[str, float]) -> None:
        # One row per term: a system whose terms come and go keeps one table.
        path = self.run / "metrics.csv"
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(("step", "term", "value"))
            writer.writerows((step, name, f"{value:.6g}") for name, value in means.items())
        if self.board is not None:
            for name, value in means.items():
                self.board.add_scalar(name, value, step)

    def _give_up(self, why: str) -> None:
        if not self.broken:
            self.console.print(f"[yellow]The log is incomplete: {why}. Training goes on.")
        self.broken = True
