"""The machines of a Ray cluster: reached, counted, and asked before the work whether they can do it."""

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sakuga import __version__
from sakuga.cluster.head import check_head, refused, unbegun
from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.atomic import temporary_name
from sakuga.runtime.parallel import cores
from sakuga.runtime.urls import Url

LOCAL = "local"
"""The address that stands for this machine alone."""
_PATIENCE_S = 120
"""How long a machine may take to answer a question."""


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield Ray, connected to the head at an address (HOST:PORT, ray://HOST:PORT, auto), or begun on this machine.

    What was begun ends with it. Raises UsageError without Ray, SakugaError where no head of its version answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no statistics leave this machine
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # Ray's own lines would stand between ours
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UsageError(f'--cluster needs {error.name}: pip install "sakuga[cluster]"') from None
    if ray.is_initialized():  # by a program that uses sakuga.cluster
        yield ray
        return
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": True}
    if address == LOCAL:
        os.environ.setdefault("RAY_worker_register_timeout_seconds", "600")  # a busy machine needs more than a minute
        options |= {"address": "local", "num_cpus": cores(), "include_dashboard": False}
    try:
        with _silence(), _handlers_kept():
            if address != LOCAL:
                options["address"] = check_head(address)
            ray.init(**options)
    except SakugaError:
        raise
    except Exception as error:  # of Ray, gRPC or the system
        raise (unbegun(error) if address == LOCAL else refused(address)) from error
    try:
        _quiet(ray)
        yield ray
    finally:
        ray.shutdown()


def cpus(ray: Any) -> list[int]:
    """How many processors each machine has that is there, those that have some."""
    found = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    return [count for count in found if count]


def check_nodes(
    ray: Any,
    folders: Sequence[Path],
    *,
    inputs: Iterable[Path] = (),
    needs: Sequence[str] = (),
    faces: bool = False,
) -> None:
    """Ask every machine whether its sakuga and Python are those of here, and whether it reaches what it is to write.

    `folders`: of results; a local one must be the same everywhere. `inputs`: folders that are read. `needs`: packages
    that it must have. `faces`: whether it must be able to find faces. Raises SakugaError in a sentence for the first
    that is not fit.
    """
    there = [os.path.abspath(one) for one in inputs if not isinstance(one, Url) and one.is_dir()]
    marks = [_mark(folder) for folder in folders if not isinstance(folder, Url)]
    urls = [folder for folder in folders if isinstance(folder, Url)]

    def ask(urls: list[str], marks: list[str], there: list[str], needs: list[str], faces: bool) -> str:
        """What is wrong with the machine that runs this, which may lack sakuga; empty: nothing."""
        import os
        import sys
        from importlib.util import find_spec

        try:
            from sakuga import __version__
            from sakuga.errors import SakugaError
            from sakuga.faces.weights import missing
            from sakuga.runtime.urls import Url, check_writable
        except ImportError as error:
            return f"has no sakuga ({error}): install it there"
        for path in [*there, *marks]:
            if not os.path.exists(path):
                folder = os.path.dirname(path) if path in marks else path
                return f"does not see {folder}: name a folder that all machines share, or an address"
        for name in needs:
            if find_spec(name) is None:
                return f'has no {name}: pip install "sakuga[cluster,train]" there'
        try:
            for url in urls:
                check_writable(Url(url))
        except SakugaError as error:
            return f"cannot write: {error}"
        if faces and (sentence := missing()):
            return f"cannot find faces: {sentence}"
        return "/".join((__version__, ".".join(map(str, sys.version_info[:2]))))

    here = "/".join((__version__, ".".join(map(str, sys.version_info[:2]))))
    try:
        for node in ray.nodes():
            if not node["Alive"] or not node["Resources"].get("CPU"):
                continue
            place = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            name = f"machine {node['NodeManagerAddress']}"
            task = ray.remote(ask).options(num_cpus=0, scheduling_strategy=place, max_retries=1)
            try:
                asked = task.remote([str(url) for url in urls], marks, there, [*needs], faces)
                answer = ray.get(asked, timeout=_PATIENCE_S)
            except Exception as error:
                raise SakugaError(f"{name} does not answer ({type(error).__name__}): restart its Ray") from error
            if "/" in answer and " " not in answer:
                if answer != here:
                    theirs = "sakuga {} with Python {}".format(*answer.split("/"))
                    ours = "sakuga {} with Python {}".format(*here.split("/"))
                    raise SakugaError(f"{name} has {theirs}, and here is {ours}: install the same everywhere")
            else:
                raise SakugaError(f"{name} {answer}")
    finally:
        for mark in marks:
            Path(mark).unlink(missing_ok=True)


def _mark(folder: Path) -> str:
    """Make a folder of results and a file in it that other machines can look for."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark = temporary_name(folder.absolute() / "mark")
        mark.touch()
    except OSError as error:
        raise SakugaError(f"{folder} cannot be written ({error.strerror}): choose another folder") from error
    return str(mark)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep from standard error what libraries write to it past Python."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Keep what SIGTERM does here from libraries that have ways of their own."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _quiet(ray: Any) -> None:
    """Let Ray Data's own reports go to its log files alone: ours say what a person needs."""
    import logging

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    ray._private.worker._worker_logs_enabled = False  # what Ray says of dead processes goes to standard output
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
