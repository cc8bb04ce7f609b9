"""Pictures from noise: gan, wgan, wgan_gp, lsgan on cartoon faces of 32 pixels, and on a grid of 25 points.

Reduced: networks of half or a quarter of the width, half of the batch, a few thousand steps. On the grid both networks
are fully connected, three layers of 128 units.
"""

from collections.abc import Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from proofs.frame import Place, Proof
from proofs.measures import divide, make, quality, read
from sakuga.networks.mlp import MLPDiscriminator, MLPGenerator
from sakuga.systems import load_system
from sakuga.systems.fields import AtLeast, AtMost
from sakuga.training.trainer import Trainer

# An untrained generator and the mean picture with the pictures' own deviation at every pixel need no learning. The
# spread says that the pictures are not one and the same.
PICTURES = {"kid / untrained": AtMost(0.25), "kid / mean plus noise": AtMost(0.5), "spread / real": AtLeast(0.6)}
SIDE = 32

GRID = torch.cartesian_prod(*(torch.linspace(-0.8, 0.8, 5),) * 2)
"""Centres of the 25 modes."""
DEVIATION = 0.02
NEAR = 5 * DEVIATION
"""A point nearer than this to a centre is of its mode."""
POINTS = 5_000


def pictures(name: str, **fields: Any) -> Proof:
    """Return the proof of a system on faces."""

    def measure(place: Place) -> Mapping[str, float]:
        files, kept = divide(place.data / "faces" / "attributes")
        chosen = load_system(name)
        common = {"photos": files, "crop": SIDE, "width": 32, "batch": 32, "seed": place.seed}
        torch.manual_seed(place.seed)
        system = chosen(chosen.Config(**common | fields))
        untrained = make(system.generator, system.config.noise)
        system.generator.train()
        trainer = place.train(system)
        made = make(system.generator, system.config.noise)
        place.sheet(made[:64])
        figures = dict(quality(made, untrained, read(files[:1000], SIDE), read(kept, SIDE)))
        if name.startswith("wgan"):
            first, last = estimates(trainer)
            figures["last estimate / highest"] = last / first
        return figures

    falls = {"last estimate / highest": AtMost(0.7)} if name.startswith("wgan") else {}
    return Proof(name, measure, PICTURES | falls)


def estimates(trainer: Trainer) -> tuple[float, float]:
    """Return the highest and the last mean of a hundred steps of the Wasserstein estimate, minus the critic's term."""
    lines = (trainer.run / "metrics.csv").read_text(encoding="utf-8").splitlines()
    values = [-float(line.split(",")[2]) for line in lines if ",D/wgan," in line]
    return max(values), sum(values[-5:]) / len(values[-5:])


def grid(name: str, least: int, steps: int, **fields: Any) -> Proof:
    """Return the proof of a system on 25 points: how many it finds, and how many points lie on one."""

    def measure(place: Place) -> Mapping[str, float]:
        chosen = load_system(name)
        torch.manual_seed(place.seed)
        system = chosen(chosen.Config(**{"steps": steps, "noise": 2, "batch": 256, "width": 4, "crop": 32} | fields))
        widths = (128,) * 3
        plain = {"widths": widths, "slope": 0}
        system.generator = MLPGenerator(2, channels=2, side=1, norm=False, tanh=False, **plain)
        system.discriminator = MLPDiscriminator(2, side=1, **plain)
        if name == "wgan_gp":  # whose critic may name a class too
            system.discriminator = Paired(system.discriminator)
        trainer = Trainer(system, place.out / "run", fabric=Fabric(accelerator="cpu", devices=1))
        rng = torch.Generator().manual_seed(place.seed)
        batch = system.config.batch
        for _ in range(steps):
            noise = {column: torch.randn(batch, 2, generator=rng) for column in ("noise", "own_noise")}
            trainer.one_step({"real": drawn(batch, rng), **noise})
        found = make(system.generator, 2, count=POINTS).flatten(1)
        place.sheet(plot(found)[None])
        covered, near = modes(found)
        return {"modes": float(covered), "points on a mode": near}

    return Proof(f"{name}-grid", measure, {"modes": AtLeast(least)})


class Paired(nn.Module):
    """A critic with the outputs of WGAN-GP's, which names no class."""

    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = body

    def forward(self, points: Tensor) -> tuple[Tensor, None]:
        """Points (N, 2, 1, 1) to scores (N, 1)."""
        return self.body(points), None


def drawn(count: int, rng: torch.Generator) -> Tensor:
    """Return points of the grid's distribution, (count, 2, 1, 1)."""
    centres = GRID[torch.randint(len(GRID), (count,), generator=rng)]
    return (centres + DEVIATION * torch.randn(count, 2, generator=rng))[:, :, None, None]


def modes(points: Tensor) -> tuple[int, float]:
    """Return how many modes have a fifth of their share of the points near, and the part of points near one."""
    distance, nearest = torch.cdist(points, GRID).min(1)
    counts = torch.bincount(nearest[distance < NEAR], minlength=len(GRID))
    return int((counts >= len(points) / len(GRID) / 5).sum()), float((distance < NEAR).float().mean())


def plot(points: Tensor, side: int = 256) -> Tensor:
    """Return a picture (3, side, side) of points, black on white."""
    picture = torch.ones(3, side, side)
    x, y = ((points.clamp(-1, 1) + 1) / 2 * (side - 1)).round().long().T
    picture[:, y, x] = -1
    return picture


PROOFS = (
    # With 5e-4 D won: after 6,000 steps its loss was 0.05, the faces were of six kinds, KID 0.49 of an untrained one's.
    pictures("gan", steps=4_000),
    # The paper's rate for scenes. With 1e-4 and 2e-4 D wins at once: its loss at 0.03, G's at 0.5, one gray picture.
    pictures("lsgan", steps=4_000, lr=1e-3),
    # Ten times the paper's rate, for a tenth of its steps.
    pictures("wgan", steps=10_000, lr=5e-4),
    pictures("wgan_gp", steps=6_000, lr=5e-4),
    grid("gan", 15, 12_000),
    grid("lsgan", 15, 12_000),
    # Ten times the paper's limit: with 0.01 a critic without norms, of three layers, has no slope.
    grid("wgan", 15, 20_000, lr=5e-4, limit=0.1),
    # The official toy experiments weigh the penalty 0.1 too; with 10 the critic stays flat between points so near.
    grid("wgan_gp", 22, 12_000, lr=1e-3, batch=128, penalty=0.1),
)
