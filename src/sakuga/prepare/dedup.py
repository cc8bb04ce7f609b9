"""`sakuga prepare dedup`: of pictures that look alike the largest is kept."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.errors import SakugaError, UsageError
from sakuga.picture import read_header
from sakuga.prepare.files import File, find
from sakuga.prepare.glance import glance
from sakuga.prepare.hashes import distances, phash
from sakuga.prepare.manifest import Manifest, Row
from sakuga.prepare.options import Cluster, Flag, Inputs, Number, Output
from sakuga.prepare.runner import describe, parallel, summary
from sakuga.runtime.atomic import atomic


def dedup(
    inputs: Inputs,
    /,
    *,
    output: Output,
    similar: int = 6,
    link: Flag = False,
    workers: Number = None,
    cluster: Cluster = None,
    overwrite: Flag = False,
) -> int:
    """Leave out pictures that look like another; the largest of those alike is copied to DIR.

    Two pictures are alike if few of the 64 bits of their perceptual hashes (pHash) differ: copies that were scaled,
    compressed or brightened, and frames of a still scene. DIR/manifest.csv says which picture stands for which. When
    pictures are added later, those that were kept stay.

    Args:
        inputs: folders of pictures.
        output: folder of the copies, with the tree of the input below it.
        similar: pictures are alike if at most this many bits differ; 0 finds all but identical ones, above 12 different
            pictures are taken for alike.
        link: make hard links instead of copies where the disk allows it: no space is needed, but a change to one is a
            change to both.
        workers: processes; by default one for each core.
        cluster: work on all machines of the Ray cluster at HOST:PORT, ray://HOST:PORT or auto, or on one begun here.
        overwrite: make again what is there.
    """
    if not 0 <= similar < 64:
        raise UsageError(f"--similar {similar}: name a number of bits from 0 to 63")
    files = find(inputs, output)
    recipe = describe("dedup", similar=similar)
    manifest = Manifest(output, recipe, again=[file.source for file in files] if overwrite else None)
    before = [file for file in files if file.source in manifest]
    known = [file for file in before if manifest.of(file.source)[0].kept == "yes"]
    todo = [file for file in files if file.source not in manifest]
    made: list[Row] = []
    hashed: list[tuple[File, np.uint64, int]] = []
    hashing = partial(parallel, title="dedup", workers=workers, cluster=cluster)
    for file, result in hashing(_hash, [*known, *todo] if todo else []):
        if not isinstance(result, SakugaError):
            hashed.append((file, *result))
        elif file.source not in manifest:
            made.append(Row("", "failed", str(result)))
            manifest.add(file.source, made[-1:])
    # Those kept before come first, then the largest: each stands for the ones after it that are like it.
    hashed.sort(key=lambda found: (found[0].source not in manifest, -found[2]))
    for file, like in _representatives(hashed, similar):
        if file.source in manifest:
            continue
        target = _target(file)
        if like is None:
            _copy(file.source, output / target, link)
            made.append(Row(target.as_posix()))
        else:
            made.append(Row("", "no", f"like another ({_target(like).as_posix()})"))
        manifest.add(file.source, made[-1:])
    return summary(output, made, before=len(before))


def _hash(file: File) -> tuple[np.uint64, int]:
    """Return a picture's hash and its number of pixels."""
    small = glance(file.source, 64)
    _, width, height, _ = read_header(file.source)
    return phash(np.asarray(Image.fromarray(small).convert("L"))), width * height


def _representatives(hashed: Sequence[tuple[File, np.uint64, int]], similar: int) -> Iterator[tuple[File, File | None]]:
    """Yield every picture with the one before it that stands for it, or None if it stands for itself.

    Only those that stand for themselves are compared with, so a long pan is not one picture.
    """
    hashes = np.array([found[1] for found in hashed], np.uint64)
    stands_for = np.full(len(hashed), -1)
    for i in range(len(hashed)):
        if stands_for[i] < 0:
            alike = np.flatnonzero(distances(hashes[i], hashes[i + 1 :]) <= similar) + i + 1
            stands_for[alike[stands_for[alike] < 0]] = i
        yield hashed[i][0], None if stands_for[i] < 0 else hashed[stands_for[i]][0]


def _target(file: File) -> Path:
    return file.name.with_name(file.name.name + file.source.suffix.lower())


def _copy(source: Path, target: Path, link: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic(target, overwrite=True) as temporary:
        if link:
            temporary.unlink()
            with suppress(OSError):  # another disk, or one without links
                return os.link(source.resolve(), temporary)
        shutil.copyfile(source, temporary)
