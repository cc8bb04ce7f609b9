"""Many inputs: which files they are, what their results are called, and a run over all of them."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import chain, takewhile
from pathlib import Path

import numpy as np

from sakuga.errors import ExistsError, SakugaError, TooLargeError
from sakuga.picture import READABLE_SUFFIXES, SUFFIXES, extension, read_header
from sakuga.runtime.compact import Repeated
from sakuga.runtime.console import print_path
from sakuga.runtime.folder import Found, walk
from sakuga.runtime.home import expand_user
from sakuga.runtime.naming import digests, lengths
from sakuga.runtime.parallel import cores, in_order
from sakuga.runtime.paths import Paths
from sakuga.runtime.urls import Url, path_of
from sakuga.style import names
from sakuga.stylizer.jobs import Job, Jobs, absolute, key_of
from sakuga.video import SUFFIXES as VIDEO_SUFFIXES

SHARE = 16_000_000
"""Pixels for each worker that may be in memory at once, so that a photo of 12 megapixels is no hindrance."""


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what was found beside it: files that are not taken, folders that cannot be read."""

    jobs: Sequence[Job]
    left_out: str = ""
    unreadable: tuple[str, ...] = ()


@dataclass
class Report:
    """What became of the jobs: how many results were written, how many there already; a sentence for each failure."""

    done: int = 0
    skipped: int = 0
    failed: list[str] = field(default_factory=list)


def plan(
    inputs: Sequence[str],
    output: Path | None,
    styles: Sequence[str],
    format: str | None = None,
    *,
    may_be_empty: bool = False,
) -> Plan:
    """Find the files that `inputs` (files, folders, globs) mean and name their results NAME.STYLE.EXT, for each style.

    Results lie beside their inputs, or in the folder `output` with the tree below each input folder mirrored there
    (under that folder's name when there are several inputs). Where names would collide they get longer, always to the
    same ones. In folders and globs only pictures and videos are taken, and no earlier results. Files are not opened,
    except to tell the format of those with an unusual suffix, so a missing one makes a job that will fail.
    Raises SakugaError for a folder or glob that holds no pictures or videos, unless it `may_be_empty`.
    """
    sources, folders, every = Paths(), Repeated[Path](), Found()
    for text in inputs:
        base, root, files = _expand(text, styles, every, may_be_empty=may_be_empty)
        base = base if len(inputs) > 1 else Path()
        places: dict[Path, Path] = {}
        for folder in files.folders:
            if folder not in places:
                below = Path(*folder.parts[len(root.parts) :]) if root is not None else Path()
                places[folder] = folder if output is None else output / base / below
        sources.add(files)
        folders.extend(map(places.__getitem__, files.folders))
    # One file can be named twice (a folder and a picture in it): that is one job.
    keys = digests(f"{absolute(source)}\0{absolute(folder)}" for source, folder in zip(sources, folders, strict=True))
    first = np.sort(np.unique(keys, return_index=True)[1]).tolist()
    if len(first) < len(sources):
        sources, folders = sources.chosen(first), Repeated(folders[i] for i in first)
    jobs = Jobs(sources, folders, Repeated(_ending(source, format) for source in sources), styles)
    for style in styles:

        def key(index: int, length: int, style: str = style) -> str:
            return key_of(type(folders[index])(jobs.target(index, style, length)))

        jobs.lengths.append(lengths(range(len(sources)), key, 2, taken=map(key_of, sources)))
    return Plan(jobs, every.left_out(), tuple(every.unreadable))


