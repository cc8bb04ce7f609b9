"""What a terminal is shown: sentences, paths, JSON, tables and progress bars, each made here alone.

Names of files and texts of cards come from strangers. Characters in them that steer a terminal or turn the direction
of writing are shown as JSON writes them: \\u001b, \\u202e.
"""

import codecs
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOBase, TextIOWrapper
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

Item = TypeVar("Item")
PIPE_WIDTH = 200
"""Columns of a table in a pipe, which has no width of its own; lines are for programs there."""


def printable(text: object) -> str:
    """Return text as one line that moves nothing else on a terminal: what is not printable is escaped."""
    text = str(text)
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def say(sentence: object) -> None:
    """Print a sentence on standard error, as all that is no result."""
    print(f"sakuga: {printable(sentence)}", file=sys.stderr, flush=True)


def print_path(path: "os.PathLike[str] | str") -> None:
    """Print a result's path on standard output: in a pipe exactly, to a terminal so that it can be shown."""
    print(printable(path) if is_terminal(sys.stdout) else path, flush=True)


def print_json(facts: object) -> None:
    """Print facts as JSON on standard output."""
    print(_printable_lines(json.dumps(facts, indent=2, ensure_ascii=False)))


def _printable_lines(text: object) -> str:
    return "\n".join(map(printable, str(text).split("\n")))


def print_table(
    rows: Iterable[Sequence[object]], header: Sequence[str] = (), *, right: Iterable[int] = (), width: int = PIPE_WIDTH
) -> None:
    """Print a table on standard output; `right` are the columns of figures, `width` is what it has in a pipe."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=None, show_header=bool(header), pad_edge=False)
    for row in rows:
        table.add_row(*map(_printable_lines, row))
    for column in right:
        table.columns[column].justify = "right"
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = width
    console.print(table)


@contextmanager
def progress_bars(shown: bool = True) -> "Iterator[Progress | None]":
    """Yield progress bars on standard error, or None where that is no terminal."""
    if not (shown and is_terminal(sys.stderr)):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft
    from rich.text import Text

    class Rate(ProgressColumn):
        """How many a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.3g}/s" if task.speed else "")

    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), Rate(), TimeLeft()
    # Rich may print our results above its bars when they go to the terminal, but must not swallow them in a pipe.
    redirect = is_terminal(sys.stdout)
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=redirect) as progress:
        yield progress


def track(items: Iterable[Item], title: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items and count them in a progress bar."""
    with progress_bars() as progress:
        yield from progress.track(items, total, description=printable(title)) if progress else items


def counter(progress: "Progress | None", total: int) -> Callable[[], None] | None:
    """Return what counts the files of a folder in a bar of its own."""
    if progress is None:
        return None
    task = progress.add_task("all", total=total)
    return lambda: progress.advance(task)


@contextmanager
def frame_counter(progress: "Progress | None", name: str) -> "Iterator[Callable[[int, int | None], None] | None]":
    """Yield what a video reports its frames to: a bar of its own that appears with the first."""
    if progress is None:
        yield None
        return
    task = progress.add_task(printable(name), total=None, visible=False)
    yield lambda done, total: progress.update(task, completed=done, total=total, visible=True)
    progress.remove_task(task)


def is_terminal(stream: Any) -> bool:
    """Whether a standard stream is a terminal; one that was closed is none."""
    return stream is not None and not stream.closed and stream.isatty()


class Closed(TextIOBase):
    """Standard output or error that whoever started us has closed: what is written to it is lost."""

    encoding = "utf-8"

    def write(self, text: str, /) -> int:
        """Do nothing."""
        return len(text)


def accept_any_name() -> None:
    """Let standard output and error take names that their encoding lacks, or that are no text at all.

    Such a name is written in the bytes that the file system has, or escaped; it may not end the work on other files.
    Where one of them is closed, something stands in for it: Python would print its lines on the other.
    """
    codecs.register_error("sakuga", _unencodable)
    sys.stdout, sys.stderr = sys.stdout or Closed(), sys.stderr or Closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="sakuga")


def _unencodable(error: UnicodeError) -> tuple[str | bytes, int]:
    handler: Literal["surrogateescape", "backslashreplace"]
    for handler in ("surrogateescape", "backslashreplace"):
        try:
            return codecs.lookup_error(handler)(error)
        except UnicodeError:
            continue
    raise error
