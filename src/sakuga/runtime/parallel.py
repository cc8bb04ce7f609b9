"""Work on several things at once in threads: results in order, memory bounded, Ctrl-C at once."""

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    work: Callable[[Item], None],
    items: Iterable[Item],
    *,
    workers: int,
    weight: Callable[[Item], int],
    limit: int,
) -> Generator[tuple[Item, BaseException | None], None, None]:
    """Call `work` for the items in `workers` threads; yield each, in their order, with what it raised.

    An item begins only when its weight and that of all unfinished ones together are at most `limit`, or nothing else
    is going on: one of weight `limit` or more is alone. `items` is read no further ahead than that.

    When the caller ends early (`contextlib.closing`) or is interrupted, nothing more begins, KeyboardInterrupt is
    raised in the threads as Ctrl-C raises it in the main one, and their end is waited for.
    """
    crew = _Crew(work)
    order: deque[tuple[Item, Future[None]]] = deque()
    unfinished: dict[Future[None], int] = {}
    with ThreadPoolExecutor(workers, thread_name_prefix="sakuga") as executor:
        try:
            for item in items:
                heavy = weight(item)
                # One more than there are threads, so that none waits for this loop.
                while unfinished and (len(unfinished) > workers or sum(unfinished.values()) + heavy > limit):
                    _forget_finished(unfinished)
                    yield from _finished(order)
                future = executor.submit(crew, item)
                unfinished[future] = heavy
                order.append((item, future))
            while order:
                _forget_finished(unfinished)
                yield from _finished(order)
        except BaseException:  # of the caller too: GeneratorExit
            executor.shutdown(wait=False, cancel_futures=True)
            crew.interrupt()
            raise


def _forget_finished(unfinished: "dict[Future[None], int]") -> None:
    """Wait until at least one has finished, if any is not."""
    done: set[Future[None]] = set()
    while unfinished and not done:  # a wait without an end would be deaf to Ctrl-C on Windows
        done, _ = wait(unfinished, timeout=0.5, return_when=FIRST_COMPLETED)
    for future in done:
        del unfinished[future]


def _finished(order: "deque[tuple[Item, Future[None]]]") -> Iterator[tuple[Item, BaseException | None]]:
    while order and order[0][1].done():
        item, future = order.popleft()
        yield item, future.exception()


class _Crew:
    """Calls `work` in whatever thread it is called in; `interrupt` raises KeyboardInterrupt in all of them."""

    def __init__(self, work: Callable[..., None]) -> None:
        self.work = work
        self.busy: set[int] = set()
        self.ended = False
        self.lock = threading.Lock()

    def __call__(self, item: object) -> None:
        me = threading.get_ident()
        with self.lock:
            if self.ended:
                raise CancelledError
            self.busy.add(me)
        try:
            self.work(item)
        finally:
            with self.lock:
                self.busy.discard(me)
                _raise_in(me, None)  # one that was sent too late must not hit the executor

    def interrupt(self) -> None:
        with self.lock:
            self.ended = True
            for thread in self.busy:
                _raise_in(thread, KeyboardInterrupt)


def _raise_in(thread: int, exception: type[BaseException] | None) -> None:
    """Raise in a thread at its next step in Python (no later than a tile of a picture); None takes it back."""
    error = None if exception is None else ctypes.py_object(exception)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error)
