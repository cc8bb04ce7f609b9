"""What several of these tests need."""

import pickle
from contextlib import contextmanager
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from sakuga.cluster import mapped as mapped_module
from sakuga.errors import SakugaError


@pytest.fixture
def make_film():
    """Return what writes a small film of so many frames, 25 a second."""

    def make(path, frames):
        with av.open(str(path), "w") as out:
            pictures = out.add_stream("libx264", rate=25)
            pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
            for number in range(frames):
                frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), number % 256, np.uint8), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                out.mux(pictures.encode(frame))
            out.mux(pictures.encode())

    return make


class Task(Exception):  # noqa: N818 - as Ray calls it
    """Ray's error around one of a task."""

    def __init__(self, cause):
        self.cause = cause


@pytest.fixture
def one_process(monkeypatch):
    """A Ray that does everything in this process, with copies as of another, and notes the tasks."""
    tasks = []

    class Remote:
        def __init__(self, function):
            self.function = function

        def options(self, **_):
            return self

        def remote(self, *args):
            tasks.append(args)
            return self.function, args

    def get(task):
        function, args = task
        try:
            return pickle.loads(pickle.dumps(function(*args)))
        except SakugaError as error:
            raise Task(error) from error

    errors = SimpleNamespace(RayTaskError=Task, RayError=Task)
    ray = SimpleNamespace(remote=Remote, get=get, put=pickle.dumps, exceptions=errors)

    @contextmanager
    def reached(address):
        yield ray

    monkeypatch.setattr(mapped_module, "connected", reached)
    monkeypatch.setattr(mapped_module, "check_nodes", lambda *_, **__: None)
    monkeypatch.setattr(mapped_module, "_fetched", pickle.loads)
    monkeypatch.setattr("sakuga.evaluation.gather.connected", reached)
    monkeypatch.setattr(mapped_module, "cpus", lambda _: [2, 1])
    return tasks
