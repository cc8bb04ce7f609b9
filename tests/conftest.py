"""What tests of styles share; and where the real data is."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from made_style import make_style

# A script that starts the suite in the background makes it ignore Ctrl-C, and so would every command that it tries.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):  # and nohup the end of the terminal
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

TOLD = Path(f"/proc/self/task/{os.getpid()}/children").exists()
"""Whether the system itself tells the children of a process."""
SERVANTS = ("resource_tracker", "forkserver", "semaphore_tracker", "run-driver")
"""Helpers that Python and Playwright keep for the whole session, by a word of their command line."""


@pytest.fixture(autouse=True)
def no_child_outlives_its_test() -> Iterator[None]:
    """Fail a test that leaves a process behind, and end that process.

    Those of fixtures with a wider scope were there before, or are children of what was, such as a browser's.
    """
    before = _children()
    yield
    new = []
    for pid in _children() - before:
        with suppress(psutil.NoSuchProcess):
            new.append(psutil.Process(pid))
    left = [child for child in new if not (_is_servant(child) or before.intersection(_ancestors(child)))]
    _, alive = psutil.wait_procs(left, timeout=5)
    names = [_command(child) for child in alive]
    for child in alive:
        child.kill()
    psutil.wait_procs(alive, timeout=5)
    assert not names, f"still running: {names}"


def _children() -> set[int]:
    """The processes below this one; psutil looks at all of the machine for them, which thousands of tests feel."""
    if not TOLD:
        return {child.pid for child in psutil.Process().children(recursive=True)}
    found, ahead = set[int](), [os.getpid()]
    while ahead:
        folder = f"/proc/{ahead.pop()}/task"
        with suppress(OSError):  # it has ended meanwhile
            for thread in os.listdir(folder):
                with suppress(OSError), open(f"{folder}/{thread}/children", encoding="ascii") as file:
                    ahead += (new := set(map(int, file.read().split())))
                    found |= new
    return found


def _command(child: psutil.Process) -> str:
    try:
        return " ".join(child.cmdline())
    except psutil.Error:  # it has ended meanwhile
        return ""


def _ancestors(child: psutil.Process) -> list[int]:
    try:
        return [parent.pid for parent in child.parents()]
    except psutil.Error:
        return []


def _is_servant(child: psutil.Process) -> bool:
    return any(word in _command(child) for word in SERVANTS)


@pytest.fixture
def style_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that stands for the user's folder of styles, with none embedded."""
    folder = tmp_path / "user-styles"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("SAKUGA_STYLES", str(folder))
    for module in ("file", "store"):
        monkeypatch.setattr(f"sakuga.style.{module}.EMBEDDED", tmp_path / "no-styles")
    return folder


@pytest.fixture
def narrow_vgg(monkeypatch: pytest.MonkeyPatch) -> None:
    """VGG has an eighth of its channels, for what is the same with any number: much of the time would be its."""
    monkeypatch.setattr("sakuga.networks.features.WIDTHS", (8, 16, 32, 64, 64))


@pytest.fixture(scope="session")
def made_style(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that makes each kind of style once in a session."""
    folder = tmp_path_factory.mktemp("styles")
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = make_style(folder / f"{kind}.onnx", kind)
        return made[kind]

    return make


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout (or $SAKUGA_SHARED_DATA), which the repository does not hold."""
    folder = Path(os.environ.get("SAKUGA_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is not at {folder}; SAKUGA_SHARED_DATA names another place")
    return folder
