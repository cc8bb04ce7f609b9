"""What ends a program, and what nohup keeps from doing so."""

import signal

import pytest

from sakuga.runtime.signals import interrupts, terminating

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminals that hang up")


@pytest.fixture(autouse=True)
def handlers():
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_is_gone_ends_it():
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert terminating() == (signal.SIGTERM, signal.SIGHUP)
    with interrupts() as seen:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)
    assert seen == [signal.SIGHUP, signal.SIGTERM]
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_nohup_stays_in_force():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interrupts() as seen:
        signal.raise_signal(signal.SIGHUP)
    assert seen == []
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_a_second_ctrl_c_breaks_off():
    with interrupts() as seen:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert seen == [signal.SIGINT]
