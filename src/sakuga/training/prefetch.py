"""The next batch is made while a step runs."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(make: Callable[[int], T], steps: Iterable[int]) -> Generator[T, None, None]:
    """Yield make(step) for every step in order; one background thread works on the next while the caller uses one.

    An error of `make` is raised where its result would have been yielded. Close the iterator to stop the thread.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="batch") as thread:
        coming: Future[T] | None = None
        for step in steps:
            following = thread.submit(make, step)
            if coming is not None:
                yield coming.result()
            coming = following
        if coming is not None:
            yield coming.result()
