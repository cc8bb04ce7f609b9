"""Painting: the newest picture, for every viewer; the rate; failures."""

import itertools
import threading
import time
from types import SimpleNamespace

import numpy as np

from sakuga.errors import SakugaError
from sakuga.stylizer import Stylizer
from sakuga.webcam.live import Live


class Painter(Stylizer):
    """Adds 1, when it may."""

    def __init__(self, may=None):
        self.style = SimpleNamespace(name="one")
        self.may = may

    def tracker(self):
        return None

    def array(self, rgb, faces=None):
        if self.may:
            assert self.may.acquire(timeout=10)
        return rgb + np.uint8(1)


def plain(value):
    return np.full((8, 8, 3), value, np.uint8)


def endless():
    while True:
        time.sleep(0.001)
        yield 7


def test_the_newest_picture_is_stylised_and_older_ones_are_dropped():
    may, read = threading.Semaphore(0), threading.Event()

    def pictures():
        yield 0
        while live._frame is not None:  # the worker has taken 0
            time.sleep(0.001)
        yield from range(1, 101)
        read.set()
        live.ended.wait(10)

    live = Live(Painter(may), plain)
    with live.running(pictures()):
        assert read.wait(10)
        may.release()
        first = live.after(0, 10)
        may.release()
        second = live.after(first.number, 10)
        assert live.after(second.number, 0.01) is None
    assert (first.before[0, 0, 0], first.after[0, 0, 0]) == (0, 1)
    assert (second.before[0, 0, 0], second.after[0, 0, 0]) == (100, 101)
    assert (first.number, second.number) == (1, 2)
    assert live.error is None


def test_every_viewer_sees_each_picture():
    may = threading.Semaphore(0)
    live = Live(Painter(may), plain)
    seen = [[] for _ in range(5)]

    def look(into):
        number = 0
        while shot := live.after(number, 10):
            into.append(shot)
            number = shot.number

    viewers = [threading.Thread(target=look, args=(one,)) for one in seen]
    with live.running(endless()):
        for viewer in viewers:
            viewer.start()
        for number in range(1, 4):
            may.release()
            assert live.after(number - 1, 10).number == number
            while any(len(one) < number for one in seen):
                time.sleep(0.001)
        may.release(10)
    for viewer in viewers:
        viewer.join(10)
    assert all(one[:3] == seen[0][:3] for one in seen)


def test_the_rate_is_that_of_stylised_pictures(monkeypatch):
    now = itertools.count(step=0.25)
    monkeypatch.setattr("sakuga.webcam.live.time", SimpleNamespace(monotonic=lambda: next(now)))
    live = Live(Painter(), plain)
    rates = [live._rate() for _ in range(20)]
    assert rates[0] == 0
    assert rates[1:] == [4.0] * 19  # four in a second, from the second one on
    assert len(live._times) == 9  # those of the last 2 s


def test_whoever_fails_ends_both():
    def pictures():
        yield 1
        raise SakugaError("camera 0 gives no more pictures")

    live = Live(Painter(), plain)
    before = threading.active_count()
    with live.running(pictures()):
        assert live.ended.wait(10)
        assert live.after(0, 10) is None
    assert str(live.error) == "camera 0 gives no more pictures"
    live = Live(Painter(), lambda frame: 1 / 0)
    with live.running(endless()):
        assert live.ended.wait(10)
    assert str(live.error) == "unexpected ZeroDivisionError: division by zero"
    assert threading.active_count() == before
