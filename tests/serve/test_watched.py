"""The look at a picture's header ends when its client leaves, and after some seconds."""

import threading
import time
from io import BytesIO
from types import SimpleNamespace

import pytest
from PIL import Image

from sakuga.serve import pictures
from sakuga.serve.errors import RefusedError
from sakuga.serve.limits import Limits
from sakuga.serve.pictures import is_heavy
from sakuga.serve.watched import AbandonedError, Watched


def tiff(pages):
    file = BytesIO()
    first, *others = [Image.new("L", (1, 1))] * pages
    first.save(file, "TIFF", save_all=True, append_images=others)
    file.seek(0)
    return SimpleNamespace(file=file, pictures={})


class Leaving(threading.Event):
    """A client that leaves at the nth look for it."""

    def __init__(self, n):
        super().__init__()
        self.looks, self.n = 0, n

    def is_set(self):
        self.looks += 1
        return self.looks >= self.n


def test_it_ends_when_the_client_leaves():
    staying, leaving = Leaving(10**9), Leaving(100)
    assert not is_heavy(tiff(50), Limits(), staying)
    assert is_heavy(tiff(50), Limits(), leaving)
    assert (staying.looks > 1000, leaving.looks < 110) == (True, True)


def test_it_ends_after_some_seconds(monkeypatch):
    monkeypatch.setattr(pictures, "PROBE_SECONDS", -1)
    with pytest.raises(RefusedError, match="took more than") as refused:  # so that nothing heavier begins
        is_heavy(tiff(2), Limits(), threading.Event())
    assert (refused.value.status, refused.value.code) == (413, "too_large")


def test_what_is_watched_reads_as_before():
    file = Watched(b"abc", threading.Event(), 10)
    assert (file.read(1), file.seek(2), file.read(), file.getvalue()) == (b"a", 2, b"c", b"abc")
    late = Watched(b"abc", threading.Event(), 0)
    time.sleep(0.001)
    try:
        late.read()
    except AbandonedError:
        return
    raise AssertionError("it was read")
