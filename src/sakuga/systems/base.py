"""A system: networks plus one training step, written as the paper writes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn

from sakuga.data.dataset import Dataset
from sakuga.systems.artefact import Artefact, translation
from sakuga.systems.fields import AtLeast, Count, LessThan, MultipleOf, Role, Weight, check_places, sources

Terms = dict[str, Tensor]
Update = tuple[str | tuple[str, ...], Terms]
"""Whose update it is, one player's or several players' on one loss, and the weighted terms of that loss."""
Batch = dict[str, Tensor]


@dataclass
class Config:
    """What every system can be told; a system's own config adds its paper's values."""

    photos: Annotated[tuple[Path, ...], Role("photos", required=True)] = ()
    """Folders of photographs."""
    crop: Annotated[int, AtLeast(16), MultipleOf(4)] = 256
    """Side of the square training crops, pixels."""
    mirror: bool = True
    """Show half of all crops mirrored; not for styles with lettering or light from one side."""
    batch: Count = 4
    """Crops in a step, over all processes."""
    lr: Weight = 2e-4
    """Learning rate."""
    steps: Count = 40_000
    """Length of the training."""
    init: Path | None = None
    """An earlier run of the same kind, or a style (its name or file) that such a run was exported to: this one starts
    from its finished network, without a warm-up."""
    ema: Annotated[float, AtLeast(0), LessThan(1)] = 0.999
    """Decay of the averaged weights, the ones that are exported, where there are any."""
    seed: Annotated[int, AtLeast(0), LessThan(2**63)] = 0
    """Start of all random numbers: weights, order of the data, crops."""

    @property
    def short_side(self) -> int:
        """Shorter side at which pictures are trained on, pixels; smaller ones are enlarged or continued."""
        return self.crop


@dataclass(frozen=True)
class Preview:
    """Fixed inputs on which a run shows its progress.

    Attributes:
        inputs: by name, one row per sample: `image` (N, 3, H, W) in [-1, 1], `noise` (N, size), ...
        references: pictures (M, 3, H, W) that the samples should look like, for KID; None where there are none.
        rows: in which samples lie on the sheet, below one row of photos: the same photos in each.
    """

    inputs: dict[str, Tensor]
    references: Tensor | None = None
    rows: int = 1


class System(nn.Module):
    """Networks, their losses and one training step; `training.Trainer` does the rest.

    A subclass, or an instance, names its `players` (optimiser name to the networks it moves; those of discriminators
    begin with D); a subclass writes `step` and, where users run something else than a network from photo to picture
    called `generator`, `artefact`.
    """

    name: ClassVar[str]
    players: dict[str, list[str]]
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
    betas: ClassVar[tuple[float, float]] = (0.9, 0.999)
    """Of Adam, for all players."""
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    """Named values of the config's fields, such as a published style's."""
    Config: ClassVar[type[Any]] = Config
    config: Any

    def __init__(self, config: Any):
        super().__init__()
        self.config = config

    def data(self) -> Dataset:
        """Read what it is trained on; `dataset` is the one that everybody uses.

        Batches are made in a thread of their own while another step runs, so columns must leave torch's random numbers
        alone.
        """
        raise NotImplementedError

    @cached_property
    def dataset(self) -> Dataset:
        """What `data` returned: the pictures are read when it is first asked for."""
        return self.data()

    def load(self) -> None:
        """Get ready to train, what is cheap to refuse first: places, then frozen networks, then the pictures.

        Raises:
            UsageError: a file or folder is missing, or does not fit.
            SakugaError: a file cannot be read.
        """
        check_places(self.config)
        self.prepare()
        self.dataset  # noqa: B018

    def batch(self, step: int, rank: int, world: int) -> Batch:
        """Return this process's part of the batch of step `step`, a function of (seed, step, rank) alone."""
        return self.dataset.batch(step, rank, world)

    def step(self, batch: Batch, t: int) -> Iterator[Update]:
        """Yield (player, weighted loss terms) once per optimiser update; the trainer does the rest.

        A tuple of players moves them all on one loss. `t` counts finished steps: schedules, also of the batch's size,
        are functions of it, so resuming needs no other state. Who moves on which terms may depend on `t` alone: all
        processes and all parts of a batch must agree on it.
        """
        raise NotImplementedError

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """One optimiser per player."""
        return {p: torch.optim.Adam(self.weights(p), self.config.lr, betas=self.betas) for p in self.players}

    def rate(self, t: int, player: str) -> float:
        """A player's learning rate in step `t` as a factor of its optimiser's."""
        return 1.0

    def decay(self, t: int) -> float:
        """Decay of the averages after step `t`: the weight of what they were; early steps count for more."""
        return float(min(self.config.ema, (1 + t) / (10 + t)))

    def fresh(self, t: int) -> tuple[str, ...]:
        """Players whose optimiser starts anew at step `t`, without its moments."""
        return ()

    def preview(self) -> Preview | None:
        """Return what progress is shown on; without an `image` among the inputs, samples are a grid."""
        return None

    def artefact(self, network: str | None = None) -> Artefact:
        """Return what users run, made of the networks as they are: `network` of `exportable`, the first by default.

        Raises UsageError where something is missing that the config names.
        """
        return translation(self.get_submodule(network or self.exportable[0]))

    def sources(self) -> list[dict[str, str]]:
        """Return what the style was trained on, as the config's roles tell."""
        return sources(self.config)

    def prepare(self) -> None:
        """Load frozen networks before training; without it a system can be built from its checkpoint alone."""

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
