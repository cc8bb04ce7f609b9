"""Silence while a picture is read: what matters about its damage is raised, and said once, in our own words."""

from __future__ import annotations

import ctypes
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

from PIL import _imaging

_LOCK = threading.Lock()
_readers = 0
_filters = warnings.catch_warnings()


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore Pillow's warnings until the last of the threads in here has left.

    Python's filters belong to the process, so the first thread changes them and the last one restores them.
    """
    global _readers, _filters
    _mute_libraries()
    with _LOCK:
        if not _readers:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
            warnings.filterwarnings("ignore", module="PIL")
        _readers += 1
    try:
        yield
    finally:
        with _LOCK:
            _readers -= 1
            if not _readers:
                _filters.__exit__(None, None, None)


@cache
def _mute_libraries() -> None:
    """Keep Pillow's log, where nobody asked for it, and libtiff's messages from standard error, for good."""
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    with suppress(AttributeError, OSError):  # a Pillow that has no libtiff, or has it where it cannot be reached
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)
