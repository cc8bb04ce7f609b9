"""What users set of a picture's attributes or domain, and how a generator that wants all labels is given them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.errors import SakugaError, UsageError
from sakuga.style.inputs import PICTURE, STRENGTH, Input
from sakuga.systems.base import Preview
from sakuga.systems.fields import AtLeast, Count
from sakuga.systems.parts.labelled import LabelledConfig, option_name

KEEP = "keep"
MAX_ROWS = 8
Columns = tuple[tuple[int, ...], ...]
"""For each input, the labels that it decides on."""


@dataclass
class EditingConfig(LabelledConfig):
    """What StarGAN and RelGAN, whose networks are alike, can both be told."""

    attributes: tuple[str, ...] = ()
    """Columns of the table that are attributes, all of them by default."""
    crop: int = 128
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of both networks' first layer."""
    blocks: Annotated[int, AtLeast(0)] = 6
    """Residual blocks of the generator."""
    layers: Count = 6
    """How often the discriminator halves a picture; each doubles its channels."""


def check_layers(config: EditingConfig) -> None:
    """Refuse a side that the discriminator cannot halve so often. Raises UsageError."""
    if config.crop % 2**config.layers:
        raise UsageError(f"--crop {config.crop} must be a multiple of {2**config.layers} with --layers {config.layers}")


def editor_inputs(
    attributes: Sequence[str], domains: Sequence[str], groups: Sequence[str], *, keep: bool
) -> tuple[tuple[Input, ...], Columns]:
    """Return the choices that stand for some labels, and the columns of each.

    Domains are one choice, `domain`, that must be made. Attributes of a group NAME=A,B,C are one, each other attribute
    is `off` or `on`; with `keep` both may stay what they are in the photo, which is the default.

    Raises:
        UsageError: a group that cannot be, or labels whose names cannot be told apart or shown.
    """
    found: list[tuple[Input, tuple[int, ...]]] = []
    usual, first = (KEEP, (KEEP,)) if keep else (None, ())
    grouped: set[str] = set()
    try:
        if domains:
            found.append((Input("domain", "choice", names=tuple(domains)), tuple(range(len(domains)))))
        for text in groups:
            name, _, listed = text.partition("=")
            members = [member.strip() for member in listed.split(",") if member.strip()]
            if len(members) < 2 or not grouped.isdisjoint(members) or not {*members} <= {*attributes}:
                raise UsageError(f"--groups {text} must be NAME=A,B,... of attributes that are in no other group")
            grouped |= {*members}
            short = [option_name(member).removesuffix(f"_{option_name(name)}") for member in members]
            choice = Input(option_name(name), "choice", names=(*first, *short), default=usual)
            found.append((choice, tuple(attributes.index(member) for member in members)))
        for column, name in enumerate(attributes):
            if name not in grouped:
                choice = Input(option_name(name), "choice", names=(*first, "off", "on"), default=usual or "off")
                found.append((choice, (column,)))
    except SakugaError as error:
        raise error if isinstance(error, UsageError) else UsageError(f"--labels: {error}") from error
    inputs, columns = zip(*found, strict=True)
    unique([one.name for one in inputs])
    return inputs, columns


def slider_inputs(attributes: Sequence[str]) -> tuple[Input, ...]:
    """Return a number from -1 to 1 for each attribute, 0 unless it is set, and how much of all of them, from 0 to 1.

    Raises:
        UsageError: names of attributes that cannot be inputs', or cannot be told apart.
    """
    names = [option_name(attribute) for attribute in attributes]
    unique(names, STRENGTH)
    try:
        numbers = [Input(name, "number", minimum=-1, maximum=1, default=0.0) for name in names]
    except SakugaError as error:
        raise UsageError(f"--labels: {error}") from error
    return *numbers, Input(STRENGTH, "number", default=1.0)


def unique(names: Sequence[str], *others: str) -> None:
    """Refuse names of inputs that are there twice, or are the photo's or one of `others`. Raises UsageError."""
    every = [PICTURE.name, *others, *names]
    if twice := [name for name in every if every.count(name) > 1]:
        raise UsageError(f"--labels: two inputs of the style would be called {twice[0]}: rename an attribute")


class Sliders(nn.Module):
    """A generator that takes a vector, given numbers and by how much these are multiplied."""

    def __init__(self, generator: nn.Module):
        super().__init__()
        self.generator = generator

    def forward(self, image: Tensor, *numbers: Tensor) -> Tensor:
        """Pictures (N, 3, H, W), (N,) for each attribute, and the strength (N,)."""
        *attributes, strength = numbers
        result: Tensor = self.generator(image, strength[:, None] * torch.stack(attributes, 1))
        return result


def slider_preview(photos: Tensor, inputs: Sequence[Input], references: Tensor) -> Preview:
    """Photos in one row, then two rows for each of up to four sliders: more and less."""
    values = torch.eye(len(inputs) - 1).repeat_interleave(2, 0)[:MAX_ROWS]
    values[1::2] *= -1
    rows = F.pad(values, (0, 1), value=1.0).repeat_interleave(len(photos), 0)
    numbers = {one.name: rows[:, i] for i, one in enumerate(inputs)}
    return Preview({"image": photos.repeat(len(values), 1, 1, 1), **numbers}, references, rows=len(values))


class Editor(nn.Module):
    """A generator that takes all labels, given only those that are to change.

    Args:
        generator: called with pictures (N, 3, H, W) and labels (N, K).
        classifier: makes of pictures scores and logits (N, K); None: labels that are not set are 0.
        columns: of each input, the labels that it decides on, together all K.
        keep: whether the first choice of each input leaves the picture's own labels.
    """

    def __init__(self, generator: nn.Module, classifier: nn.Module | None, columns: Columns, *, keep: bool):
        super().__init__()
        self.generator, self.columns, self.keep = generator, columns, keep
        self.classifier = classifier if keep else None

    def forward(self, image: Tensor, *choices: Tensor) -> Tensor:
        """Edit pictures; each choice is one-hot, (N, number of names)."""
        labels: dict[int, Tensor] = {}
        own = None if self.classifier is None else (self.classifier(image)[1] > 0).to(image.dtype)
        for columns, choice in zip(self.columns, choices, strict=True):
            if self.keep:
                stays, choice = choice[:, :1], choice[:, 1:]
            asked = choice if choice.shape[1] == len(columns) else choice[:, 1:]  # of off and on the latter
            for place, column in enumerate(columns):
                labels[column] = asked[:, place]
                if self.keep and own is not None:
                    labels[column] = labels[column] + stays[:, 0] * own[:, column]
        result: Tensor = self.generator(image, torch.stack([labels[column] for column in sorted(labels)], 1))
        return result


def editor_preview(photos: Tensor, inputs: Sequence[Input], references: Tensor) -> Preview:
    """Photos in one row, then a row for each of up to eight settings: every choice but to keep, one at a time."""
    usual = {one.name: one.names.index(one.default or one.names[0]) for one in inputs}
    changes = [(one.name, place) for one in inputs for place, name in enumerate(one.names) if name not in (KEEP, "off")]
    changes = changes[:: -(-len(changes) // MAX_ROWS)]
    values = {}
    for one in inputs:
        places = [dict([change]).get(one.name, usual[one.name]) for change in changes]
        rows = torch.eye(len(one.names))[places]
        values[one.name] = rows.repeat_interleave(len(photos), 0)
    return Preview({"image": photos.repeat(len(changes), 1, 1, 1), **values}, references, rows=len(changes))
