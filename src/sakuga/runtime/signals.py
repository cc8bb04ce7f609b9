"""The signals by which people and machines ask a program to end."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GRACE = 10.0
"""Seconds after a signal in which the program may clean up before it is ended."""


def terminating() -> tuple[int, ...]:
    """SIGTERM, and SIGHUP of a terminal that is gone, where there is one and nohup has not switched it off."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None or signal.getsignal(hangup) == signal.SIG_IGN:
        return (signal.SIGTERM,)
    return signal.SIGTERM, hangup


def heed_as_interrupts() -> None:
    """Make SIGTERM and SIGHUP a KeyboardInterrupt as Ctrl-C is, from now on; nothing outside the main thread."""
    if threading.current_thread() is threading.main_thread():
        for number in terminating():
            signal.signal(number, signal.default_int_handler)


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """Collect Ctrl-C, SIGTERM and SIGHUP instead of breaking off in the middle of something.

    A second Ctrl-C breaks off; schedulers repeat SIGTERM as they like; under nohup, SIGHUP stays ignored. Only the main
    thread may handle signals; elsewhere nothing is changed.
    """
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def note(number: int, _frame: object) -> None:
        if seen and number == signal.SIGINT:
            raise KeyboardInterrupt
        seen.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, *terminating())}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible(stop: Callable[[], None], grace: float = GRACE) -> Iterator[None]:
    """Make SIGTERM and SIGHUP a KeyboardInterrupt as Ctrl-C is, and have `stop` called at once by a thread of its own.

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
    numbers = terminating()

    def watch() -> None:
        while number := woken.recv(1):
            if number[0] in (signal.SIGINT, *numbers):
                stop()
                if not ended.wait(grace):
                    os._exit(128 + number[0])

    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    fd = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, name="sakuga-interrupt", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        waker.close()
        watcher.join()
        woken.close()
