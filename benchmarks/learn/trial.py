"""One reduced system: before its first step, trained, and as users run it."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from learn.pictures import Data
from learn.recipes import Recipe
from sakuga.export.onnx import export
from sakuga.stylizer import Stylizer
from sakuga.systems.base import swapped
from sakuga.training import device as cpu
from sakuga.training.log import Log
from sakuga.training.trainer import Trainer


class Trial:
    """A recipe at work in the folder `out`; a run that lies there is gone on with.

    Attributes:
        seconds: what training took in this process.
    """

    def __init__(self, recipe: Recipe, data: Data, out: Path, *, seed: int = 0):
        cpu.tune()
        self.name, self.recipe, self.data, self.out = recipe.system.name, recipe, data, out
        self.steps, self.seconds = recipe.steps, 0.0
        self.out.mkdir(parents=True, exist_ok=True)
        fields = {"ema": 0.99, **self._folders(), **self._warmup(), **recipe.settings}
        config = recipe.system.Config(steps=self.steps, seed=seed, **fields)
        torch.manual_seed(seed)
        system = recipe.system(config)
        system.load()
        fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
        self.trainer = Trainer(system, out / "run", fabric=fabric)

    def _folders(self) -> dict[str, Any]:
        data = self.data
        if self.name == "super_resolution":
            return {"photos": data.full}
        if self.name == "pix2pix":
            return {"photos": (data.pairs / "photo",), "targets": data.pairs / "painted"}
        folders = {"photos": data.photos, "style": data.art if self.name == "adain" else data.style}
        cache = {"cache": self.out / "segments"} if "cache" in self._fields() else {}
        return {**folders, **cache}

    def _warmup(self) -> dict[str, int]:
        return {"warmup": round(self.recipe.warmup * self.steps)} if "warmup" in self._fields() else {}

    def _fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = self.recipe.system.Config.__dataclass_fields__
        return fields

    def train(self) -> None:
        """Train up to the end, from where an earlier process stopped."""
        self.trainer.resume()
        log = Log(self.trainer.run, every=25, total=self.steps)
        begin = time.perf_counter()
        self.trainer.fit(self.steps, save_every=max(1, self.steps // 3), log=log)
        self.seconds = time.perf_counter() - begin
        log.close()

    def paint(self, photos: list[np.ndarray], *, picture: Path | None = None) -> list[np.ndarray]:
        """Photos as users get them: out of the style file, by the Stylizer. `picture` is AdaIN's painting."""
        system = self.trainer.system
        if picture is not None:
            system.config.picture = (picture,)
        target = self.out / ("untrained.onnx" if self.trainer.steps == 0 else "style.onnx")
        with swapped(system, self.trainer.averages):
            stylizer = Stylizer(export(system, target, name=target.stem, overwrite=True))
        return [stylizer.array(photo) for photo in photos]
