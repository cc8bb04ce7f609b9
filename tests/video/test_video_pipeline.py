"""The three stages: order, an end for all whichever fails, little in between; several painters."""

import threading
import time

import pytest
from clips import FRAMES, invert, left_over, make

from sakuga.video import VideoOptions, stylize_video
from sakuga.video.pipeline import AHEAD, run


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("sakuga-video")]


def test_order_and_threads():
    written, names = [], set()

    def read():
        for i in range(50):
            names.add(threading.current_thread().name)
            yield i

    def work(i):
        names.add(threading.current_thread().name)
        return i * i

    def write(items):
        names.add(threading.current_thread().name)
        written.extend(items)

    run(read(), work, write)
    assert written == [i * i for i in range(50)]
    assert len(names) == 3
    assert not threads()


def test_a_slow_writer_holds_the_reader_back():
    """Beside AHEAD in each pipe, one item is held by the writer, one by the painter, one by the reader."""
    read_ahead, count = [], [0, 0]

    def read():
        for i in range(30):
            count[0] += 1
            yield i

    def write(items):
        for _ in items:
            count[1] += 1
            time.sleep(0.005)
            read_ahead.append(count[0] - count[1])

    run(read(), lambda i: i, write)
    assert max(read_ahead) <= 2 * AHEAD + 3


class Brush(Exception):  # noqa: N818
    """What goes wrong."""


@pytest.mark.parametrize("error", [Brush, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["read", "work", "write"])
@pytest.mark.parametrize("when", [0, 10, 99])
def test_whichever_fails_all_end(error, where, when):
    closed = []

    def fail(i, stage):
        if (i, stage) == (when, where):
            raise error("half way")

    def read():
        try:
            for i in range(100):
                fail(i, "read")
                yield i
        finally:
            closed.append(True)

    def work(i):
        fail(i, "work")
        return i

    def write(items):
        for i in items:
            fail(i, "write")

    with pytest.raises(error, match="half way"):
        run(read(), work, write)
    assert closed == [True]
    assert not threads()


def test_a_failure_after_everything_is_painted():
    def write(items):
        list(items)
        raise Brush("at the end")

    with pytest.raises(Brush, match="at the end"):
        run((i for i in range(3)), lambda i: i, write)


@pytest.mark.parametrize("options", [VideoOptions(), VideoOptions(stable=True), VideoOptions(fps="60")])
def test_several_painters_make_what_one_makes(tmp_path, options):
    """Every other frame takes longer, so that frames are finished in another order than they are begun."""
    source, calls, together = make(tmp_path / "a.mp4"), [], threading.Barrier(2)

    def paint(rgb):
        calls.append(rgb)
        if len(calls) <= 2:
            together.wait(10)  # breaks unless two are being painted at once
        time.sleep(0.005 * (len(calls) % 2))
        return invert(rgb)

    stylize_video(source, tmp_path / "one.mp4", invert, options=options)
    stylize_video(source, tmp_path / "two.mp4", paint, options=options, workers=2)
    assert len(calls) == FRAMES
    assert (tmp_path / "two.mp4").read_bytes() == (tmp_path / "one.mp4").read_bytes()


def test_one_of_several_painters_fails(tmp_path):
    source, count = make(tmp_path / "a.mp4"), iter(range(FRAMES))

    def paint(rgb):
        if next(count) == 5:
            raise Brush
        return rgb

    with pytest.raises(Brush):
        stylize_video(source, tmp_path / "b.mp4", paint, workers=3)
    assert left_over(tmp_path) == {"a.mp4"}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sakuga")]
