"""ONNX Runtime sessions as styles need them: on the GPU if there is one, quiet, and without copies of memory."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakuga.errors import SakugaError
from sakuga.runtime.memory import ran_out
from sakuga.runtime.signals import interruptible
from sakuga.style.providers import providers

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from sakuga.picture.pixels import Array


def open_session(
    path: Path,
    threads: int,
    *,
    optimize: bool,
    model: bytes | None = None,
    initializers: "Mapping[str, Array] | None" = None,
) -> "InferenceSession":
    """Open the ONNX file at `path`, or `model`, which it holds, with other values in some of its initializers."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    values = {name: ort.OrtValue.ortvalue_from_numpy(value) for name, value in (initializers or {}).items()}
    for name, value in values.items():
        options.add_initializer(name, value)
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it saves no time and takes half as much memory again, or twice as much
    # What matters is raised; its log lines would stand between ours. Its allocator writes to the default log.
    options.log_severity_level = 4
    ort.set_default_logger_severity(4)
    if not optimize:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    cpu = ["CPUExecutionProvider"]
    on_gpu = [providers()] if optimize and model is None and providers() != cpu else []
    for on in [*on_gpu, cpu]:
        try:
            # Its own way back to the processor (enable_fallback) prints a banner.
            opened = (path if is_text(str(path)) else path.read_bytes()) if model is None else model
            session = _session_class()(opened, options, providers=on, enable_fallback=0)
            session.initializers = values  # which it uses where they are, so they must live as long
            return session
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            if ran_out(error):
                raise SakugaError(f"there is too little memory to load {path}: close other programs") from error
    raise SakugaError(f"{path} is no style: ONNX Runtime cannot read it as an ONNX file")


def is_text(name: str) -> bool:
    """Whether a name is UTF-8, as ONNX Runtime wants its paths; a file's may be any bytes."""
    return not any("\ud800" <= c <= "\udfff" for c in name)


class _Runs:
    """The runs of all sessions that are going on."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.options: set[Any] = set()
        self.stopped = False

    def stop(self) -> None:
        """Have ONNX Runtime give up all of them before its next operator, and begin no others."""
        with self.lock:
            self.stopped = True
            for options in self.options:
                options.terminate = True


_RUNS = _Runs()


@contextmanager
def stoppable_runs() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end runs of styles, one that would never end too, with KeyboardInterrupt."""
    try:
        with interruptible(_RUNS.stop):
            yield
    finally:
        _RUNS.stopped = False


@cache
def _session_class() -> Any:
    import onnxruntime as ort

    class Session(ort.InferenceSession):  # type: ignore[misc]
        """A session whose runs `stoppable_runs` can end."""

        def run(self, output_names: Any, input_feed: Any, run_options: Any = None) -> Any:
            options = run_options or ort.RunOptions()
            with _RUNS.lock:
                options.terminate = _RUNS.stopped
                _RUNS.options.add(options)
            try:
                return super().run(output_names, input_feed, options)
            finally:
                with _RUNS.lock:
                    _RUNS.options.discard(options)

    return Session
