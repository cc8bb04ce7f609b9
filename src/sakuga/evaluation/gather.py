"""What is measured of each picture of a folder, in blocks that this process or the machines of a cluster go through."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageOps

from sakuga.cluster.mapped import mapped
from sakuga.cluster.nodes import connected
from sakuga.cluster.parts import tops
from sakuga.cluster.recipe import Recipe, files
from sakuga.data.images import load_image, to_tensor
from sakuga.errors import SakugaError
from sakuga.metrics.distances import Pairs, Set
from sakuga.metrics.features import FeatureExtractors
from sakuga.runtime.console import track
from sakuga.stylizer import Stylizer

R = TypeVar("R")
BLOCK = 32
"""Pictures whose sums are made together, so that these are the same to the last bit wherever they are made."""


@dataclass
class Target:
    """The pictures of a style, as a set, and a sentence for each that could not be read."""

    pictures: Set = field(default_factory=Set)
    failed: list[str] = field(default_factory=list)


@dataclass
class Results:
    """Photos beside themselves and beside their results, by the style's label; a sentence for each unreadable one."""

    own: Pairs = field(default_factory=Pairs)
    pairs: dict[str, Pairs] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class TargetMeasure:
    """Looks at pictures of a style."""

    def __init__(self, eyes: FeatureExtractors, size: int) -> None:
        self.eyes, self.size = eyes, size

    def __call__(self, paths: Iterable[Path]) -> Target:
        """Return what is to be known of the pictures of some files."""
        target = Target()
        for picture in read_pictures(paths, target.failed):
            image = to_tensor(square(picture, self.size))
            target.pictures.add(image, self.eyes(image))
        return target


class ResultMeasure:
    """Looks at photos and at what styles make of them; elsewhere the styles are read again from their files' bytes."""

    def __init__(self, eyes: FeatureExtractors, size: int, stylizers: Mapping[str, Stylizer]) -> None:
        self.eyes, self.size, self.stylizers = eyes, size, stylizers

    def __call__(self, paths: Iterable[Path]) -> Results:
        """Return what is to be known of the photos of some files."""
        found = Results(pairs={label: Pairs() for label in self.stylizers})
        for picture in read_pictures(paths, found.failed):
            photo = to_tensor(square(picture, self.size))
            features = self.eyes(photo)
            found.own.add(self.eyes, photo, photo, features, features)
            for label, stylizer in self.stylizers.items():
                result = to_tensor(stylizer.array(square(picture, self.size // stylizer.style.card.scale)))
                found.pairs[label].add(self.eyes, result, photo, self.eyes(result), features)
        return found

    def __getstate__(self) -> dict[str, Any]:
        recipes = {label: Recipe.of(one) for label, one in self.stylizers.items()}
        data = {key: value for one in self.stylizers.values() for key, value in files(one).items()}
        return {"eyes": self.eyes, "size": self.size, "recipes": recipes, "data": data}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.eyes, self.size = state["eyes"], state["size"]
        fetch = state["data"].__getitem__
        self.stylizers = {label: one.make(fetch, threads=1) for label, one in state["recipes"].items()}


def on_cluster(address: str | None) -> AbstractContextManager[Any]:
    """Keep the cluster at an address connected; without one do nothing."""
    return connected(address) if address else nullcontext()


def in_blocks(
    measure: Callable[[Iterable[Path]], R], paths: Sequence[Path], title: str, cluster: str | None
) -> Iterator[R]:
    """Yield what is measured of each block of the files, in their order: here, or on the cluster at an address."""
    if cluster is not None:
        blocks = [paths[begin : begin + BLOCK] for begin in range(0, len(paths), BLOCK)]
        yield from track(mapped(measure, blocks, cluster, inputs=tops(paths)), title, len(blocks))
        return
    counted = iter(track(paths, title, len(paths)))
    for _ in range(0, len(paths), BLOCK):
        yield measure(islice(counted, BLOCK))


def square(picture: np.ndarray, size: int) -> np.ndarray:
    """Return the centre square of a picture (H, W, 3) uint8, `size` pixels wide."""
    # Pillow's bicubic takes all pixels into account, unlike torch's: Parmar, Zhang, Zhu, CVPR 2022.
    return np.asarray(ImageOps.fit(Image.fromarray(picture), (size, size), Image.Resampling.BICUBIC))


def read_pictures(paths: Iterable[Path], failed: list[str]) -> Iterator[np.ndarray]:
    """Yield what can be read; one bad file must not cost the others."""
    for path in paths:
        try:
            yield load_image(path)
        except SakugaError as error:
            failed.append(str(error))
