"""What can be said of one picture at a glance, and of a set of them."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageStat

from sakuga.data.images import left_out, unreadable
from sakuga.errors import SakugaError
from sakuga.picture import read_header
from sakuga.prepare.files import find
from sakuga.prepare.glance import glance
from sakuga.prepare.hashes import distances, phash
from sakuga.prepare.runner import parallel

SIDE = 64
"""Longer side to which pictures are reduced before they are looked at."""

Sentence = tuple[str, str]
""""problem" or "note", and what it is."""


class Facts(NamedTuple):
    """One readable picture."""

    path: Path
    width: int
    """Of the upright picture, pixels."""
    height: int
    format: str
    """What the file is, whatever it is called: "JPEG"."""
    lies: bool
    """Whether it is called something else."""
    digest: bytes
    """SHA-256 of the file."""
    hash: int
    """Perceptual hash."""
    brightness: float
    """Mean of 0.299 R + 0.587 G + 0.114 B, percent."""
    saturation: float
    """Mean of HSV's saturation, percent."""


class Survey(NamedTuple):
    """One set of pictures."""

    name: str
    """The option that names it: "photos"."""
    facts: list[Facts]
    broken: list[str]
    """A sentence for each file or folder that cannot be read."""
    left_out: str = ""
    """What else the folders hold: "3 .xcf, 1 .txt"."""

    @property
    def sizes(self) -> str:
        """The shorter sides from the least over the median to the largest."""
        sides = sorted(min(fact.width, fact.height) for fact in self.facts)
        return f"{sides[0]} / {sides[len(sides) // 2]} / {sides[-1]}" if sides else ""

    @property
    def formats(self) -> str:
        """How many there are of each format."""
        return ", ".join(f"{n} {name}" for name, n in Counter(fact.format for fact in self.facts).most_common())

    def spread(self, attribute: str) -> str:
        """Mean and standard deviation over the pictures."""
        values = [getattr(fact, attribute) for fact in self.facts]
        return f"{np.mean(values):.0f} ± {np.std(values):.0f} %" if values else ""


def survey(name: str, folders: Sequence[Path], workers: int | None, cluster: str | None = None) -> Survey:
    """Look at all pictures of some folders.

    Raises:
        UsageError: a folder is missing, or there is no picture.
    """
    result = Survey(name, [], unreadable(folders), left_out(folders))
    paths = [file.source for file in find(folders)]
    for _, found in parallel(look, paths, title=name, workers=workers, cluster=cluster):
        if isinstance(found, SakugaError):
            result.broken.append(str(found))
        else:
            result.facts.append(found)
    return result


def look(path: Path) -> Facts:
    """Look at one picture.

    Raises:
        SakugaError: it is not readable.
    """
    small = Image.fromarray(glance(path, SIDE))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    kind, width, height, _ = read_header(path)
    grey = small.convert("L")
    return Facts(
        path,
        width,
        height,
        kind,
        Image.registered_extensions().get(path.suffix.lower(), kind) not in (kind, "MPO"),
        digest,
        int(phash(np.asarray(grey))),
        ImageStat.Stat(grey).mean[0] / 2.55,
        ImageStat.Stat(small.convert("HSV")).mean[1] / 2.55,
    )


def copies(facts: Sequence[Facts]) -> list[Facts]:
    """Return the pictures whose file equals an earlier one's."""
    first: dict[bytes, Facts] = {}
    return [fact for fact in facts if first.setdefault(fact.digest, fact) is not fact]


def near(one: Sequence[Facts], other: Sequence[Facts], *, limit: int) -> list[tuple[Facts, Facts]]:
    """Return for each picture of a set the first of another whose hash differs in at most `limit` of its 64 bits.

    Where both are the same set, only what comes after a picture is looked at. Equal files are not near but equal.
    """
    facts = list({fact.digest: fact for fact in reversed(one)}.values())[::-1]
    others = facts if one is other else list({fact.digest: fact for fact in other}.values())
    hashes = np.array([fact.hash for fact in others], np.uint64)
    pairs = []
    for i, fact in enumerate(facts):
        start = i + 1 if others is facts else 0
        found = np.flatnonzero(distances(np.uint64(fact.hash), hashes[start:]) <= limit)
        candidates = (others[start + int(j)] for j in found)
        match = next((c for c in candidates if c.digest != fact.digest), None)
        if match is not None:
            pairs.append((fact, match))
    return pairs


def some(things: Sequence[object], *, shown: int = 3) -> str:
    """Return "(4): a.png, b.png, c.png, ...": how many things there are, and the first of them."""
    return f"({len(things)}): {', '.join(map(str, things[:shown]))}{', ...' if len(things) > shown else ''}"


def plural(count: int, noun: str) -> str:
    """Return "1 picture" or "2 pictures"."""
    return f"{count} {noun}{'s' * (count != 1)}"
