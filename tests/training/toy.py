"""The smallest system with the shapes of step that published ones have, and what tests ask of it."""

from dataclasses import dataclass, field

import torch
from torch import nn

from sakuga.losses import hinge, l1, lsgan
from sakuga.networks.fast import FastGenerator
from sakuga.systems.base import Config, System, frozen
from sakuga.training.trainer import Trainer


@dataclass
class ToyConfig(Config):
    critic_steps: int = 2
    content: float = 1.0
    warmup: int = 1
    batch: int = 4
    lr: float = 1e-2
    scale: list[float] = field(default_factory=lambda: [1.0])


class Toy(System):
    """Two players, two critic steps, a warm-up: the shapes of step that published systems have."""

    name = "toy"
    players = {"G": ["generator"], "D": ["discriminator"]}  # noqa: RUF012

    def __init__(self, config=None):
        super().__init__(config or ToyConfig())
        torch.manual_seed(0)
        self.generator = FastGenerator(width=8, blocks=1, factor=2)
        self.discriminator = nn.Conv2d(3, 1, 3)
        self.features = nn.Conv2d(3, 4, 3).requires_grad_(False)

    def batch(self, step, rank, world):
        generator = torch.Generator().manual_seed(step)
        whole = torch.rand(4, 3, 8, 8, generator=generator) * 2 - 1
        return {"photo": whole[rank::world]}

    def step(self, batch, t):
        photo = batch["photo"]
        fake = self.generator(photo)
        if t >= self.config.warmup:
            for _ in range(self.config.critic_steps):
                yield "D", {"hinge": hinge.d(self.discriminator(photo), self.discriminator(fake.detach()))}
        with frozen(self.discriminator):
            terms = {
                "content": self.config.content * l1(self.features(fake), self.features(-photo)),
                "adversarial": 0.1 * lsgan.g(self.discriminator(fake)),
            }
        yield "G", terms


def trainer(run, config=None, **options):
    return Trainer(Toy(config), run, **options)


def weights(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def moved(before, module):
    return {n.split(".")[0] for n, v in module.state_dict().items() if not torch.equal(v, before[n])}


def equal(a, b):
    return all(torch.equal(v, b.state_dict()[n]) for n, v in a.state_dict().items())
