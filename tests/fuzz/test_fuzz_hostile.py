"""Files made to hurt, through what users call, in processes that are watched: each ends as it should."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("limits of memory and the peak are Linux's", allow_module_level=True)

import hostile
import hostile_styles
import hostile_videos
import numpy as np
from runner import Case, Result, Worker

from sakuga import Stylizer

PEAK = 700  # MiB: a picture of 16 million pixels, which is the limit here, and the libraries
SUFFIXES = {"png": "png", "jpeg": "jpg", "gif": "gif", "webp": "webp", "tiff": "tif"}
KNOWN = {
    "weights in 'secret.bin'": "ONNX Runtime reads weights from files beside a model; style.read does not refuse them",
}
"""Defects that are reported and not repaired yet."""


@pytest.fixture
def worker():
    with Worker() as one:
        (one.folder / "secret.bin").write_bytes(np.float32(0.5).tobytes())
        yield one


def wrong(worker: Worker, wanted: dict[Case, set[str]]) -> list[str]:
    """Run all and tell which ended otherwise than wanted, or took too much memory."""
    results: list[tuple[set[str], Result]] = [(want, worker.run(case)) for case, want in wanted.items()]
    return [
        f"{result.case.name}: {result.outcome}, not {want}, {result.mebibytes} MiB, {result.reason[-500:]}"
        for want, result in results
        if (result.outcome not in want or result.mebibytes > PEAK) and result.case.seed not in KNOWN
    ]


@pytest.mark.parametrize(("kind", "count"), [("png", 38), ("exif", 42), ("icc", 50), ("jpeg", 16), ("gif", 11)])
def test_hostile_pictures(worker: Worker, kind: str, count: int) -> None:
    made = hostile.KINDS[kind]()
    assert len(made) == count
    suffix = SUFFIXES.get(kind, "bin")
    assert not wrong(worker, {Case(kind, name, suffix, data): want for name, (want, data) in made.items()})


@pytest.mark.parametrize(("kind", "least"), [("webp", 5), ("tiff", 29), ("other", 24)])
def test_hostile_pictures_of_other_kinds(worker: Worker, kind: str, least: int) -> None:
    made = hostile.KINDS[kind]()
    assert len(made) >= least  # AVIF is not in every Pillow
    suffix = SUFFIXES.get(kind, "bin")
    assert not wrong(worker, {Case(kind, name, suffix, data): want for name, (want, data) in made.items()})


@pytest.mark.parametrize("shape", [(1, 65000), (65000, 1)])
def test_the_thinnest_pictures_are_stylised(tmp_path: Path, made_style: Callable[..., Path], shape: tuple) -> None:
    source, target = tmp_path / "thin.png", tmp_path / "painted.png"
    source.write_bytes(hostile.png(*shape))
    Stylizer(made_style("invert"), threads=1).file(source, target)
    from sakuga import picture as image

    (frame,) = image.read(target).frames
    assert frame.rgb.shape == (*shape[::-1], 3)
    assert frame.rgb.min() == 255  # black, inverted


def test_hostile_cards_and_networks(worker: Worker, tmp_path: Path) -> None:
    made = hostile_styles.cards(tmp_path) | hostile_styles.networks(tmp_path)
    assert len(made) >= 60
    assert not wrong(worker, {Case("style", name, "onnx", data): want for name, (want, data) in made.items()})


def test_hostile_videos(worker: Worker, tmp_path: Path) -> None:
    made = hostile_videos.clips(tmp_path)
    assert len(made) == 54
    assert not wrong(worker, {Case("video", n, suffix, data): want for n, (want, suffix, data) in made.items()})
