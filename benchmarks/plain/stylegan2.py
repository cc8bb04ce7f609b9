"""StyleGAN 2 at 64x64, batch 8, on networks of 32 channels and more, after the official PyTorch code without ADA."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from plain.batches import Plain, normal, pictures, rng
from sakuga.systems.base import Batch
from sakuga.systems.stylegan2 import StyleGAN2

ROUND = 16
"""Steps until every regularisation had its turn."""


def system(small: bool) -> StyleGAN2:
    """Widths are those of a training on a processor."""
    sizes = {"width": 4, "widest": 8, "noise": 8, "crop": 32} if small else {"width": 32, "widest": 128, "crop": 64}
    return StyleGAN2(StyleGAN2.Config(batch=4 if small else 8, layers=2 if small else 8, **{"noise": 128} | sizes))


def batch(system: StyleGAN2, step: int) -> Batch:
    """Pictures, two noises for either player, and where to cut between them."""
    c, chance = system.config, rng(step)
    (real,) = pictures(system, 1, chance)
    noises = {f"{name}_{player}": normal(chance, c.batch, c.noise) for name in ("noise", "other") for player in "gd"}
    cuts = {f"cut_{player}": torch.rand(c.batch, 2, generator=chance).to(real.dtype) for player in "gd"}
    return {"real": real, **noises, **cuts}


def loop(system: StyleGAN2) -> Plain:
    """G, its path length in every fourth step, D, its R1 in every sixteenth; every phase computes all it needs anew.

    A few things are as in this package, so that both have the same mathematics: the cut is each sample's own, and the
    mean of path lengths is a constant to the gradient.
    """
    c, g, d = system.config, system.generator, system.discriminator
    mapping, synthesis = g.mapping, g.synthesis
    rates = {"G": 4 / 5, "D": 16 / 17}
    adams: dict[str, torch.optim.Optimizer] = {
        player: torch.optim.Adam(network.parameters(), lr=2e-3 * rates[player], betas=(0.0, 0.99 ** rates[player]))
        for player, network in (("G", g), ("D", d))
    }
    average, steps, mean = copy.deepcopy(g), 0, system.lengths.mean

    def make(b: Batch, player: str, count: int) -> tuple[Tensor, Tensor]:
        noise, other, chance = (b[f"{name}_{player}"][:count] for name in ("noise", "other", "cut"))
        ws = mapping(noise)[:, None].repeat(1, synthesis.count, 1)
        mixed = mapping(other)[:, None].repeat(1, synthesis.count, 1)
        cuts = torch.where(chance[:, 1] < 0.9, 1 + (chance[:, 0] * (synthesis.count - 1)).floor(), synthesis.count)
        late = torch.arange(synthesis.count)[None] >= cuts[:, None]
        ws = torch.where(late[..., None], mixed, ws)
        return synthesis(ws), ws

    def move(player: str, loss: Tensor) -> None:
        adams[player].zero_grad()
        loss.backward()
        adams[player].step()

    def step(b: Batch) -> dict[str, float]:
        nonlocal steps
        real, found = b["real"], {}
        d.requires_grad_(False)
        loss = F.softplus(-d(make(b, "g", len(real))[0])).mean()
        move("G", loss)
        found["G/gan"] = loss.item()
        if steps % 4 == 0:
            pictures, ws = make(b, "g", (len(real) + 1) // 2)
            y = torch.randn_like(pictures) / math.sqrt(pictures.shape[2] * pictures.shape[3])
            (slope,) = torch.autograd.grad((pictures * y).sum(), ws, create_graph=True)
            lengths = slope.square().sum(2).mean(1).sqrt()
            mean.copy_(mean.lerp(lengths.detach().mean(), 0.01))
            loss = 2 * 4 * (lengths - mean).square().mean()
            move("G", loss)
            found["G/path"] = loss.item()
        d.requires_grad_(True)
        with torch.no_grad():
            fake = make(b, "d", len(real))[0]
        loss = F.softplus(d(fake)).mean() + F.softplus(-d(real)).mean()
        move("D", loss)
        found["D/gan"] = loss.item()
        if steps % 16 == 0:
            x = real.detach().requires_grad_()
            (slope,) = torch.autograd.grad(d(x).sum(), x, create_graph=True)
            loss = 10 / 2 * 16 * slope.square().sum((1, 2, 3)).mean()
            move("D", loss)
            found["D/r1"] = loss.item()
        decay = min(0.5 ** (c.batch / 10_000), (1 + steps) / (10 + steps))
        for old, now in zip(average.parameters(), g.parameters(), strict=True):
            old.data = torch.lerp(now.data, old.data, decay)
        steps += 1
        return found

    return step, adams
