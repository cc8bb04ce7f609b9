"""What commands show: sentences, tables and progress bars, each made here alone."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from sakuga.stylizer.batch import Job


@contextmanager
def progress_bars(wanted: bool = True) -> "Iterator[Progress | None]":
    """Yield progress bars on standard error, or None where that is no terminal."""
    if not (wanted and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    # Rich may print our results above its bars when they go to the terminal, but must not swallow them in a pipe.
    redirect = sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=redirect) as progress:
        yield progress


def counter(progress: "Progress | None", total: int) -> Callable[[], None] | None:
    """Return what counts the files of a folder in a bar of its own."""
    if progress is None:
        return None
    task = progress.add_task("all", total=total)
    return lambda: progress.advance(task)


@contextmanager
def frame_counter(progress: "Progress | None", job: "Job") -> "Iterator[Callable[[int, int | None], None] | None]":
    """Yield what a video reports its frames to: a bar of its own that appears with the first."""
    if progress is None:
        yield None
        return
    task = progress.add_task(job.source.name, total=None, visible=False)
    yield lambda done, total: progress.update(task, completed=done, total=total, visible=True)
    progress.remove_task(task)


def print_table(table: object) -> None:
    """Print one of rich's tables on standard output."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 200  # a pipe has no width; lines are for programs there
    console.print(table)
