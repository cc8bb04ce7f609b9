"""What tests of styles share; and where the real data is."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from made_style import make_style


@pytest.fixture
def style_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that stands for the user's folder of styles, with none embedded."""
    folder = tmp_path / "user-styles"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("SAKUGA_STYLES", str(folder))
    monkeypatch.setattr("sakuga.style.store.EMBEDDED", tmp_path / "no-styles")
    return folder


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
