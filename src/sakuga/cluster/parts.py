"""What a plan must be for several machines, and how it is parted among them."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.urls import Url
from sakuga.stylizer import Stylizer
from sakuga.stylizer.batch import SHARE, is_video, pixels
from sakuga.stylizer.jobs import Job
from sakuga.video.options import VideoOptions, is_pattern

MAX_JOBS = 64
"""Jobs of a block, however small: as much as is begun anew when a process is killed."""
_BYTES_A_PIXEL = 0.4
"""About what pictures take in storage, where only their bytes are known: JPEGs of photos."""
_UNKNOWN = 1_000_000
"""Pixels of a picture of which nothing is known."""


def check_jobs(jobs: Iterable[Job]) -> None:
    """Raise UsageError for what only a plan for one machine may hold."""
    for job in jobs:
        for path in (job.source, job.target):
            if isinstance(path, Url) and path.parts[0] == "memory:":
                raise UsageError(f"{path} is in the memory of one process: name storage that all machines reach")
        if isinstance(job.source, Url) and is_pattern(job.source.name) and not is_video(job.source):
            raise UsageError(f"{job.source} stands for several pictures: name their folder")
        if _real(job.source) == _real(job.target):
            raise UsageError(f"{job.target} is input and output: choose another name for the output")


def tops(files: Iterable[Path]) -> list[Path]:
    """The folders of files that lie in no other one of them."""
    folders = {file.parent if isinstance(file, Url) else file.absolute().parent for file in files}
    return sorted(folder for folder in folders if not folders.intersection(folder.parents))


def existing(jobs: Sequence[Job]) -> set[str]:
    """The addresses that are taken in the folders of results: one listing of each, not a question for each result."""
    found = set[str]()
    for folder in tops(job.target for job in jobs if isinstance(job.target, Url)):
        assert isinstance(folder, Url)
        with suppress(SakugaError):  # it does not exist yet, or the check of rights will tell
            found.update(map(str, folder.files()))
    return found


def weight(source: Path) -> int:
    """About how many pixels a job has; more than SHARE: it takes a machine of its own."""
    if is_video(source) or is_pattern(source.name):
        return SHARE + 1
    if isinstance(source, Url):
        return _UNKNOWN if source.size is None else min(SHARE + 1, int(source.size / _BYTES_A_PIXEL))
    return pixels(source, SHARE + 1)


def is_divisible(job: Job, stylizers: Mapping[str, Stylizer], options: VideoOptions) -> bool:
    """Whether several machines can make a video together: a long one in folders that all of them share."""
    if isinstance(job.source, Url) or isinstance(job.target, Url) or stylizers[job.style].tracker():
        return False
    from sakuga.video.part import is_long

    return is_video(job.source) and is_long(job.source, job.target, options)


def blocks(indices: Sequence[int], weights: Sequence[int], workers: int) -> Iterator[Sequence[int]]:
    """Part jobs into blocks of about SHARE pixels, and of so few that every worker has several."""
    most = max(1, min(MAX_JOBS, len(indices) // (4 * max(workers, 1))))
    begin, held = 0, 0
    for end, index in enumerate(indices):
        if begin < end and (end - begin == most or held + weights[index] > SHARE):
            yield indices[begin:end]
            begin, held = end, 0
        held += weights[index]
    if indices:
        yield indices[begin:]


def _real(path: Path) -> str:
    return str(path) if isinstance(path, Url) else os.path.realpath(path)
