"""CycleGAN at 256x256, batch 1, after the official PyTorch code."""

import torch
import torch.nn.functional as F
from torch import Tensor

from plain.batches import Plain, pictures, rng
from sakuga.losses import ImagePool
from sakuga.systems.base import Batch
from sakuga.systems.cyclegan import CycleGAN


def system(small: bool) -> CycleGAN:
    """The published networks."""
    sizes = {"width": 8, "blocks": 2, "crop": 32} if small else {}
    return CycleGAN(CycleGAN.Config(**sizes))


def batch(system: CycleGAN, step: int) -> Batch:
    """Photos and pictures of the style."""
    return dict(zip(("photo", "style"), pictures(system, 2, rng(step)), strict=True))


def loop(system: CycleGAN) -> Plain:
    """One forward per fake, as published."""
    g, f, d_y, d_x = system.generator, system.inverse, system.discriminator_style, system.discriminator_photo
    adam_g = torch.optim.Adam([*g.parameters(), *f.parameters()], lr=2e-4, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam([*d_y.parameters(), *d_x.parameters()], lr=2e-4, betas=(0.5, 0.999))
    pool_y, pool_x = ImagePool(50), ImagePool(50)

    def distance(score: Tensor, target: float) -> Tensor:
        return F.mse_loss(score, torch.full_like(score, target))

    def step(batch: Batch) -> dict[str, float]:
        x, y = batch["photo"], batch["style"]
        fake_y, fake_x = g(x), f(y)
        again_x, again_y = f(fake_y), g(fake_x)
        d_y.requires_grad_(False)
        d_x.requires_grad_(False)
        adam_g.zero_grad()
        identity = 5 * F.l1_loss(g(y), y) + 5 * F.l1_loss(f(x), x)
        adversarial = distance(d_y(fake_y), 1) + distance(d_x(fake_x), 1)
        cycle = 10 * F.l1_loss(again_x, x) + 10 * F.l1_loss(again_y, y)
        (adversarial + cycle + identity).backward()
        adam_g.step()

        d_y.requires_grad_(True)
        d_x.requires_grad_(True)
        adam_d.zero_grad()
        d_losses = []
        for discriminator, real, fake in ((d_y, y, pool_y(fake_y)), (d_x, x, pool_x(fake_x))):
            loss = (distance(discriminator(real), 1) + distance(discriminator(fake), 0)) / 2
            loss.backward()
            d_losses.append(loss)
        adam_d.step()
        names = ("G/adversarial", "G/cycle", "G/identity", "D/style", "D/photo")
        return {n: v.item() for n, v in zip(names, (adversarial, cycle, identity, *d_losses), strict=True)}

    return step, {"G": adam_g, "D": adam_d}
