"""`sakuga desktop`: "Stylise with sakuga" in the context menu of pictures, videos and folders."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
import tyro
from tyro.conf import Positional

from sakuga.commands.desktop_entries import Files, linux, macos, windows, windows_removal
from sakuga.errors import SakugaError
from sakuga.runtime.atomic import atomic
from sakuga.runtime.console import print_path, say


def main(args: Sequence[str]) -> int:
    """Run `sakuga desktop` with its arguments; the exit status. What menus start is `sakuga desktop run FILES`."""
    if args[:1] == ["run"]:  # any name is that of a file there, also -s.jpg
        return run([Path(name) for name in args[1:]])
    return tyro.cli(desktop, args=list(args), prog="sakuga desktop")


def desktop(action: Annotated[Literal["install", "remove"], Positional], /) -> int:
    """Add "Stylise with sakuga" to the context menu of the file manager, or take it out.

    It is for this user and this installation of sakuga; install it again after that has moved. Linux: Nautilus, Nemo,
    Caja, Dolphin, PCManFM, and Thunar under Open With. Windows: Explorer. macOS: the Quick Actions of Finder.

    Args:
        action: Whether to add it or to take it out.
    """
    command = [_python(), "-P", "-m", "sakuga", "desktop", "run"]
    if sys.platform == "win32":
        _import(windows(command) if action == "install" else windows_removal())
        return 0
    if sys.platform == "darwin":
        known, tops = macos(command, Path.home()), {Path.home() / "Library"}
        wanted = known
    else:
        data, config = platformdirs.user_data_path(), platformdirs.user_config_path()
        managers, tops = linux(command, data, config), {data, config}
        known = {path: text for files_of_one in managers.values() for path, text in files_of_one.items()}
        here = [files_of_one for program, files_of_one in managers.items() if shutil.which(program)]
        wanted = {path: text for files_of_one in here for path, text in files_of_one.items()}
        if not wanted and action == "install":
            raise SakugaError(f"there is no file manager that sakuga knows: install one of {', '.join(managers)}")
    changed = _install(wanted) if action == "install" else _remove(known, tops)
    for path in changed:
        print_path(path)
    if not changed:
        say("it is installed already" if action == "install" else "it is not installed")
    elif action == "remove":
        say("removed")
    return 0


def _python() -> str:
    """This Python, on Windows without a console."""
    python = Path(sys.executable)
    quiet = python.with_name("pythonw.exe")
    return str(quiet if quiet.is_file() else python)


def _install(files: Files) -> list[Path]:
    """Write those that are not there as they should be; all or none, as far as that can be had."""
    new = {path: text for path, text in files.items() if not path.is_file() or path.read_bytes() != text}
    before = {path: path.is_file() for path in new}
    try:
        for path, text in new.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic(path, overwrite=True) as temporary:
                temporary.write_bytes(text)
                temporary.chmod(0o755)
    except (OSError, SakugaError) as error:
        for path in new:
            with suppress(OSError):  # one was not written, or its folder is none
                if not before[path]:
                    path.unlink()
        if isinstance(error, SakugaError):
            raise
        raise SakugaError(f"{path} cannot be written ({error.strerror}): see who owns the folders above it") from None
    return list(new)


def _remove(files: Files, tops: set[Path]) -> list[Path]:
    """Remove the files and what folders they leave empty, up to those of the system."""
    found = [path for path in files if path.is_file()]
    for path in found:
        path.unlink()
        for folder in path.parents:
            if folder in tops:
                break
            with suppress(OSError):  # it holds something else
                folder.rmdir()
                continue
            break
    return found


def _import(text: str) -> None:
    """Have Windows take entries into the registry."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sakuga.reg"
        path.write_bytes(text.encode("utf-16"))
        done = subprocess.run(["reg", "import", str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SakugaError(f"the registry does not take the entries: {done.stderr.strip()}")


def run(files: Sequence[Path]) -> int:
    """Stylise as the menu asks, where nobody reads standard output or error; the exit status."""
    if not files:  # of Nautilus when they lie on other machines; or nothing was chosen
        _show("Choose pictures, videos or folders of this machine, and then sakuga.", failed=True)
        return 1
    command = [sys.executable, "-P", "-m", "sakuga", "stylize", *(str(path.absolute()) for path in files)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    names = [Path(line).name for line in done.stdout.splitlines()]
    status = done.returncode
    sentences = [line.removeprefix("sakuga: ") for line in done.stderr.splitlines()] if status else []
    more = [f"and {len(names) - 3} more"] if len(names) > 3 else []
    _show("\n".join([*sentences[:5], *names[:3], *more]), failed=bool(status))
    return status


def _show(text: str, *, failed: bool) -> None:
    """Tell it where a person looks who has clicked; on Windows only failures, which a window must be closed for."""
    if sys.platform == "win32":
        import ctypes

        if failed:
            ctypes.windll.user32.MessageBoxW(None, text, "sakuga", 0x10)
    elif sys.platform == "darwin":
        script = 'on run {text}\ndisplay notification text with title "sakuga"\nend run'
        subprocess.run(["osascript", "-e", script, text], capture_output=True, check=False)
    elif notify := shutil.which("notify-send"):
        icon = "dialog-error" if failed else "applications-graphics"
        subprocess.run([notify, "-a", "sakuga", "-i", icon, "--", "sakuga", text], capture_output=True, check=False)
    elif failed:
        say(text)
