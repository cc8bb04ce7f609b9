"""A system: networks plus one training step, written as the paper writes it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from sakuga.data.images import Crop, draw_crops

Terms = dict[str, Tensor]
Batch = dict[str, Tensor]


@dataclass
class Config:
    """What every system can be told; a system's own config adds its paper's values."""

    photos: tuple[Path, ...] = ()
    """Folders of photographs."""
    crop: int = 256
    """Side of the square training crops, pixels."""
    mirror: bool = True
    """Show half of all crops mirrored; not for styles with lettering or light from one side."""
    batch: int = 4
    """Crops in a step, over all processes."""
    lr: float = 2e-4
    """Learning rate."""
    steps: int = 40_000
    """Length of the training."""
    init: Path | None = None
    """An earlier run of the same kind whose averaged output network this one starts from, without a warm-up."""
    seed: int = 0
    """Start of all chance: weights, order of the data, crops."""


class System(nn.Module):
    """Networks, their losses and one training step; `training.Trainer` does the rest.

    A subclass names its `players` (optimiser name to the networks it moves) and its `output` (the network users run,
    which is averaged and exported), and writes `step`.
    """

    name: ClassVar[str]
    players: ClassVar[dict[str, list[str]]]
    output: ClassVar[str] = "generator"
    exportable: ClassVar[tuple[str, ...]] = ()
    """Networks that can be exported in its place: they make pictures of pictures too, but are not averaged."""
    stateful: ClassVar[tuple[str, ...]] = ()
    """Modules that no player moves but that change while training, such as image pools.

    Each process has its own; checkpoints hold them all."""
    channels_last: ClassVar[bool] = True
    """Whether it trains faster on a processor in 16 bits if pictures lie in memory channels last.

    Not where weights are larger than the pictures that they meet, as in U-Nets and deep discriminators."""
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    """Named values of the config's fields, such as a published style's."""
    Config: ClassVar[type[Any]] = Config
    config: Any

    def batch(self, step: int, rank: int, world: int) -> Batch:
        """Return this process's part of the batch of step `step`, a function of (seed, step, rank) alone.

        It is made in a thread of its own while another step runs, so it must leave torch's chance alone.
        """
        raise NotImplementedError

    def crops(self, pictures: Sequence[np.ndarray], rng: np.random.Generator, rank: int, world: int) -> list[Crop]:
        """Draw this process's part of a batch of crops from a collection, as the config says."""
        c = self.config
        return draw_crops(pictures, size=c.crop, count=c.batch, rng=rng, rank=rank, world=world, mirror=c.mirror)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """Yield (player, weighted loss terms) once per optimiser update; the trainer does the rest.

        `t` counts finished steps: schedules are functions of it, so resuming needs no other state.
        """
        raise NotImplementedError

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """One optimiser per player."""
        return {player: torch.optim.Adam(self.weights(player), self.config.lr) for player in self.players}

    def rate(self, t: int) -> float:
        """Learning rate of step `t` as a factor of the configured one."""
        return 1.0

    def samples(self) -> Tensor | None:
        """A few fixed photos (N, 3, H, W) to show progress on."""
        return None

    def runnable(self, network: nn.Module) -> nn.Module:
        """Return what users run, (N, 3, H, W) to a picture, made of the trained output network or its average."""
        return network

    def references(self) -> Tensor | None:
        """A few fixed pictures of the wanted style (N, 3, H, W), against which samples are judged."""
        return None

    def sources(self) -> list[dict[str, str]]:
        """Return what the style was trained on, for its card: dictionaries with `name`, `licence` and `use`."""
        return []

    def prepare(self) -> None:
        """Load data and frozen networks before training; a system without it can be built from its checkpoint alone."""

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The networks that some player moves, by name."""
        return {name: self.get_submodule(name) for names in self.players.values() for name in names}

    def weights(self, player: str) -> list[nn.Parameter]:
        """Return the parameters that a player moves."""
        return [p for name in self.players[player] for p in self.get_submodule(name).parameters()]


def forward_concatenated(network: nn.Module, *images: Tensor) -> tuple[Tensor, ...]:
    """Run a network that treats samples one by one on several batches of one size at once, which is faster."""
    outputs: tuple[Tensor, ...] = network(torch.cat(images)).chunk(len(images))
    return outputs


def source(origin: Path | str, use: str) -> dict[str, str]:
    """Return the card's entry for a folder, a file or a `module:function` that served as `use`."""
    return {"name": Path(origin).resolve().name or "unnamed", "licence": "not stated", "use": use}


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Within the block, gradients flow through these networks but not into their weights."""
    before = [[p.requires_grad for p in network.parameters()] for network in networks]
    for network in networks:
        network.requires_grad_(False)
    try:
        yield
    finally:
        for network, flags in zip(networks, before, strict=True):
            for parameter, flag in zip(network.parameters(), flags, strict=True):
                parameter.requires_grad_(flag)
