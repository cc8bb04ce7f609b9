"""The signals by which people and machines ask a program to end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def terminating() -> tuple[int, ...]:
    """SIGTERM, and SIGHUP of a terminal that is gone, where there is one and nohup has not switched it off."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None or signal.getsignal(hangup) == signal.SIG_IGN:
        return (signal.SIGTERM,)
    return signal.SIGTERM, hangup


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
