"""What systems share that learn from photographs with labels, of attributes or of domains."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from sakuga.data.columns import Crop
from sakuga.data.images import find_images, to_tensor
from sakuga.data.labels import Labels
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.systems.base import Config
from sakuga.systems.fields import Role, check_places

TOGETHER = 0.01
"""Share of the pictures in which two attributes may hold together and still be taken to exclude each other."""


@dataclass
class LabelledConfig(Config):
    """Photographs and what is known of each."""

    labels: Annotated[str, Role("labels", of="name")] = ""
    """`folders` where the photos of each domain lie in a folder of its name, or a table, FILE.csv, with a line for each
    photo: attributes of 0 (or -1) and 1, or one column of domains."""


def read_labels(config: LabelledConfig, *, names: Sequence[str] = ()) -> Labels:
    """Read the labels of a config's photos; `names`: the columns of a table, all by default.

    Raises:
        UsageError: photos or labels are missing or do not fit each other.
    """
    check_places(config)
    if not config.labels:
        raise UsageError("--labels is missing: name a table, FILE.csv, or say `--labels folders`")
    return Labels.read(config.labels, config.photos, find_images(config.photos), names=names)


def read_attributes(config: LabelledConfig, system: str, names: Sequence[str] = ()) -> Labels:
    """Read labels that must be attributes, as for `read_labels`. Raises UsageError for domains."""
    labels = read_labels(config, names=names)
    if labels.classes is not None:
        raise UsageError(f"--labels {config.labels} has domains, and {system} learns attributes: train stargan")
    return labels


def read_domains(config: LabelledConfig, system: str) -> Labels:
    """Read labels that must be domains, one for each photo. Raises UsageError for attributes."""
    labels = read_labels(config)
    if labels.classes is None:
        raise UsageError(f"--labels {config.labels} has attributes, and {system} learns domains: one column")
    return labels


def read_squares(config: Config) -> Pictures:
    """Read photos whose shorter side is brought to the crop's, and say once what becomes of those of other sizes.

    Raises:
        UsageError: there are fewer than a batch holds.
    """
    side, pictures = config.crop, Pictures(config.photos, short_side=config.crop)
    if len(pictures) < config.batch:
        raise UsageError(f"--batch {config.batch} is more than the {len(pictures)} pictures given: lower it")
    if others := sum(size != (side, side) for size in pictures.originals):
        warnings.warn(
            f"{others:,} of {len(pictures):,} photos are not {side}x{side}: they are scaled to it on their shorter "
            "side, and the longer one is cropped",
            stacklevel=2,
        )
    return pictures


def examples(pictures: Pictures, count: int, side: int) -> Tensor:
    """The middle squares of at most `count` pictures from all over the collection, (N, 3, side, side) in [-1, 1]."""
    crops = []
    for index in range(0, len(pictures), -(-len(pictures) // count)):
        top, left = (max(0, (length - side) // 2) for length in pictures[index].shape[:2])
        crops.append(to_tensor(Crop(index, top, left, side, False).cut(pictures[index])))
    return torch.cat(crops)


def option_name(label: str) -> str:
    """A label as the name of an input: lower case, letters, digits and "_"."""
    name = re.sub(r"\W+", "_", label.lower(), flags=re.ASCII)
    return name if re.match(r"[a-z_]", name) else f"_{name}"


def exclusive(labels: Labels) -> tuple[str, ...]:
    """Attributes that exclude each other, as NAME=A,B: those that share their last word and hardly ever hold together.

    As black_hair, blond_hair and brown_hair do: the group is called `hair`. CelebA's have a few pictures with two.
    """
    words: dict[str, list[int]] = {}
    for column, name in enumerate(labels.names):
        first, _, last = option_name(name).rpartition("_")
        if first:
            words.setdefault(last, []).append(column)
    values = torch.as_tensor(labels.values)
    return tuple(
        f"{word}={','.join(labels.names[column] for column in columns)}"
        for word, columns in words.items()
        if len(columns) > 1 and (values[:, columns].sum(1) > 1).float().mean() <= TOGETHER
    )
