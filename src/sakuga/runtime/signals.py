"""The signals by which a machine asks a program to end."""

import signal


def terminating() -> tuple[int, ...]:
    """SIGTERM, and SIGHUP of a terminal that is gone, where there is one and nohup has not switched it off."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None or signal.getsignal(hangup) == signal.SIG_IGN:
        return (signal.SIGTERM,)
    return signal.SIGTERM, hangup
