"""The next batches are made while a step runs."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetch(make: Callable[[int], T], steps: Iterable[int], *, threads: int = 1) -> Generator[T, None, None]:
    """Yield make(step) for every step in order; while the caller uses one, each thread works on one of the next.

    An error of `make` is raised where its result would have been yielded. Close the iterator to stop the threads.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="batch") as pool:
        coming: deque[Future[T]] = deque()
        try:
            for step in steps:
                coming.append(pool.submit(make, step))
                if len(coming) > threads:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()
