"""How pictures grow from step to step, for the systems that begin with small ones."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.networks.growing import shrink
from sakuga.runtime.console import say
from sakuga.systems.base import Batch
from sakuga.systems.fields import Count, Weight
from sakuga.systems.parts.labelled import read_squares
from sakuga.systems.parts.noise import FromNoise, NoiseConfig, power_of_two

MAX_BATCH = 128
"""Samples in a batch of small pictures, unless `batch` is larger."""


@dataclass
class GrowingConfig(NoiseConfig):
    """What systems can be told whose pictures grow; defaults are for a few thousand pictures of 64 pixels."""

    batch: Count = 32
    """Pictures in a step at the full size; twice as many at half of it, up to 128."""
    noise: Count = 512
    """Numbers that a picture is made of."""
    width: Count = 64
    """Channels at the full size; twice as many at half of it. The paper's are 16,384 / side."""
    widest: Count = 512
    """Most channels of a layer."""
    lr: Weight = 1e-3
    """Learning rate of both players; 1.5 to 3 times of it for pictures of 128 pixels and more."""
    stage: Count = 100_000
    """Pictures shown while a size fades in, and again before the next one does."""


class Growth:
    """Which sizes, batches and rates belong to a step; functions of it alone, so that resuming needs no other state.

    A call returns `growth` as `networks.growing` has it. Each size is shown for `stage` pictures, then the next one
    fades in for as many; the last one stays.

    Args:
        first: level to begin with: 0 for 4×4 pixels.
        last: level of the full size.
        stage: pictures shown in each phase.
        batch: pictures in a step at the full size.

    Source: Karras, Aila, Laine, Lehtinen, ICLR 2018, section 2 and appendix A.1; batches as in the official code.
    """

    def __init__(self, *, first: int, last: int, stage: int, batch: int):
        self.first, self.last, self.batch = min(first, last), last, batch
        self.phases: list[tuple[int, int, bool]] = []  # steps, level, whether it fades in
        for level in range(self.first, last + 1):
            steps = math.ceil(stage / self._batch(level))
            self.phases += [(steps, level, True)] * (level > self.first) + [(steps, level, False)] * (level < last)

    @property
    def steps(self) -> int:
        """Steps until pictures have their full size."""
        return sum(steps for steps, _, _ in self.phases)

    def __call__(self, t: int) -> float:
        """Return the growth in step `t`."""
        for steps, level, fades in self.phases:
            if t < steps:
                return level - 1 + (t + 1) / steps if fades else float(level)
            t -= steps
        return float(self.last)

    def batch_of(self, t: int) -> int:
        """Return the pictures in the batch of step `t`."""
        return self._batch(math.ceil(self(t)))

    def is_fresh(self, t: int) -> bool:
        """Whether optimisers start anew in step `t`: where a size begins to fade in, and where it has."""
        now, before = self(t), self(max(0, t - 1))
        return (math.floor(now), math.ceil(now)) != (math.floor(before), math.ceil(before))

    def _batch(self, level: int) -> int:
        return min(self.batch << (self.last - level), max(self.batch, MAX_BATCH))


class Growing(FromNoise):
    """A generator and a discriminator that grow with the pictures; a subclass writes its networks and its losses."""

    first = 0
    """Level to begin with."""
    rates: Mapping[int, float] = {}
    """Factors of the learning rate, by the least side for which each holds."""
    channels_last = False
    betas = (0.0, 0.99)
    Config = GrowingConfig

    def __init__(self, config: GrowingConfig):
        super().__init__(config)
        c = config
        power_of_two(c)
        self.growth = Growth(first=self.first, last=c.crop.bit_length() - 3, stage=c.stage, batch=c.batch)

    def prepare(self) -> None:
        """Say so where the training ends before the pictures have grown."""
        c = self.config
        if c.steps <= self.growth.steps:
            side = 2 ** (math.ceil(self.growth(c.steps - 1)) + 2)
            say(
                f"--steps {c.steps:,} end at {side} pixels: {c.crop} are reached after {self.growth.steps:,}, "
                "or earlier with a smaller --stage"
            )

    def data(self) -> Dataset:
        """Pictures of the full size, each as likely, and noise; as many as the step's batch has."""
        columns = {"real": read_squares(self.config), **self.noises()}
        return Dataset(columns, self.config, draw="picture", batch=self.growth.batch_of)

    def noises(self) -> dict[str, Noise]:
        """Return the columns of noise."""
        return {"noise": Noise(self.config.noise)}

    def reals(self, batch: Batch, t: int) -> Tensor:
        """Pictures to be learned, of the step's size and faded as the generator's."""
        return shrink(batch["real"], self.growth(t))

    def fresh(self, t: int) -> tuple[str, ...]:
        """Both players, wherever a size begins to fade in or has faded in."""
        return tuple(self.players) if self.growth.is_fresh(t) else ()

    def rate(self, t: int, player: str) -> float:
        """Larger for larger pictures."""
        side = 2 ** (math.ceil(self.growth(t)) + 2)
        return max((factor for least, factor in self.rates.items() if least <= side), default=1.0)

    def references(self) -> Tensor:
        """Sixty-four pictures to be learned, whatever the size that is trained on."""
        late = self.growth.steps
        batches = [self.dataset.batch(late + t)["real"] for t in range(-(-64 // self.config.batch))]
        return torch.cat(batches)[:64]
