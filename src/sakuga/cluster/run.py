"""A plan carried out by a cluster: blocks of jobs, actors that keep their network, one report."""

import gc
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sakuga.cluster.manifest import Manifest
from sakuga.cluster.nodes import LOCAL, check_nodes, connected, cpus
from sakuga.cluster.parts import blocks, check_jobs, existing, is_divisible, tops, weight
from sakuga.cluster.recipe import Recipe, files
from sakuga.cluster.worker import Order, Outcome, Worker
from sakuga.errors import SakugaError
from sakuga.runtime.console import print_path, say
from sakuga.runtime.memory import share_arena
from sakuga.runtime.urls import Url, check_writable
from sakuga.stylizer import Stylizer
from sakuga.stylizer.batch import SHARE, Report
from sakuga.stylizer.jobs import Job

Block = tuple[Sequence[int], tuple[int, ...]]
"""Places of jobs, and which part of their video is to be made, as Worker takes it; none: all."""
_PARTS = 4
"""Parts of a long video for each machine: the more, the less is lost with one and the more often the file is read."""
_BLOCKS = 100
"""Blocks for each actor that Ray is given at a time: it keeps some 17 kB of each until all of them are done, and then
actors begin anew, which takes seconds.
"""


def run(
    jobs: Sequence[Job],
    stylizers: dict[str, Stylizer],
    address: str = LOCAL,
    *,
    at_once: int | None = None,
    progress: Callable[[], None] | None = None,
    manifest: Manifest | None = None,
    **options: Any,
) -> Report:
    """Carry out jobs on all machines as `sakuga.stylizer.batch.run` does on one; print each result's path when it is
    there.

    `address`: of Ray, as `nodes.connected` takes it. `at_once`: pictures in work at the same time; None: one for each
    processor. `options`: `format`, `overwrite`, `max_pixels` and `video` of `Stylizer.file`. Before the work begins,
    UsageError is raised for jobs that only one machine can do, SakugaError for machines that are not fit for them.
    """
    check_jobs(jobs)
    ledger = _Ledger(jobs, progress, manifest)
    missing = array("I", _missing(ledger, bool(options.get("overwrite"))))
    if not missing:
        return ledger.report
    recipes = {name: Recipe.of(one) for name, one in stylizers.items()}
    order = Order(recipes, checksums=manifest is not None, **options)
    folders = tops(jobs[index].target for index in missing)
    for folder in folders:
        if isinstance(folder, Url):
            check_writable(folder)
    weights = array("I", bytes(4 * len(jobs)))
    for index in missing:
        weights[index] = weight(jobs[index].source)
    light = array("I", (index for index in missing if weights[index] <= SHARE))
    heavy = array("I", (index for index in missing if weights[index] > SHARE))

    def whole(indices: Sequence[int], workers: int) -> Iterator[Block]:
        return ((block, ()) for block in blocks(indices, weights, workers))

    share_arena()
    with connected(address) as ray:
        faces = any(one.look.faces or one.is_for_faces for one in stylizers.values())
        check_nodes(ray, folders, inputs=tops(jobs[index].source for index in missing), faces=faces)
        data = {key: value for one in stylizers.values() for key, value in files(one).items()}
        styles = {sha256: ray.put(file) for sha256, file in data.items()}
        machines = cpus(ray)
        workers = min(at_once or sum(machines), sum(machines))
        # Small pictures one a processor; videos and large ones with all processors of a machine, as on one machine.
        each, most = min(machines), min(len(machines), workers)
        for outcome in _outcomes(ray, jobs, order, styles, whole(light, workers), 1, workers):
            ledger.take(outcome)
        if most > 1:
            long = [index for index in heavy if is_divisible(jobs[index], stylizers, order.video)]
            parts = (((index,), (number, _PARTS * most)) for index in long for number in range(_PARTS * most))
            for _ in _outcomes(ray, jobs, order, styles, parts, each, most):
                pass  # what a part lacks is made, and told, with the whole
        for outcome in _outcomes(ray, jobs, order, styles, whole(heavy, most), each, most):
            ledger.take(outcome)
    return ledger.close(missing)