def staff(jobs: int | None, pictures: int, threads: int | None = None) -> tuple[int, int]:
    """Return how many pictures to work on at once and with how many threads the network computes each.

    `jobs`, `threads`: as the user wants them; None: as the machine's cores suggest. One thread a picture and a picture
    a core is quickest: nothing waits for anything, and reading and writing overlap the network. (Measured with two
    cores: 14 % less processor time than two threads on one picture, see benchmarks/folders.py.)
    """
    workers = max(1, min(jobs or cores(), pictures))
    return workers, threads or max(1, cores() // workers)


def run(
    jobs: Iterable[Job],
    work: Callable[[Job], None],
    *,
    overwrite: bool = False,
    workers: int = 1,
    progress: Callable[[], None] | None = None,
) -> Report:
    """Do `work` for every job whose target is missing, or for all with `overwrite`; print each result's path.

    `workers` pictures are worked on at once (fewer when they are large) and each video alone; paths and the report are
    in the order of the jobs all the same. `progress` is called after each job. Goes on after failures, which are in
    the report. What another run has made meanwhile is skipped.
    """
    report = Report()

    def missing() -> Iterator[Job]:
        for job in jobs:
            if overwrite or not _exists(job.target):
                yield job
                continue
            report.skipped += 1
            if progress:
                progress()

    limit = workers * SHARE

    def weight(job: Job) -> int:
        return limit if is_video(job.source) else pixels(job.source, limit)

    with closing(in_order(work, missing(), workers=workers, weight=weight, limit=limit)) as outcomes:
        for job, error in outcomes:
            if error is None:
                report.done += 1
                print_path(job.target)
            elif isinstance(error, ExistsError) and not overwrite:
                report.skipped += 1
            elif isinstance(error, SakugaError):
                report.failed.append(str(error))
            elif isinstance(error, Exception):  # a fault of ours in one file must not cost the others
                report.failed.append(f"{job.source}: unexpected {type(error).__name__}: {error}")
            else:
                raise error
            if progress:
                progress()
    return report


def _exists(path: Path) -> bool:
    """Whether a result is there; one whose name is too long, or whose folder cannot be entered, is not."""
    return path.exists() if isinstance(path, Url) else os.path.exists(path)


def is_video(path: Path) -> bool:
    """Whether the suffix is a video's."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def is_file_name(path: Path) -> bool:
    """Whether a name ends as that of a picture or video does."""
    return path.suffix.lower() in READABLE_SUFFIXES | VIDEO_SUFFIXES


def is_many(inputs: Sequence[str]) -> bool:
    """Whether the inputs are more than one file by their form: several, a folder or a glob."""
    return len(inputs) > 1 or any(path_of(text).is_dir() or _is_glob(text) for text in inputs)


def _expand(text: str, styles: Sequence[str], every: Found, *, may_be_empty: bool) -> tuple[Path, Path | None, Paths]:
    """Return the name of the folder that one input is (empty: none), the folder below which its files keep their own
    (None: they keep none), and these files.

    What is not taken, or cannot be read, goes into `every`.
    """
    path, base = path_of(text), Path()
    if isinstance(path, Url):
        if is_file_name(path) and not glob.has_magic(text):  # a million of them are not asked for one by one
            return base, None, Paths([path])
        pattern = _is_glob(text)
        root = _fixed_part(path) if pattern else path
        matches = path.matches() if pattern else path.files()
        base = base if pattern else Path(path.name)
        files = Paths(one for one in matches if is_file_name(one) and not _is_hidden(one, root))
        if not pattern:
            every.others.update(one.suffix.lower() for one in matches if not is_file_name(one))
    elif path.is_dir():
        root, base, found = path, Path(path.resolve().name), walk(path, READABLE_SUFFIXES | VIDEO_SUFFIXES)
        every.others += found.others
        every.unreadable += found.unreadable
        files = found.files
    elif _is_glob(text):
        root = _fixed_part(path)
        every.unreadable += _unreadable(expand_user(path), root)
        names_found = map(Path, glob.iglob(str(expand_user(path)), recursive=True))
        files = Paths(each for each in names_found if is_file_name(each) and each.is_file()).ordered()
    else:
        return base, None, Paths([path])
    endings = tuple(f".{name}" for name in {*names(), *styles})
    stems = enumerate(os.path.splitext(name)[0] for name in files.names)
    files = files.chosen(i for i, stem in stems if not stem.startswith(".") and not stem.endswith(endings))
    if not files and not every.unreadable and not may_be_empty:
        raise SakugaError(f"{text} holds no pictures or videos: check the path")
    return base, root, files


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.parts[len(root.parts) :])


def _is_glob(text: str) -> bool:
    return glob.has_magic(text) and not path_of(text).exists()


def _unreadable(pattern: Path, root: Path) -> list[str]:
    """Return a sentence for each folder that a pattern leads to and that cannot be read: `glob` passes over it."""
    parents = list(takewhile(lambda parent: parent != root, pattern.parents))
    folders = chain([str(root)], *(glob.iglob(str(parent), recursive=True) for parent in reversed(parents)))
    sentences: dict[str, None] = {}
    for folder in folders:
        try:
            with suppress(NotADirectoryError, FileNotFoundError), os.scandir(folder):
                pass
        except OSError as error:
            sentences[f"{Path(folder)} cannot be read ({error.strerror})"] = None
    return list(sentences)


def _fixed_part(pattern: Path) -> Path:
    """Return the folder above the first part of a pattern that has a wildcard."""
    pattern = pattern if isinstance(pattern, Url) else expand_user(pattern)
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return type(pattern)(*parts[:first])


def _ending(source: Path, format: str | None) -> str:
    """Return the suffix of the result of `source`."""
    if is_video(source):
        return ".mp4"
    if format:
        return extension(format)
    if source.suffix.lower() in SUFFIXES:
        return source.suffix
    if source.suffix.lower() in READABLE_SUFFIXES:
        return ".png"
    if isinstance(source, Url):
        return ".png"
    try:
        return extension(read_header(source).format)
    except SakugaError:
        return ".png"


def pixels(source: Path, limit: int) -> int:
    """Return how many pixels its header says a picture has: 1 when it does not say, `limit` when beyond all limits."""
    try:
        _, width, height, frames = read_header(source)
    except TooLargeError:
        return limit
    except SakugaError:  # whatever is wrong with the file: the work will say it
        return 1
    return width * height * frames
