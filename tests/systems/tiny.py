"""Small trainings of every system, for the generic tests."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from sakuga.systems.base import System


@dataclass(frozen=True)
class Tiny:
    """How to build a system small enough for a test.

    Attributes:
        system: its class.
        config: fields of its config, given a folder with `photos/`, `style/` (pictures), `pairs/` (side by side),
            `labels.csv` (attributes of the photos), `domains/` (a folder of pictures for each of two) and
            `drawn/` (the same again).
        multiple: of which the sides of its crops are.
        batch_statistics: why `accumulate=2` is not the whole batch, if it is not.
        falls: the term, as `player/name`, that must fall when one batch is repeated, and by which factor.
        at: the step at which it is repeated; some systems begin with a phase of their own.
        scale: how much larger its output is than its input.
        least: samples that a batch must have at least; more than one where batch norm sees a single value of each.
    """

    system: type[System]
    config: Callable[[Path], Mapping[str, Any]]
    falls: tuple[str, float]
    at: int = 50
    batch_statistics: str = ""
    scale: int = 1
    least: int = 1

    def build(self, folder: Path, **fields: Any) -> System:
        """Make the system, with its data prepared."""
        system = self.bare(folder, **fields)
        system.load()
        return system

    def bare(self, folder: Path, **fields: Any) -> System:
        """Make the system without data."""
        common = {"photos": (folder / "photos",), "crop": 32, "batch": 2, "steps": 100}
        with torch.random.fork_rng():  # the first to ask may make runs there, and begins like all who come later
            own = dict(self.config(folder))
        return self.system(self.system.Config(**(common | own | fields)))


def make_data(folder: Path) -> Path:
    """Fill the folders that `Tiny` names with small pictures that have areas, edges and grain, and label them."""
    rng = np.random.default_rng(0)

    def picture(grain: int) -> np.ndarray:
        areas = np.kron(rng.integers(0, 256, (5, 6, 3)), np.ones((8, 8, 1)))
        return (areas + rng.integers(-grain, grain + 1, areas.shape)).clip(0, 255).astype(np.uint8)

    for kind, grain in (("photos", 20), ("style", 0)):
        (folder / kind).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(picture(grain)).save(folder / kind / f"{i}.png")
    (folder / "pairs").mkdir()
    for i in range(4):
        left = picture(5)
        Image.fromarray(np.concatenate([left, 255 - left], axis=1)).save(folder / "pairs" / f"{i}.png")
    lines = ["file,dark_hair,fair_hair,hat", *(f"photos/{i}.png,{i % 2},{1 - i % 2},{i // 2}" for i in range(4))]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for kind, source in (("plain", "style"), ("rough", "photos")):
        for place in ("domains", "drawn"):
            shutil.copytree(folder / source, folder / place / kind)
    return folder
