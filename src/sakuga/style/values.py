"""The values of a style's inputs as arrays that its network takes."""

from collections.abc import Mapping, Sequence

import numpy as np

from sakuga.picture import Source, read
from sakuga.picture.arrays import normalise, resize
from sakuga.picture.pixels import Array
from sakuga.style.inputs import Input, check

MIN_SIDE, MAX_SIDE = 64, 512
"""Sides in pixels that a reference picture is brought to, where the style leaves them free."""


def arrays(
    inputs: Sequence[Input],
    given: Mapping[str, object],
    *,
    style: str,
    multiple: int = 1,
    size: Sequence[int] | None = None,
) -> dict[str, Array]:
    """Return what a style's network takes beside the photo, by name: `sakuga.style.inputs.Input` has shapes and ranges.

    Args:
        inputs: of the style's card.
        given: values by name, in Python or as text. A picture may be a path, bytes, a file, a Pillow image or an array.
        style: its name, for sentences.
        multiple: of the sides of a reference picture.
        size: (height, width) of a style's pictures where they are fixed.

    Raises UsageError for wrong, missing or unknown names and values, SakugaError for a picture that cannot be read.
    """
    plain = check(inputs, given, style)
    return {one.name: _array(one, plain[one.name], multiple, size) for one in inputs if one.name in plain}


def _array(one: Input, plain: object, multiple: int, size: Sequence[int] | None) -> Array:
    match one.kind, plain:
        case "picture", str(source) if not source:
            return np.zeros((1, 3, *(size or (MIN_SIDE, MIN_SIDE))), np.float32)
        case "picture", source:
            return _reference(source, multiple, size)[None]  # type: ignore[arg-type]
        case "noise", int(seed):
            return np.random.default_rng(seed).standard_normal(one.shape, np.float32)
        case (("choice" | "choices"), _):
            chosen = [plain] if one.kind == "choice" else plain
            return np.array([[name in chosen for name in one.names]], np.float32)  # type: ignore[operator]
        case "text", tuple(words):
            places = {name: place for place, name in enumerate(one.names)}
            ids = np.zeros((one.sentences, one.size), np.int64)
            for row, sentence in zip(ids, one.split(words), strict=False):
                row[: len(sentence)] = [places[word] for word in sentence]
            return ids.reshape(one.shape)
    return np.array(plain, np.float32).reshape(one.shape)


def _reference(source: Source, multiple: int, size: Sequence[int] | None) -> Array:
    """Read a reference picture, (3, H, W): its middle at `size`, or about its own size within MIN_SIDE and MAX_SIDE."""
    rgb = read(source).frames[0].rgb
    if size is not None:
        rgb = _middle(rgb, size[0] / size[1])
    else:
        scale = min(1, MAX_SIDE / max(rgb.shape[:2]))
        size = [max(MIN_SIDE, round(side * scale / multiple) * multiple) for side in rgb.shape[:2]]
        size = [-(-side // multiple) * multiple for side in size]
    return normalise(rgb if rgb.shape[:2] == tuple(size) else resize(rgb, (size[1], size[0])))


def _middle(rgb: Array, ratio: float) -> Array:
    """The largest part of the middle whose height is `ratio` times its width."""
    height, width = rgb.shape[:2]
    tall, wide = min(height, max(1, round(width * ratio))), min(width, max(1, round(height / ratio)))
    top, left = (height - tall) // 2, (width - wide) // 2
    return rgb[top : top + tall, left : left + wide]
