"""More than two thousand broken files, through what users call: written or refused in a sentence, and nothing else."""

import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

if sys.platform != "linux":
    pytest.skip("limits of memory and the peak are Linux's", allow_module_level=True)

import campaign
import mutate
import samples
from runner import run

COUNT = 2000
PEAK = 700  # MiB


def test_two_thousand_mutated_files() -> None:
    """A failure names its input: `python benchmarks/fuzz.py --replay KIND:NUMBER` runs it again."""
    results = list(run(campaign.cases(COUNT)))
    assert len(results) >= COUNT
    failed = [result for result in results if result.outcome == "failed"]
    assert not [f"{result.case.name}: {result.reason[-800:]}" for result in failed]
    assert max(result.mebibytes for result in results) <= PEAK
    # Inputs so broken that nothing reads them, or so little that everything does, would test nothing.
    counts = Counter(result.outcome for result in results)
    assert counts["done"] > 0.2 * len(results)
    assert counts["refused"] > 0.2 * len(results)


def test_a_number_always_makes_the_same_file() -> None:
    for kind in ("png", "other", "style"):
        assert campaign.case(kind, 7).data == campaign.case(kind, 7).data != campaign.case(kind, 8).data
    assert {case.kind for case in campaign.cases(20)} == set(campaign.SHARES)
    assert sum(campaign.SHARES.values()) == 100


@pytest.mark.parametrize("kind", [*campaign.PICTURES, *samples.CLIPS, "style"])
def test_samples_have_parts(tmp_path: Path, kind: str) -> None:
    """The walkers find a format's parts, one behind the other or one in the other."""
    if kind in ("other", "ts"):
        return
    if kind in campaign.PICTURES:
        whole = samples.pictures(kind)
    else:
        whole = samples.styles(tmp_path) if kind == "style" else samples.videos(kind, tmp_path)
    for data in whole:
        found = mutate.parts(data)
        assert found
        assert all(0 <= start < end <= len(data) for start, end in found)


def test_checksums_are_made_to_fit() -> None:
    whole = samples.pictures("png")[0]
    broken = bytearray(whole)
    broken[20] ^= 1
    assert mutate.with_checksums(whole) == whole
    assert mutate.with_checksums(bytes(broken))[29:33] != whole[29:33]  # IHDR's
    assert mutate.truncate(whole, Random(1)) == whole[: len(mutate.truncate(whole, Random(1)))]
