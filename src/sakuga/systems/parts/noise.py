"""What systems share that make pictures of one kind from noise."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import nn
from tyro.conf import arg

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.errors import UsageError
from sakuga.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sakuga.networks.mlp import MLPDiscriminator, MLPGenerator
from sakuga.style.inputs import Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Config, Preview, System
from sakuga.systems.fields import Count, Role
from sakuga.systems.parts.labelled import read_squares

SHOWN = 64
"""Pictures of a preview."""


@dataclass
class NoiseConfig(Config):
    """What all of these can be told; defaults are for a few thousand pictures of 64 pixels."""

    photos: Annotated[tuple[Path, ...], Role("photos", required=True), arg(aliases=("--pictures",))] = ()
    """Folders of the pictures to be learned, photographs or not."""
    crop: int = 64
    """Side of the pictures, a power of two; those to be learned are scaled to it on their shorter side."""
    mirror: bool = False
    batch: Count = 64
    steps: Count = 20_000
    noise: Count = 100
    """Numbers that a picture is made of."""
    width: Count = 64
    """Channels of the layers that are next to the picture; of other layers in proportion."""


@dataclass
class BodyConfig(NoiseConfig):
    """The same, with a choice of networks."""

    body: Literal["dcgan", "mlp"] = "dcgan"
    """Networks: DCGAN's convolutions, or fully connected layers, for pictures of 32 pixels or fewer."""


class FromNoise(System):
    """A generator and a discriminator of pictures of one kind; a subclass writes its networks and `step`."""

    players = {"D": ["discriminator"], "G": ["generator"]}  # noqa: RUF012
    betas = (0.5, 0.999)
    averaged: ClassVar[tuple[str, ...]] = ()
    Config: ClassVar[type[Any]] = NoiseConfig
    generator: nn.Module
    discriminator: nn.Module

    def data(self) -> Dataset:
        """Pictures, each as likely, and noise."""
        return Dataset(
            {"real": read_squares(self.config), "noise": Noise(self.config.noise)}, self.config, draw="picture"
        )

    def artefact(self, network: str | None = None) -> Artefact:
        """The generator, whose pictures have one size."""
        c = self.config
        return Artefact(self.generator, (Input("noise", "noise", size=c.noise),), size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """Sixty-four points of the noise, and as many pictures."""
        noise = torch.randn(SHOWN, self.config.noise, generator=torch.Generator().manual_seed(0))
        return Preview({"noise": noise}, self.references())

    def references(self) -> torch.Tensor:
        """Sixty-four pictures to be learned, (64, 3, crop, crop)."""
        batches = [self.dataset.batch(t)["real"] for t in range(-(-SHOWN // self.config.batch))]
        return torch.cat(batches)[:SHOWN]


def networks(config: BodyConfig) -> tuple[nn.Module, nn.Module]:
    """Return the generator and the discriminator that a config asks for, with the published widths at `width` 64.

    Raises:
        UsageError: DCGAN's is asked for a side that is no power of two.
    """
    c, w = config, config.width
    if c.body == "mlp":
        widths = (2 * w, 4 * w, 8 * w, 16 * w)
        generator = MLPGenerator(c.noise, channels=3, side=c.crop, widths=widths)
        return generator, MLPDiscriminator(3, side=c.crop, widths=(8 * w, 4 * w))
    power_of_two(c)
    return DCGANGenerator(c.noise, width=w, side=c.crop), DCGANDiscriminator(width=w, side=c.crop)


def power_of_two(config: NoiseConfig) -> None:
    """Refuse a side that the networks cannot double up to. Raises UsageError."""
    if config.crop & (config.crop - 1):
        raise UsageError(f"--crop {config.crop} must be a power of two: 32, 64 or 128")


@contextmanager
def untracked(network: nn.Module) -> Iterator[None]:
    """Within the block batch norms take the batch's statistics and leave their running ones: it is not their turn."""
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
