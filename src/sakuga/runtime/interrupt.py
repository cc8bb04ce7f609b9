"""Ctrl-C and SIGTERM, also while the main thread is in a library that does not come back."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GRACE = 10.0
"""Seconds after the signal in which the program may clean up; then it is ended."""


@contextmanager
def interruptible(stop: Callable[[], None], grace: float = GRACE) -> Iterator[None]:
    """Make SIGTERM a KeyboardInterrupt as Ctrl-C is, and have `stop` called at once by a thread of its own.

    Python handles a signal when the main thread runs Python code; `stop` is what makes a library return. Where nothing
    helps, the process ends `grace` seconds after the signal. Outside the main thread nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    import socket  # here: it is not needed for the help

    woken, waker = socket.socketpair()
    waker.setblocking(False)  # the C handler writes the signal's number into it
    ended = threading.Event()

    def watch() -> None:
        while number := woken.recv(1):
            if number[0] in (signal.SIGINT, signal.SIGTERM):
                stop()
                if not ended.wait(grace):
                    os._exit(128 + number[0])

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    fd = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, name="sakuga-interrupt", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(fd)
        signal.signal(signal.SIGTERM, before)
        waker.close()
        watcher.join()
        woken.close()
