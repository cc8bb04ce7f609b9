"""What systems share that make pictures from noise and a class."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.data.columns import Noise
from sakuga.data.dataset import Dataset
from sakuga.data.labels import Labels
from sakuga.errors import UsageError
from sakuga.style.inputs import Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Preview
from sakuga.systems.parts.labelled import LabelledConfig, read_labels, read_squares
from sakuga.systems.parts.noise import SHOWN, FromNoise, NoiseConfig


@dataclass
class ClassConfig(NoiseConfig, LabelledConfig):  # the other way round Config's defaults would win
    """Pictures and the class of each; defaults are those of `NoiseConfig`."""

    labels: str = "folders"
    """`folders` where the pictures of each class lie in a folder of its name, or a table, FILE.csv, with a line for
    each picture: its file and its class."""
    classes: tuple[str, ...] = ()
    """Names of the classes; by default those that the labels have."""


class FromClasses(FromNoise):
    """A generator that is given noise and a class; a subclass writes its networks and `step`.

    Batches hold `real` with the classes `label` (N,), every class as likely, so that the classes of fakes can be drawn
    evenly; `asked` is uniform in [0, 1), see `labels_of`. Without labels, where a subclass allows it, no classes.
    """

    config: ClassConfig

    def name_classes(self) -> int:
        """Put the names of the classes into the config, if they are not there, and return how many there are.

        Raises:
            UsageError: the labels are missing or do not fit the pictures.
        """
        c = self.config
        if not c.classes:
            c.classes = read_classes(c).names
        return len(c.classes)

    def data(self) -> Dataset:
        """Pictures with their classes, and noise with the classes that are asked for."""
        if not self.config.classes:
            return super().data()
        columns = {"real": read_squares(self.config), "label": read_classes(self.config)}
        real = Dataset(columns, self.config, draw="class")
        return real | Dataset({"noise": Noise(self.config.noise), "asked": Noise(uniform=True)}, self.config)

    def labels_of(self, asked: Tensor) -> Tensor:
        """Return the classes (N,) that numbers in [0, 1) stand for."""
        return (asked * len(self.config.classes)).long()

    def one_hot(self, labels: Tensor, like: Tensor) -> Tensor:
        """Return classes (N,) as vectors (N, classes) of the type of `like`."""
        return F.one_hot(labels, len(self.config.classes)).to(like.dtype)

    def artefact(self, network: str | None = None) -> Artefact:
        """The generator, which is given noise and a class."""
        c = self.config
        if not c.classes:
            return super().artefact(network)
        inputs = Input("noise", "noise", size=c.noise), Input("class", "choice", names=c.classes)
        return Artefact(self.generator, inputs, size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """A row of sixteen or fewer pictures for each of the first eight classes, and pictures to be learned."""
        if not self.config.classes:
            return super().preview()
        count = min(8, len(self.config.classes))
        labels = torch.arange(SHOWN) * count // SHOWN
        noise = torch.randn(SHOWN, self.config.noise, generator=torch.Generator().manual_seed(0))
        return Preview({"noise": noise, "class": self.one_hot(labels, noise)}, self.references())


def read_classes(config: ClassConfig) -> Labels:
    """Read one class for each picture, numbered as in the config's `classes`, or in the order of their own names.

    Raises:
        UsageError: labels are missing, hold attributes, or a class that is not among the config's.
    """
    found, names = read_labels(config), config.classes
    if found.classes is None:
        if len(found.names) > 1:
            raise UsageError(
                f"--labels {config.labels} holds {len(found.names)} attributes: name a table with one column, the class"
            )
        found = Labels(np.asarray(found.values)[:, 0].astype(np.int64), ("0", "1"))  # a column of zeros and ones
    if not names:
        return found
    if unknown := {*found.names} - {*names}:
        raise UsageError(
            f"--labels {config.labels} has the class {min(unknown)}, which is not among {', '.join(names)}"
        )
    return Labels(np.array([names.index(name) for name in found.names])[found.values], names)
