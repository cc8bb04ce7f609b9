"""What every proof is made of: its limits, a place for its run, and a table of what came out."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from PIL import Image

from sakuga.data.images import to_uint8
from sakuga.stylizer.generate import contact_sheet
from sakuga.systems.base import System
from sakuga.systems.fields import Bound
from sakuga.training import device
from sakuga.training.log import Log
from sakuga.training.trainer import Trainer


@dataclass(frozen=True)
class Place:
    """Where a proof finds its data and leaves its run and its sheet.

    Attributes:
        data: folder with `digits`, `faces` and `autotoon`.
        out: this proof's own folder.
        seed: of all random numbers.
    """

    data: Path
    out: Path
    seed: int = 0

    def train(self, system: System, *, name: str = "run") -> Trainer:
        """Train a system to its end in 32 bits, from where an earlier process stopped."""
        device.tune()
        torch.manual_seed(self.seed)
        system.load()
        trainer = Trainer(system, self.out / name, fabric=Fabric(accelerator="cpu", devices=1, precision="32-true"))
        trainer.resume()
        log = Log(trainer.run, every=100, total=system.config.steps)
        trainer.fit(system.config.steps, save_every=max(1, system.config.steps // 4), log=log)
        log.close()
        return trainer

    def sheet(self, pictures: torch.Tensor, name: str = "sheet") -> None:
        """Write pictures (N, 3, H, W) in [-1, 1] as one PNG, at least 64 pixels wide each."""
        array = to_uint8(pictures)
        factor = max(1, 64 // array.shape[2])
        self.out.mkdir(parents=True, exist_ok=True)
        sheet = contact_sheet([*array.repeat(factor, 1).repeat(factor, 2)])
        Image.fromarray(sheet).save(self.out / f"{name}.png")


@dataclass(frozen=True)
class Proof:
    """One training and the figures that it must reach.

    Attributes:
        name: of the system, or of the system and what is asked of it, as `wgan_gp-grid`.
        measure: trains in the place that it is given, and returns figures by name; those without a limit are shown.
        limits: of each figure that decides, `AtLeast(x)` or `AtMost(x)`; relative ones are of figures that are ratios.
    """

    name: str
    measure: Callable[[Place], Mapping[str, float]]
    limits: Mapping[str, Bound]

    def run(self, place: Place) -> bool:
        """Train, measure, print and write the figures; whether every limit is kept."""
        began = time.perf_counter()
        figures = self.measure(place)
        if missing := self.limits.keys() - figures.keys():
            raise ValueError(f"{self.name} measured no {min(missing)}")
        seconds = time.perf_counter() - began
        rows = []
        for figure, value in figures.items():
            limit = self.limits.get(figure)
            kept = None if limit is None else bool(np.isfinite(value)) and limit.holds(value)
            told = "" if limit is None else f"{limit}: {'PASS' if kept else 'MISSED'}"
            print(f"{self.name:<18}{figure:<34}{value:>10.4f}  {told}", flush=True)
            rows.append({"figure": figure, "value": value, "limit": str(limit) if limit else None, "kept": kept})
        print(f"{'':<18}{seconds:.0f} s", flush=True)
        record = {"seed": place.seed, "seconds": round(seconds), "rows": rows}
        place.out.mkdir(parents=True, exist_ok=True)
        (place.out / "figures.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        return all(row["kept"] is not False for row in rows)
