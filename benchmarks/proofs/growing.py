"""Faces of 32 pixels by pggan, stylegan and stylegan2: as near as lsgan's, truncation, and kept pictures found again.

Reduced: channels of 16 at the full size and 64 at most, noise of 64 numbers, a mapping of 4 layers, growing from 8
pixels to 32 in half of the steps.
"""

import json
from collections.abc import Mapping
from typing import Any, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from proofs.frame import Place, Proof
from proofs.measures import COUNT, divide, make, quality, read, spread
from proofs.noise import SIDE
from sakuga.metrics.perceptual import PerceptualDistance
from sakuga.networks.growing import FullSize
from sakuga.systems import load_system
from sakuga.systems.fields import AtLeast, AtMost, Bound
from sakuga.training.projection import Projection, Space, Steered

PICTURES: Mapping[str, Bound] = {
    "kid / untrained": AtMost(0.25),
    "kid / lsgan": AtMost(1.0),
    "spread / real": AtLeast(0.6),
}
"""lsgan's own proof on the same pictures must lie beside this one."""
STYLES: Mapping[str, Bound] = {
    "spread at truncation 0.5 / at 1": AtMost(0.8),
    "projection to w+ / mean w": AtMost(0.5),
}
"""Spread is the mean distance of two pictures; a projection's error is LPIPS, or squared pixels without its weights."""
PROJECTED, STEPS = 4, 300
"""Kept pictures that are projected, and with how many steps."""


def growing(name: str, **fields: Any) -> Proof:
    """Return the proof of a system on faces."""

    def measure(place: Place) -> Mapping[str, float]:
        files, kept = divide(place.data / "faces" / "attributes")
        chosen = load_system(name)
        common = {"photos": files, "crop": SIDE, "width": 16, "widest": 64, "noise": 64, "seed": place.seed}
        torch.manual_seed(place.seed)
        system = chosen(chosen.Config(**common | fields))
        size = system.config.noise
        untrained = pictures(system.artefact().module, size)
        trainer = place.train(system)
        generator = system.generator = trainer.averages["generator"].eval()
        module = system.artefact().module
        made = pictures(module, size)
        place.sheet(made[:64])
        real = read(kept, SIDE)
        figures = dict(quality(made, untrained, read(files[:1000], SIDE), real))
        beside = place.out.parent / "lsgan" / "figures.json"
        rows = json.loads(beside.read_text(encoding="utf-8"))["rows"] if beside.exists() else []
        figures["kid / lsgan"] = figures["kid"] / next((r["value"] for r in rows if r["figure"] == "kid"), float("nan"))
        if name != "pggan":
            narrow = pictures(module, size, truncation=0.5)
            place.sheet(narrow[:64], "truncated")
            figures["spread at truncation 0.5 / at 1"] = spread(narrow) / spread(made)
            figures |= projected(place, generator, real[:PROJECTED])
        return figures

    return Proof(name, measure, PICTURES if name == "pggan" else {**PICTURES, **STYLES})


@torch.inference_mode()
def pictures(module: nn.Module, noise: int, *, truncation: float = 1.0) -> Tensor:
    """Return pictures of what users run, (COUNT, 3, SIDE, SIDE), with all the variety that was learned or less."""

    class AllIts(nn.Module):
        def forward(self, points: Tensor) -> Tensor:
            drawn = () if isinstance(module, FullSize) else (torch.full((len(points),), truncation),)
            return module(points, *drawn).clamp(-1, 1)  # type: ignore[no-any-return]

    module.eval()
    return make(AllIts(), noise, count=COUNT)


def projected(place: Place, generator: Steered, kept: Tensor) -> dict[str, float]:
    """Project kept pictures into w and w+; return their errors as shares of the mean picture's."""
    distance = PerceptualDistance()
    found: dict[str, float] = {}
    rows = [kept]
    for space in get_args(Space):
        errors, means, row = 0.0, 0.0, []
        for one in kept:
            way = Projection(generator, one[None], lambda a, b: distance(a, b).mean(), space=space, steps=STEPS)
            for _ in way.run():
                pass
            errors, means = errors + way.error(), means + way.error(way.mean_latents)
            row.append(way.picture().clamp(-1, 1))
        rows.append(torch.cat(row))
        found[f"projection to {space} / mean w"] = errors / means
    place.sheet(F.interpolate(torch.cat(rows), scale_factor=2.0), "projected")
    return found


GROWN = {"batch": 16, "stage": 12_000}
PROOFS = (
    growing("pggan", steps=4_000, **GROWN),
    growing("stylegan", steps=4_000, layers=4, **GROWN),
    growing("stylegan2", steps=4_000, layers=4, batch=16),
)
