"""StarGAN v2 at 64x64, batch 4, on networks of 32 channels and more, after the official PyTorch code."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor

from plain.batches import Plain, normal, pictures, rng
from sakuga.systems.base import Batch
from sakuga.systems.starganv2 import StarGANv2


def system(small: bool) -> StarGANv2:
    """Three domains; widths are those of a training on a processor."""
    sizes = {"width": 8, "most": 16, "hidden": 16, "crop": 32} if small else {"width": 32, "most": 128, "crop": 64}
    return StarGANv2(StarGANv2.Config(domains=("a", "b", "c"), batch=4, **sizes))


def batch(system: StarGANv2, step: int) -> Batch:
    """Photos and two references, their domains, and two noises."""
    chance, size = rng(step), system.config.batch
    found = dict(zip(("photo", "reference", "reference2"), pictures(system, 3, chance), strict=True))
    domains = torch.randint(3, (2, size), generator=chance)
    noises = {name: normal(chance, size, system.config.noise) for name in ("z", "z2")}
    return {**found, "domain": domains[0], "target": domains[1], **noises}


def loop(system: StarGANv2) -> Plain:
    """Four updates, each with all it needs computed anew, and three averages."""
    c, g, f, e, d = system.config, system.generator, system.mapping, system.style_encoder, system.discriminator
    adams: dict[str, torch.optim.Optimizer] = {
        name: torch.optim.Adam(network.parameters(), lr=lr, betas=(0.0, 0.99), weight_decay=1e-4)
        for name, network, lr in (("D", d, 1e-4), ("G", g, 1e-4), ("F", f, 1e-6), ("E", e, 1e-4))
    }
    averages = [(copy.deepcopy(network), network) for network in (g, f, e)]
    weight = c.diversity

    def logistic(score: Tensor, target: float) -> Tensor:
        return F.binary_cross_entropy_with_logits(score, torch.full_like(score, target))

    def d_loss(b: Batch, style: Tensor) -> dict[str, Tensor]:
        x = b["photo"].detach().requires_grad_()
        real = d(x, b["domain"])
        (slope,) = torch.autograd.grad(real.sum(), x, create_graph=True)
        with torch.no_grad():
            fake = g(x, style)
        return {
            "adversarial": logistic(real, 1) + logistic(d(fake, b["target"]), 0),
            "penalty": 0.5 * slope.square().sum((1, 2, 3)).mean(),
        }

    def g_loss(b: Batch, style: Tensor, other: Tensor) -> dict[str, Tensor]:
        x = b["photo"]
        fake = g(x, style)
        terms = {"adversarial": logistic(d(fake, b["target"]), 1)}
        terms["style"] = (e(fake, b["target"]) - style).abs().mean()
        terms["diversity"] = -weight * (fake - g(x, other).detach()).abs().mean()
        terms["cycle"] = (g(fake, e(x, b["domain"])) - x).abs().mean()
        return terms

    def clear() -> None:
        for adam in adams.values():
            adam.zero_grad()

    def step(b: Batch) -> dict[str, float]:
        nonlocal weight
        y, found = b["target"], {}
        for code, source in ((f, "z"), (e, "reference")):
            with torch.no_grad():
                style = code(b[source], y)
            terms = d_loss(b, style)
            clear()
            torch.stack([*terms.values()]).sum().backward()
            adams["D"].step()
            for name, value in terms.items():
                found[f"D/{name}"] = found.get(f"D/{name}", 0.0) + value.item() / 2
        for code, sources, movers in ((f, ("z", "z2"), "GFE"), (e, ("reference", "reference2"), "G")):
            terms = g_loss(b, *(code(b[source], y) for source in sources))
            clear()
            torch.stack([*terms.values()]).sum().backward()
            for player in movers:
                adams[player].step()
            found |= {f"{'+'.join(movers)}/{name}": value.item() for name, value in terms.items()}
        for average, network in averages:
            for mean, now in zip(average.parameters(), network.parameters(), strict=True):
                mean.data = torch.lerp(now.data, mean.data, 0.999)
        weight -= c.diversity / c.steps
        return found

    return step, adams
