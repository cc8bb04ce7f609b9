"""Pictures from noise: what a style makes that is given no photo."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import ceil, isqrt
from pathlib import Path

import numpy as np

from sakuga.errors import SakugaError, UsageError
from sakuga.picture.pixels import Array
from sakuga.style import Style, load
from sakuga.style.inputs import Input
from sakuga.style.values import arrays

GAP = 2
"""Pixels between the pictures of a contact sheet."""


class Generator:
    """Makes pictures with a style that is given none; keep it to keep the network loaded. Threads may share it.

    Args:
        style: a Style, the name of one, or the path of a file.
        values: of its inputs, by name, in Python or as text; noise that is not among them is drawn for each picture,
            and of a choice without default, such as a class, every one has its turn.
        turns: of a text of several sentences: whether a picture is a row of those after each, not only the last one.
        threads: how many the network computes with; None: one for each core.

    Attributes:
        name: of the style.
        drawn: names of the noise that is drawn, with their shapes.

    Raises:
        UsageError: the style needs a photo, or a value is wrong, missing or of no input.
    """

    def __init__(
        self,
        style: Style | str | Path,
        values: Mapping[str, object] | None = None,
        *,
        turns: bool = False,
        threads: int | None = None,
    ) -> None:
        self.style = style if isinstance(style, Style) else load(style)
        self.name = self.style.name
        card, name, values = self.style.card, self.name, values or {}
        if card.photo is not None:
            raise UsageError(f"style {name} makes its pictures of photos: use `sakuga photo.jpg -s STYLE`")
        self.drawn = {one.name: one.shape for one in card.inputs if one.kind == "noise" and one.name not in values}
        free = (one for one in card.inputs if one.kind == "choice" and one.required and one.name not in values)
        classes = next(free, None)
        chosen = [{classes.name: choice} for choice in classes.names] if classes else [{}]
        self._given = [arrays(card.inputs, {**values, **one}, style=name) for one in chosen]
        self._turns, self._threads = turns, threads

    def __call__(self, seed: int) -> Array:
        """Return the picture of a seed, RGB (H, W, 3) uint8."""
        return self._run(self._draw(seed), seed)

    def walk(self, seeds: Sequence[int], steps: int) -> Iterator[Array]:
        """Yield the pictures on the way from seed to seed and back to the first, `steps` for each part of it.

        Raises UsageError where no noise is drawn.
        """
        if not self.drawn:
            raise UsageError(f"style {self.style.name} is given no noise here to walk through: leave out --walk")
        for here, there in pairwise([self._draw(seed) for seed in (*seeds, seeds[0])]):
            for step in range(steps):
                yield self._run({name: spherical(here[name], there[name], step / steps) for name in here}, seeds[0])

    def _draw(self, seed: int) -> dict[str, Array]:
        rng = np.random.default_rng(seed)
        return {name: rng.standard_normal(shape, np.float32) for name, shape in self.drawn.items()}

    def _run(self, noise: Mapping[str, Array], seed: int) -> Array:
        given = self._given[seed % len(self._given)]
        inputs = {**given, **noise}
        told = after_turns(self.style.card.inputs, inputs) if self._turns else [inputs]
        pictures: list[Array] = [render(self.style, one, threads=self._threads)[0] for one in told]
        return pictures[0] if len(pictures) == 1 else contact_sheet(pictures, columns=len(pictures))


def render(style: Style, inputs: Mapping[str, Array], *, threads: int | None = None) -> Array:
    """Run a style on N sets of inputs, by name as its card has them, stacked along their first axis.

    Pictures among them have sides that are multiples of the style's. Returns RGB (N, H, W, 3) uint8.
    Raises SakugaError when the network fails.
    """
    session = style.session(threads)
    pictures = []
    for i in range(len(next(iter(inputs.values())))):
        try:
            (picture,) = session.run(["stylised"], {name: value[i : i + 1] for name, value in inputs.items()})
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            raise SakugaError(f"style {style.name} cannot be run ({error}): export it again") from error
        pictures.append(np.rint((np.clip(picture[0], -1, 1) + 1) * 127.5).astype(np.uint8).transpose(1, 2, 0))
    return np.stack(pictures)


def after_turns(inputs: Sequence[Input], values: Mapping[str, Array]) -> list[dict[str, Array]]:
    """Return the values of a style's inputs after every turn of a conversation, whose text holds what was said by then.

    Of a style that takes no text of several sentences, or is given one at most, these are the values as they are.
    """
    text = next((one.name for one in inputs if one.sentences > 1), None)
    if text is None:
        return [dict(values)]
    said = np.flatnonzero(values[text][0].any(1))
    if len(said) < 2:
        return [dict(values)]
    until = np.arange(values[text].shape[1])[:, None]
    return [{**values, text: values[text] * (until <= turn)} for turn in said]


def spherical(a: Array, b: Array, t: float) -> Array:
    """Return the point at `t` from 0 to 1 on the way between two of a normal distribution, as far from the centre.

    sin((1 - t)ω) / sin ω · a + sin(tω) / sin ω · b, with ω the angle between them: straight lines would pass near the
    centre, where no sample lies. Source: White, "Sampling Generative Networks", 2016.
    """
    cosine = float(np.vdot(a, b)) / (float(np.linalg.norm(a) * np.linalg.norm(b)) or 1.0)
    angle = float(np.arccos(np.clip(cosine, -1, 1)))
    if np.sin(angle) < 1e-6:
        return a + np.float32(t) * (b - a)
    return (np.float32(np.sin((1 - t) * angle)) * a + np.float32(np.sin(t * angle)) * b) / np.float32(np.sin(angle))


def contact_sheet(pictures: Sequence[Array], *, columns: int | None = None) -> Array:
    """Lay pictures (H, W, 3) of one size out in rows, by default about as many as columns, on white."""
    columns = columns or isqrt(len(pictures) - 1) + 1
    height, width = pictures[0].shape[:2]
    down, across = height + GAP, width + GAP
    sheet = np.full((ceil(len(pictures) / columns) * down - GAP, columns * across - GAP, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // columns * down, i % columns * across
        sheet[y : y + height, x : x + width] = picture
    return sheet
