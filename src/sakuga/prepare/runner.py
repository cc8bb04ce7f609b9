"""One function over many files: in a pool of processes, with a progress bar, and from where it stopped."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import TypeVar

from sakuga.errors import SakugaError, UsageError
from sakuga.prepare.files import File
from sakuga.prepare.manifest import Manifest, Row
from sakuga.runtime.console import printable, say, track
from sakuga.runtime.parallel import cores
from sakuga.runtime.processes import process_pool

T = TypeVar("T")
R = TypeVar("R")


def work(
    files: Sequence[File],
    function: Callable[[Path, Path], Sequence[Row]],
    out: Path,
    *,
    recipe: str,
    workers: int | None = None,
    cluster: str | None = None,
    overwrite: bool = False,
) -> int:
    """Call `function(source, target)` for every file that the manifest of `out` does not have; print a summary.

    Args:
        files: what `find` returned.
        function: reads the source, writes its results (`save`, or in `atomic(..., overwrite=True)`) and returns a row
            for each, as `Row(str(path))`. `target` is their path without suffix, in a folder that exists. It runs in
            other processes: a function of a module, or `functools.partial` of one. A SakugaError that it raises is a
            failure of this file alone.
        out: the output folder.
        recipe: the step and the options that matter to its results (see `describe`).
        workers: processes; by default one for each core. With 1 everything stays in this process.
        cluster: the address of a Ray cluster whose machines are to do it.
        overwrite: make again what is there.

    Returns:
        The exit status: 1 if a file failed.

    Raises:
        UsageError: the output folder has other contents.
    """
    manifest = Manifest(out, recipe, again=[file.source for file in files] if overwrite else None)
    todo = [file for file in files if file.source not in manifest]
    made: list[Row] = []
    made_by = partial(parallel, title=recipe.split()[0], workers=workers, cluster=cluster, shared=[out])
    for file, result in made_by(partial(_one, function, out), todo):
        rows = [Row("", "failed", str(result))] if isinstance(result, SakugaError) else result
        manifest.add(file.source, rows)
        made += rows
    return summary(out, made, before=len(files) - len(todo))


def _one(function: Callable[[Path, Path], Sequence[Row]], out: Path, file: File) -> Sequence[Row]:
    target = out / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    rows = function(file.source, target)
    return [row._replace(target=Path(row.target).relative_to(out).as_posix() if row.target else "") for row in rows]


def summary(out: Path, rows: Sequence[Row], *, before: int = 0) -> int:
    """Print failures and one line of counts; the exit status, 1 if there are failures."""
    failures = [row.why for row in rows if row.kept == "failed"]
    for sentence in failures:
        say(sentence)
    kept = sum(row.kept == "yes" for row in rows)
    reasons = Counter(row.why.partition(" (")[0] for row in rows if row.kept == "no")
    parts = [f"{kept} kept", f"{sum(reasons.values())} dropped"]
    if reasons:
        parts[1] += f" ({', '.join(f'{count} {why}' for why, count in reasons.most_common())})"
    if before:
        parts.append(f"{before} done before")
    parts.append(f"{len(failures)} failed")
    print(printable(f"{out}: {', '.join(parts)}"), flush=True)
    return 1 if failures else 0


def parallel(
    function: Callable[[T], R],
    items: Sequence[T],
    *,
    title: str,
    workers: int | None = None,
    cluster: str | None = None,
    shared: Sequence[Path] = (),
) -> Iterator[tuple[T, R | SakugaError]]:
    """Yield every item, in their order, with `function` of it, or with the SakugaError it raised; shows progress.

    `function` and what it returns are pickled unless `workers` is 1. `cluster`: the address of a Ray cluster, all of
    whose machines see the folders `shared`, which `function` writes.

    Raises:
        UsageError: `workers` is less than 1, or given with `cluster`; Ray is not installed.
        SakugaError: a process was killed from outside, as happens when memory is short.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: at least 1 is needed")
    if cluster is not None:
        from sakuga.cluster.mapped import mapped

        if workers is not None:
            raise UsageError("--workers is of one machine: leave out --cluster")
        results = mapped(partial(_guarded, function), items, cluster, shared)
        yield from zip(items, track(results, title, len(items)), strict=True)
        return
    workers = min(workers or cores(), len(items))
    if workers <= 1:
        yield from zip(items, track(map(partial(_guarded, function), items), title, len(items)), strict=True)
        return
    pool = process_pool(workers)  # after Ctrl-C they finish what they have in hand
    try:
        chunk = max(1, min(8, len(items) // (4 * workers)))
        made = pool.map(partial(_guarded, function), items, chunksize=chunk)
        yield from zip(items, track(made, title, len(items)), strict=True)
    except BrokenProcessPool as error:
        raise SakugaError(
            "a process was killed, perhaps for lack of memory: run the same command with fewer --workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _guarded(function: Callable[[T], R], item: T) -> R | SakugaError:
    try:
        return function(item)
    except SakugaError as error:
        return SakugaError(str(error))
    except Exception as error:  # a fault of ours in one file must not cost the others
        name = item.source if isinstance(item, File) else item
        return SakugaError(f"{name}: unexpected {type(error).__name__}: {error}")


def describe(step: str, **options: object) -> str:
    """A recipe: the step and its options, `crop size=256 mode=center`; what is None or False is left out."""
    told = (
        f"{key.replace('_', '-')}={value}" for key, value in options.items() if value is not None and value is not False
    )
    return " ".join((step, *told))
