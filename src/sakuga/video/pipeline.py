"""Three stages that work at the same time: one reads ahead, one works, one writes behind, with little in between."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

AHEAD = 3
"""How many frames may wait before a stage; it bounds the memory, whatever the length of the video."""


class BrokenPipe(Exception):  # noqa: N818 - no error: it only ends a stage
    """The pipe was broken by another stage, which has failed."""


class Pipe(Generic[A]):
    """A bounded queue that has an end and that either side can break."""

    def __init__(self, size: int) -> None:
        self._items: deque[A] = deque()
        self._size = size
        self._ended = self._broken = False
        self._changed = threading.Condition()

    def put(self, item: A) -> None:
        """Wait for room; raises BrokenPipe."""
        with self._changed:
            self._wait(lambda: len(self._items) < self._size)
            self._items.append(item)
            self._changed.notify_all()

    def __iter__(self) -> Iterator[A]:
        while True:
            with self._changed:
                self._wait(lambda: bool(self._items) or self._ended)
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def end(self) -> None:
        """Say that nothing comes any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def break_(self) -> None:
        """Wake everybody up with BrokenPipe."""
        with self._changed:
            self._broken = True
            self._items.clear()
            self._changed.notify_all()

    def _wait(self, ready: Callable[[], bool]) -> None:
        while not (self._broken or ready()):
            self._changed.wait(0.5)  # not for ever: on Windows Ctrl-C does not end a wait
        if self._broken:
            raise BrokenPipe


def run(
    read: Generator[A, None, None],
    work: Callable[[A], B],
    write: Callable[[Iterable[B]], None],
    *,
    ahead: int = AHEAD,
) -> None:
    """Give what `read` yields to `work` and its results, in order, to `write`, each stage in a thread of its own.

    `work` runs in the calling thread; `ahead` items may wait for it. When any stage raises, KeyboardInterrupt included,
    the others end, and what was raised first is raised here once no thread is left.
    """
    before, after = Pipe[A](ahead), Pipe[B](AHEAD)
    causes: list[BaseException] = []

    def stage(body: Callable[[], None]) -> None:
        try:
            body()
        except BrokenPipe:
            pass
        except BaseException as error:
            causes.append(error)
            before.break_()
            after.break_()

    def reading() -> None:
        with closing(read):
            for item in read:
                before.put(item)
        before.end()

    def working() -> None:
        for item in before:
            after.put(work(item))
        after.end()
        wait(others)  # here, so that Ctrl-C ends them too

    with ThreadPoolExecutor(2, "sakuga-video") as pool:
        others: list[Future[None]] = [pool.submit(stage, reading), pool.submit(stage, lambda: write(after))]
        stage(working)
    if causes:
        raise causes[0]
