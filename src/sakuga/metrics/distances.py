"""What is gathered over the pictures of a style, and the figures that come of it."""

import hashlib
from collections import defaultdict

import torch
from torch import Tensor

from sakuga.losses import content, gram, lpips
from sakuga.metrics import signal
from sakuga.metrics.features import CONTENT, GRAMS, FeatureExtractors, Seen
from sakuga.metrics.frechet import frechet
from sakuga.metrics.kid import kid

SUBSETS, SUBSET = 100, 1000
"""KID's subsets, and the most pictures in one; a half of the smaller set where that is less."""

FEWEST = 4
"""Pictures on either side that FID and KID need at least."""


class Set:
    """A set of pictures as a whole: rows of features and the mean Gram matrix of each layer."""

    def __init__(self) -> None:
        self.rows: list[Tensor] = []
        self.grams: dict[str, Tensor] = {}
        self.digests: list[bytes] = []

    @property
    def count(self) -> int:
        """How many pictures it has."""
        return len(self.digests)

    def add(self, image: Tensor, seen: Seen) -> None:
        """Take one more picture (1, 3, H, W)."""
        self.digests.append(hashlib.sha256(image.numpy().tobytes()).digest())
        if seen.row is not None:
            self.rows.append(seen.row)
        self._add_grams({layer: gram(seen.vgg[layer])[0].double() for layer in (GRAMS if seen.vgg else ())})

    def merge(self, other: "Set") -> None:
        """Take the pictures of another set behind its own."""
        self.digests += other.digests
        self.rows += other.rows
        self._add_grams(other.grams)

    def describe(self) -> dict[str, object]:
        """Return the count and a checksum of the pictures as they were compared."""
        return {"count": self.count, "sha256": hashlib.sha256(b"".join(self.digests)).hexdigest()[:16]}

    def _add_grams(self, grams: dict[str, Tensor]) -> None:
        for layer, one in grams.items():
            self.grams[layer] = self.grams[layer] + one if layer in self.grams else one


def set_distances(pictures: Set, wanted: Set, name: str) -> dict[str, float]:
    """FID, KID and Gram distance of two sets; those that lack a network or pictures are left out.

    Gram: mean over layers of ‖Ḡ(a) - Ḡ(b)‖² / ‖Ḡ(b)‖², Ḡ the mean over the set of F Fᵀ / (C·H·W), b the style's; the
    style loss of Gatys, Ecker, Bethge (CVPR 2016) in units of the wanted textures.
    """
    figures: dict[str, float] = {}
    if wanted.rows and min(pictures.count, wanted.count) >= FEWEST:
        a, b = torch.cat(pictures.rows), torch.cat(wanted.rows)
        figures[f"FID{name}"] = float(frechet(a, b))
        size = min(SUBSET, min(len(a), len(b)) // 2)
        mean, deviation = kid(a, b, subsets=SUBSETS, subset_size=size, generator=torch.Generator().manual_seed(0))
        figures[f"KID{name}"], figures[f"KID{name} ±"] = float(mean), float(deviation)
    if wanted.grams and pictures.grams:
        relative = []
        for layer, total in wanted.grams.items():
            goal = total / wanted.count
            relative.append((pictures.grams[layer] / pictures.count - goal).square().sum() / goal.square().sum())
        figures["Gram[vgg16]"] = float(torch.stack(relative).mean())
    return figures


class Pairs:
    """Results beside their photos: means over the pictures of what separates the two."""

    def __init__(self) -> None:
        self.results = Set()
        self.values: dict[str, list[float]] = defaultdict(list)

    @torch.inference_mode()
    def add(self, eyes: FeatureExtractors, image: Tensor, photo: Tensor, seen: Seen, photo_seen: Seen) -> None:
        """Take one more result and its photo, (1, 3, H, W) in [-1, 1], and what `eyes` see in both."""
        self.results.add(image, seen)
        if seen.vgg:
            self._note("content[vgg16]", content({CONTENT: seen.vgg[CONTENT]}, {CONTENT: photo_seen.vgg[CONTENT]}))
        for network, here, there in (
            (eyes.vgg, seen.vgg, photo_seen.vgg),
            (eyes.alex, seen.alex, photo_seen.alex),
        ):
            if network is not None and network.heads:
                self._note(f"LPIPS[{network.name}]", lpips(here, there, network.heads))
        self._note("colour shift", signal.colour_shift(image, photo))
        self._note("energy", signal.energy(image))
        self._note("photo's energy", signal.energy(photo))
        self._note("grain", signal.grain(image, photo))
        self._note("checkerboard", signal.pattern(image, photo))

    def merge(self, other: "Pairs") -> None:
        """Take the pairs of another behind its own."""
        self.results.merge(other.results)
        for name, values in other.values.items():
            self.values[name] += values

    def figures(self) -> dict[str, float]:
        """Return the means; detail is the quotient of two, so that a photo without any has no weight of its own."""
        means = {name: sum(values) / len(values) for name, values in self.values.items()}
        made, own = means.pop("energy"), means.pop("photo's energy")
        return {**means, "detail": made / own if own else float("nan")}

    def _note(self, name: str, value: Tensor) -> None:
        self.values[name].append(float(value))
