"""Where styles are found: embedded ones, those in the user's folder, and files by their path."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.home import expand_user, user_folder
from sakuga.style.file import EMBEDDED, Style, read

DEFAULT = "anime"


def load(name: str | Path) -> Style:
    """Return the style called `name`: an embedded one, one in the user's folder, or the file at that path.

    Raises UsageError when there is none, SakugaError when the file is not a style.
    """
    if isinstance(name, str):
        for path in _files():
            if path.stem == name:
                return read(path)
    path = Path(name)
    if path.suffix == ".onnx" or path.is_file() or (len(path.parts) > 1 and not path.exists()):
        return read(path)
    from difflib import get_close_matches

    known = sorted(names())
    near = get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known) or '(none is installed)'}"
    raise UsageError(f"there is no style {str(name)!r}: {hint}")


def embedded(name: str) -> Style:
    """Return the style of that name that came with the package. Raises SakugaError when there is none."""
    if name not in (known := sorted(path.stem for path in EMBEDDED.glob("*.onnx"))):
        raise SakugaError(f"no style called {name} came with this version, only {', '.join(known)}")
    return read(EMBEDDED / f"{name}.onnx")


def styles() -> list[Style]:
    """Return the embedded styles, then those in the user's folder; files there that cannot be read are left out."""
    return [style for style in survey() if isinstance(style, Style)]


def survey() -> Iterator[Style | SakugaError]:
    """Yield every style as `styles` does, and for each file, or the folder, that cannot be read why it cannot."""
    with suppress(FileNotFoundError, NotADirectoryError):
        try:
            os.scandir(folder()).close()
        except PermissionError as error:
            yield SakugaError(f"{folder()} cannot be read ({error.strerror}): check whose it is")
    for path in _files():
        try:
            yield read(path)
        except SakugaError as error:
            yield error


def names() -> set[str]:
    """Return the names of all styles, without opening a file."""
    return {path.stem for path in _files()}


def folder() -> Path:
    """Return the user's folder of styles: `$SAKUGA_STYLES`, or the place for data of this platform."""
    if chosen := os.environ.get("SAKUGA_STYLES"):
        return expand_user(chosen)
    return user_folder("data") / "styles"


def _files() -> list[Path]:
    """Return embedded files before the user's; of two with one name the first counts."""
    found: dict[str, Path] = {}
    for home in (EMBEDDED, folder()):
        with suppress(PermissionError):  # another user's, as where HOME is still theirs
            for path in sorted(home.glob("*.onnx")):
                found.setdefault(path.stem, path)
    return list(found.values())
