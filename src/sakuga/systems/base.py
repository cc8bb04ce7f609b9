"""A system: networks plus one training step, written as the paper writes it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from sakuga.data.images import Crop, draw_crops
from sakuga.systems.artefact import Artefact, translation

Terms = dict[str, Tensor]
Update = tuple[str | tuple[str, ...], Terms]
"""Whose update it is, one player's or several players' on one loss, and the weighted terms of that loss."""
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
    ema: float = 0.999
    """Decay of the averaged weights, the ones that are exported, where there are any."""
    seed: int = 0
    """Start of all chance: weights, order of the data, crops."""


@dataclass(frozen=True)
class Preview:
    """Fixed inputs on which a run shows its progress.

    Attributes:
        inputs: by name, one row per sample: `image` (N, 3, H, W) in [-1, 1], `noise` (N, size), ...
        references: pictures (M, 3, H, W) that the samples should look like, for KID; None where there are none.
    """

    inputs: dict[str, Tensor]
    references: Tensor | None = None


class System(nn.Module):
    """Networks, their losses and one training step; `training.Trainer` does the rest.

    A subclass names its `players` (optimiser name to the networks it moves; those of discriminators begin with D) and
    writes `step` and, where users run something else than a network from photo to picture called `generator`,
    `artefact`.
    """

    name: ClassVar[str]
    players: ClassVar[dict[str, list[str]]]
    averaged: ClassVar[tuple[str, ...]] = ("generator",)
    """Networks whose exponential moving average users get; () for none."""
    exportable: ClassVar[tuple[str, ...]] = ("generator",)
    """Networks that `artefact` can be asked for by name; the first is what users run."""
    stateful: ClassVar[tuple[str, ...]] = ()
    """Modules that no player moves but that change while training, such as image pools or a running mean.

    Each process has its own, seeded apart where it holds a `torch.Generator`; checkpoints hold them all."""
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

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """Yield (player, weighted loss terms) once per optimiser update; the trainer does the rest.

        A tuple of players moves them all on one loss. `t` counts finished steps: schedules, also of the batch's size,
        are functions of it, so resuming needs no other state. Who moves on which terms may depend on `t` alone: all
        processes and all parts of a batch must agree on it.
        """
        raise NotImplementedError

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """One optimiser per player."""
        return {player: torch.optim.Adam(self.weights(player), self.config.lr) for player in self.players}

    def rate(self, t: int, player: str) -> float:
        """A player's learning rate in step `t` as a factor of its optimiser's."""
        return 1.0

    def decay(self, t: int) -> float:
        """Decay of the averages after step `t`: the weight of what they were; early steps count for more."""
        return float(min(self.config.ema, (1 + t) / (10 + t)))

    def fresh(self, t: int) -> tuple[str, ...]:
        """Players whose optimiser starts anew at step `t`, without its moments."""
        return ()

    def samples(self) -> Tensor | None:
        """A few fixed photos (N, 3, H, W) to show progress on."""
        return None

    def artefact(self, network: str | None = None) -> Artefact:
        """Return what users run, made of the networks as they are: `network` of `exportable`, the first by default.

        Raises UsageError where something is missing that the config names.
        """
        return translation(self.get_submodule(network or self.exportable[0]))

    def references(self) -> Tensor | None:
        """A few fixed pictures of the wanted style (N, 3, H, W), against which samples are judged."""
        return None

    def preview(self) -> Preview | None:
        """Return what progress is shown on; without an `image` among the inputs, samples are a grid."""
        photos = self.samples()
        return None if photos is None else Preview({"image": photos}, self.references())

    def sources(self) -> list[dict[str, str]]:
        """Return what the style was trained on, for its card: dictionaries with `name`, `licence` and `use`."""
        return []

    def prepare(self) -> None:
        """Load data and frozen networks before training; a system without it can be built from its checkpoint alone."""

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The networks that some player moves, by name."""
        return {name: self.get_submodule(name) for names in self.players.values() for name in names}

    @property
    def finished(self) -> dict[str, nn.Module]:
        """What users may run, by name: the averaged networks, and all that players but discriminators move."""
        moved = (name for player, names in self.players.items() if not player.startswith("D") for name in names)
        return {name: self.get_submodule(name) for name in (*self.averaged, *moved)}

    def weights(self, player: str) -> list[nn.Parameter]:
        """Return the parameters that a player moves."""
        return [p for name in self.players[player] for p in self.get_submodule(name).parameters()]


@contextmanager
def swapped(system: System, modules: Mapping[str, nn.Module]) -> Iterator[None]:
    """Within the block a system has these modules in place of its own: averages where others are trained."""
    before = {name: system.get_submodule(name) for name in modules}

    def put(those: Mapping[str, nn.Module]) -> None:
        for name, module in those.items():
            parent, _, leaf = name.rpartition(".")
            setattr(system.get_submodule(parent), leaf, module)

    put(modules)
    try:
        yield
    finally:
        put(before)


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
