"""One function over many items, on all machines of a cluster."""

import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sakuga.cluster.nodes import check_nodes, connected, cpus
from sakuga.errors import SakugaError

T = TypeVar("T")
R = TypeVar("R")

_MOST = 8
"""Items that a process is handed at once."""
_MAKING = ("torch",)
"""What every machine must have when this process has loaded it: the function may need it."""
_WAITING = 4
"""Tasks for each processor that are handed out at a time; it bounds what waits in memory."""


def mapped(
    function: Callable[[T], R],
    items: Sequence[T],
    address: str,
    shared: Sequence[Path] = (),
    inputs: Sequence[Path] = (),
) -> Generator[R, None, None]:
    """Yield `function` of every item, in their order; a task whose process or machine dies is given to another.

    `address`: as `nodes.connected` takes it. `shared`: folders that are written, `inputs`: that are read; all
    machines must see both. They work in the folder of the same name as this process, so that relative paths mean the
    same. Raises UsageError without Ray, SakugaError for machines that are not fit, and when tasks die again and again.
    """
    if not items:
        return
    with connected(address) as ray:
        check_nodes(ray, shared, inputs=inputs, needs=[name for name in _MAKING if name in sys.modules])
        processors = sum(cpus(ray))
        size = max(1, min(_MOST, len(items) // (4 * processors)))
        task, kept = ray.remote(_each).options(num_cpus=1), ray.put(function)
        folder, waiting = os.getcwd(), deque[object]()
        try:
            for begin in range(0, len(items), size):
                waiting.append(task.remote([kept], items[begin : begin + size], folder))
                if len(waiting) > _WAITING * processors:
                    yield from ray.get(waiting.popleft())
            while waiting:
                yield from ray.get(waiting.popleft())
        except ray.exceptions.RayTaskError as error:
            raise error.cause if isinstance(error.cause, SakugaError) else error from None
        except ray.exceptions.RayError as error:
            raise SakugaError(
                f"the cluster gave up ({type(error).__name__}): the same command goes on from here"
            ) from error


def _each(kept: list[Any], items: Sequence[T], folder: str) -> list[Any]:
    """Work on some items; `kept`: the function as Ray keeps it, in a list, so that it is not fetched for each task."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise SakugaError(f"a machine has no folder {folder}: begin in one that all machines share") from error
    function = _fetched(*kept)
    return [function(item) for item in items]


@lru_cache(maxsize=1)
def _fetched(kept: Any) -> Callable[[Any], Any]:
    import ray

    function: Callable[[Any], Any] = ray.get(kept)
    return function
