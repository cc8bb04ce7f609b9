"""Which inputs there are: each kind's are numbered, and a number always makes the same bytes."""

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import mutate
import samples
from runner import Case

PICTURES = {"png": "png", "jpeg": "jpg", "gif": "gif", "webp": "webp", "tiff": "tif", "avif": "avif", "other": "bin"}
"""Each kind of picture and its usual suffix."""

SHARES = {"png": 15, "jpeg": 12, "gif": 12, "webp": 10, "tiff": 11, "avif": 6, "other": 12, "parts": 2, "xmp": 2}
SHARES |= {"mp4": 3, "mov": 1, "mkv": 2, "webm": 1, "avi": 1, "ts": 1, "grown": 1, "list": 1, "style": 7}
"""How many of a hundred inputs are of each kind."""


GROWN = {"webm": 3, "avi": 4, "mp4": 5}
"""Clips whose header says 64x64, and how many of SIZES their encoder makes in reasonable time."""
SIZES = [(64, 48), (320, 240), (1280, 720), (4096, 4096), (9008, 9008)]
"""Of their last frames; the last is beyond the limit."""


def case(kind: str, seed: int) -> Case:
    """The input of a kind with this number."""
    random = Random(f"{kind} {seed}")
    if kind == "style":
        return Case(kind, seed, "onnx", mutate.mutated(samples.styles(_folder()), random))
    if kind in samples.CLIPS:
        return Case(kind, seed, kind, mutate.mutated(samples.videos(kind, _folder()), random))
    if kind == "parts":
        of = random.choice(["png", "jpeg", "gif", "webp", "tiff"])
        return Case(kind, seed, PICTURES[of], mutate.multiply_part(random.choice(samples.pictures(of)), random))
    if kind == "grown":
        suffix = random.choice([*GROWN])
        whole = samples.grown(suffix, random.choice(SIZES[: GROWN[suffix]]), _folder())
        return Case(kind, seed, suffix, random.choice([whole, mutate.mutated([whole], random, parts=False)]))
    if kind == "list":
        return Case(kind, seed, random.choice([*samples.CLIPS]), mutate.mutated(samples.LISTS, random, parts=False))
    if kind == "xmp":
        return Case(kind, seed, "png", samples.with_xmp(mutate.xmp(random)))
    data = mutate.mutated(samples.pictures(kind), random)
    suffix = mutate.suffix(PICTURES[kind], random)
    return Case(kind, seed, suffix, data)


def cases(count: int, first: int = 0, only: str | None = None) -> Iterator[Case]:
    """About `count` inputs, numbered from `first`, in their shares or all of one kind."""
    for kind, share in {only: 100}.items() if only else SHARES.items():
        for seed in range(first, first + -(-count * share // 100)):
            yield case(kind, seed)


@cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="fuzz-samples-")
    _kept.append(folder)
    return Path(folder.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []  # removed at exit
