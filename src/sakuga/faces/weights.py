"""The networks that find faces: where their files are kept, and what runs them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from threading import Lock
from typing import Any

import numpy as np

from sakuga.errors import UsageError
from sakuga.picture.pixels import Array
from sakuga.runtime.home import cache_folder

DETECTOR, MESH = "face_detection_back.tflite", "face_landmark.tflite"
ASK = "name the whole picture as the face (--set frame=whole)"


class Network:
    """A network of TensorFlow Lite that maps one (1, H, W, 3) float32 to several arrays. Threads may share it.

    Raises UsageError, with what to do, where the file or the package that runs it is missing.
    """

    def __init__(self, name: str) -> None:
        path = cache_folder() / name
        if sentence := missing():
            raise UsageError(f"{sentence}, or {ASK}")
        from ai_edge_litert.interpreter import Interpreter

        try:
            with _silence():
                self._interpreter: Any = Interpreter(model_path=str(path), num_threads=1)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise UsageError(f"{path} is damaged ({error}): sakuga download faces") from None
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [one["index"] for one in self._interpreter.get_output_details()]
        self._lock = Lock()

    def __call__(self, values: Array) -> list[Array]:
        """Run it."""
        with self._lock:
            self._interpreter.set_tensor(self._input, values.astype(np.float32))
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index) for index in self._outputs]


def missing() -> str | None:
    """What has to be done before faces can be found, as a sentence; None: nothing."""
    if not find_spec("ai_edge_litert"):
        return 'faces are found with the extra faces: pip install "sakuga[faces]"'
    if not all((cache_folder() / name).is_file() for name in (DETECTOR, MESH)):
        return "faces are found with networks that are not here yet: sakuga download faces"
    return None


@contextmanager
def _silence() -> Iterator[None]:
    """Keep from standard error the line by which the library says what it computes with; nothing else stops it."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@cache
def network(name: str) -> Network:
    """Return a network by the name of its file, opened once."""
    return Network(name)
