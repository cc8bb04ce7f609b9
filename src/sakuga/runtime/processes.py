"""Work in several processes, and a folder that one process at a time works in."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def process_pool(workers: int) -> ProcessPoolExecutor:
    """Processes that leave it to this one, which a terminal's signals reach as well, to say when they stop.

    They end with it, also where it is killed: else they would wait for more work for ever.
    """
    return ProcessPoolExecutor(workers, initializer=_obey)


def _obey() -> None:
    for name in ("SIGINT", "SIGHUP"):
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


@contextmanager
def alone_in(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a folder, which is made if need be; where another process does, call `waiting` and wait for its end.

    The hold ends with the process, however it ends. Where the system or the disk has no locks of folders nothing is
    held. A folder that was made for it goes again if it stays empty.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = None if fcntl is None else os.open(folder, os.O_RDONLY)
    try:
        if descriptor is not None:
            _lock(descriptor, waiting)
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing leaves it to processes that were begun meanwhile
            os.close(descriptor)
        if made:
            with suppress(OSError):
                folder.rmdir()


def _lock(descriptor: int, waiting: Callable[[], None]) -> None:
    with suppress(OSError):  # a file system without locks
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
