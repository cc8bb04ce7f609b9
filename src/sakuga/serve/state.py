"""What all requests of one server share, and its temporary folder."""

import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sakuga.serve.jobs import Jobs
from sakuga.serve.limits import Limits
from sakuga.serve.metrics import Metrics
from sakuga.serve.queue import Queue
from sakuga.serve.styles import Styles
from sakuga.serve.workers import Workers

_PREFIX = "sakuga-serve-"
_YOUNG = 60  # seconds: a server that is just starting may not have locked its folder yet


class Folder:
    """A new temporary folder at `path`, locked for as long as the process lives, so that no other server removes it."""

    def __init__(self) -> None:
        _remove_leftovers()
        self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)
        self._lock = _lock(self.path)

    def remove(self) -> None:
        """Remove it with all that is in it."""
        self._folder.cleanup()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@dataclass(frozen=True)
class State:
    """What all requests of one server share."""

    limits: Limits
    styles: Styles
    workers: Workers
    heavy: Workers
    picture_probes: Workers
    video_probes: Workers
    pictures: Queue
    videos: Queue
    jobs: Jobs
    metrics: Metrics
    temporary: Folder

    @property
    def folder(self) -> Path:
        """Where videos lie."""
        return self.temporary.path

    def close(self) -> None:
        """End all work and remove everything on the disk."""
        self.jobs.close()
        for pool in (self.workers, self.heavy, self.picture_probes, self.video_probes):
            pool.close()
        self.temporary.remove()


def _remove_leftovers() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another server has removed it meanwhile
            if time.time() - folder.stat().st_mtime < _YOUNG:
                continue
            lock = _lock(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock; None where somebody else does, or it is somebody else's folder."""
    if sys.platform == "win32":
        return None  # it has no such locks: leftovers stay
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
