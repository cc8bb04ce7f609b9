"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from sakuga.errors import ExistsError, SakugaError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_HELD = (5, 32)
"""What Windows calls it when somebody else has a file open: ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION."""
_TEMPORARY = re.compile(r"\.sakuga-[0-9a-f]{12}(\..*)?")


@contextmanager
def atomic(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary path beside `target`, with its suffix, that becomes `target` at the end or vanishes on any failure.

    What killed runs left in that folder is removed when this process first writes there.

    Raises ExistsError when `target` exists (unless `overwrite`), SakugaError when it is no plain file, and for every
    OSError about the file to be written: a missing or read-only folder, a full disk.
    """
    target = Path(target)
    temporary = temporary_name(target) if target.name else target
    try:
        if target.exists() and not target.is_file():  # a folder, or a device such as /dev/null
            raise SakugaError(f"{target} is not a plain file: choose another name for the output")
        if os.path.lexists(target) and not overwrite:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        with _held(temporary):
            _tidy_once(target.absolute().parent)
            try:
                yield temporary
                sync(temporary)
                _publish(temporary, target, overwrite)
                sync(target.parent)
            finally:
                with suppress(OSError):  # after a success it has its new name
                    temporary.unlink()
    except OSError as error:
        if error.filename is not None and Path(os.fsdecode(error.filename)) not in (temporary, target):
            raise  # about another file, which the caller was using meanwhile
        raise (ExistsError if error.errno == errno.EEXIST else SakugaError)(_reason(target, error)) from error


def temporary_name(target: Path) -> Path:
    """A name that nothing has, hidden beside `target` and with its suffix."""
    return target.with_name(f".sakuga-{secrets.token_hex(6)}{target.suffix}")


@contextmanager
def _held(temporary: Path) -> Iterator[None]:
    """Make a file and hold a lock on it, by which others know that it is in use."""
    if fcntl is None:
        temporary.touch(exist_ok=False)
        yield
        return
    while True:
        with temporary.open("xb") as file:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
            if temporary.exists():
                yield
                return
            # Somebody who tidies up met it before it was locked.


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files in a folder that nobody holds a lock on."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _TEMPORARY.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError), open(entry.path, "rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.path.samestat(os.fstat(file.fileno()), os.lstat(entry.path)):  # not one made again meanwhile
                        os.unlink(entry.path)


_tidy_once = cache(remove_leftovers)


def _publish(temporary: Path, target: Path, overwrite: bool) -> None:
    if not overwrite:
        try:  # unlike a rename, a link fails when somebody made the target meanwhile
            return os.link(temporary, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            pass
    rename(temporary, target)


def rename(temporary: Path, target: Path) -> None:
    """Rename over what is there, also where another program holds it for a moment, as Windows' virus scanners do."""
    for wait in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
        try:
            return os.replace(temporary, target)
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _HELD:  # no scanner: it will not be permitted later, either
                raise
            time.sleep(wait)
    os.replace(temporary, target)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; nothing where that cannot be asked for."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def is_full(error: BaseException | None) -> bool:
    """Whether a disk, or what one may have of it, is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _reason(target: Path, error: OSError) -> str:
    if error.errno == errno.EEXIST:
        return exists(target)
    if is_full(error):
        return f"{target} cannot be written, no space is left: free some or choose another folder"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{target} cannot be written, {target.parent} is not an existing folder: create it first"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{target} cannot be written, {target.parent} does not permit it: choose another folder"
    return f"{target} cannot be written ({error.strerror or error}): choose another name or folder"


def exists(path: Path) -> str:
    """The sentence for a file that is in the way."""
    return f"{path} exists already: choose another name or allow overwriting (--overwrite)"


def check_free(path: Path, overwrite: bool) -> None:
    """Raise ExistsError or SakugaError before the work, not after it, when a file is in the way or none can be."""
    if os.path.lexists(path) and not overwrite:
        raise ExistsError(exists(path))
    try:
        path.lstat()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):  # such as a name that is too long
            raise SakugaError(_reason(path, error)) from error
    above = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if path.is_dir() or (above != path and not above.is_dir()):
        raise SakugaError(f"{path} cannot be written: choose another name")