class _Ledger:
    """What became of the jobs: told as it comes, counted, and written down."""

    def __init__(self, jobs: Sequence[Job], progress: Callable[[], None] | None, manifest: Manifest | None) -> None:
        self.jobs, self.progress, self.manifest = jobs, progress, manifest
        self.report = Report()
        self.failed = dict[int, str]()
        self.known = bytearray(len(jobs))

    def take(self, outcome: Outcome) -> None:
        """Note what became of one job."""
        job = self.jobs[outcome.index]
        self.known[outcome.index] = True
        outcome.sentence, *notes = (_as_named(text, job) for text in (outcome.sentence, *outcome.notes))
        for note in notes:
            say(note)
        if outcome.status == "done":
            self.report.done += 1
            print_path(job.target)
        elif outcome.status == "skipped":
            self.report.skipped += 1
        else:
            self.failed[outcome.index] = outcome.sentence
        if self.manifest:
            self.manifest.add(job, outcome)
        if self.progress:
            self.progress()

    def close(self, indices: Iterable[int]) -> Report:
        """Return the report, with a failure for each job of which nothing was heard."""
        for index in indices:
            if not self.known[index]:
                lost = f"{self.jobs[index].source} was lost by the cluster: run the same command again"
                self.take(Outcome(index, "failed", lost))
        self.report.failed = [self.failed[index] for index in sorted(self.failed)]
        return self.report


def _outcomes(
    ray: Any,
    jobs: Sequence[Job],
    order: Order,
    styles: dict[str, Any],
    parted: Iterator[Block],
    each: int,
    most: int,
) -> Iterator[Outcome]:
    """Have `most` actors of `each` processors work on blocks; yield what became of the jobs, the first ready first.

    `parted`: blocks, each with the part that is to be made of its video, as Worker takes it.
    """
    while some := [*islice(parted, _BLOCKS * most)]:
        plan = _Each(partial(_tables, jobs, some)), order, styles, each, min(most, len(some))
        try:
            for rows in _afar(ray, *plan) if ray.util.client.ray.is_connected() else _rows(*plan):
                for row in rows:
                    yield Outcome(**row)
        except (GeneratorExit, KeyboardInterrupt):
            raise
        except Exception as error:  # of Ray
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            raise SakugaError(f"the cluster gave up ({reason}): the same command goes on from here") from error


def _rows(
    tables: Iterable[Any], order: Order, styles: dict[str, Any], each: int, size: int
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows that come of each block of jobs, the first ready first."""
    import ray.data

    work = ray.data.from_blocks(tables).map_batches(
        Worker,
        batch_size=None,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=size, initial_size=size),
        num_cpus=each,
        fn_constructor_args=(order, styles, each),
    )
    # Not `iter_batches`: without prefetching it leaves a thread behind, and with it tells results late.
    for bundle in work.iter_internal_ref_bundles():
        for block in bundle.block_refs:
            yield ray.get(block).to_pylist()
    del work
    gc.collect()  # a dataset refers to itself, and so keeps what it was given


def _afar(ray: Any, tables: Iterable[Any], *more: Any) -> Iterator[list[dict[str, Any]]]:
    """`_rows` for a program that is connected by ray://, whose client knows tasks and actors alone, not Ray Data."""
    driver = ray.remote(num_cpus=0)(_Driver).remote([*tables], *more)
    while (rows := ray.get(driver.more.remote())) is not None:
        yield rows


class _Driver:
    """What goes through `_rows` in a process of the cluster, a block at a time."""

    def __init__(self, *plan: Any) -> None:
        self.rows = _rows(*plan)

    def more(self) -> list[dict[str, Any]] | None:
        return next(self.rows, None)


def _tables(jobs: Sequence[Job], parted: Sequence[Block]) -> Iterator[Any]:
    """Yield blocks as Ray takes them."""
    import pyarrow as pa

    def text(path: Path) -> str:
        return str(path) if isinstance(path, Url) else os.path.abspath(path)

    for block, part in parted:
        some = [jobs[index] for index in block]
        yield pa.table(
            {
                "index": pa.array(block, pa.int64()),
                "source": [text(job.source) for job in some],
                "target": [text(job.target) for job in some],
                "style": [job.style for job in some],
                "part": pa.array([part] * len(block), pa.list_(pa.int64())),
            }
        )


class _Each:
    """What Ray goes through twice, made anew each time: tables for Ray are not kept here as well.

    `from_arrow` would have their sizes looked up by a task for each, of which Ray keeps 40 kB.
    """

    def __init__(self, make: Callable[[], Iterator[Any]]) -> None:
        self.make = make

    def __iter__(self) -> Iterator[Any]:
        return self.make()


def _missing(ledger: _Ledger, overwrite: bool) -> Iterator[int]:
    """Yield the places of the jobs to do; those whose results exist are skipped."""
    there = set[str]() if overwrite else existing(ledger.jobs)
    for index, job in enumerate(ledger.jobs):
        exists = str(job.target) in there if isinstance(job.target, Url) else job.target.exists()
        if overwrite or not exists:
            yield index
        else:
            ledger.take(Outcome(index, "skipped"))


def _as_named(sentence: str, job: Job) -> str:
    """Name files in a sentence as the user named them."""
    for path in (job.source, job.target):
        if not isinstance(path, Url):
            sentence = sentence.replace(os.path.abspath(path), str(path))
    return sentence
