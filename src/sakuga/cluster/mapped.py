"""One function over many items, on all machines of a cluster."""

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TypeVar

from sakuga.cluster.nodes import check_nodes, connected, cpus
from sakuga.errors import SakugaError

T = TypeVar("T")
R = TypeVar("R")

_MOST = 8
"""Items that a process is handed at once."""
_WAITING = 4
"""Tasks for each processor that are handed out at a time; it bounds what waits in memory."""


def mapped(
    function: Callable[[T], R], items: Sequence[T], address: str, shared: Sequence[Path] = ()
) -> Generator[R, None, None]:
    """Yield `function` of every item, in their order; a task whose process or machine dies is given to another.

    `address`: as `nodes.connected` takes it. `shared`: folders that are written, which all machines must see. The
    machines work in the folder of the same name as this process, so that relative paths mean the same. Raises
    UsageError without Ray, SakugaError for machines that are not fit, and when tasks die again and again.
    """
    if not items:
        return
    with connected(address) as ray:
        check_nodes(ray, shared)
        processors = sum(cpus(ray))
        size = max(1, min(_MOST, len(items) // (4 * processors)))
        task = ray.remote(_each).options(num_cpus=1)
        folder, waiting = os.getcwd(), deque[object]()
        try:
            for begin in range(0, len(items), size):
                waiting.append(task.remote(function, items[begin : begin + size], folder))
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


def _each(function: Callable[[T], R], items: Sequence[T], folder: str) -> list[R]:
    try:
        os.chdir(folder)
    except OSError as error:
        raise SakugaError(f"a machine has no folder {folder}: begin in one that all machines share") from error
    return [function(item) for item in items]
