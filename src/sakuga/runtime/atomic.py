"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sakuga.errors import SakugaError


@contextmanager
def atomic(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary path beside `target`, with its suffix, that becomes `target` at the end or vanishes on any failure.

    Raises SakugaError when `target` exists (unless `overwrite`) or is no plain file, and for every OSError about the
    file to be written: a missing or read-only folder, a full disk.
    """
    target = Path(target)
    temporary = target.with_name(f".sakuga-{secrets.token_hex(6)}{target.suffix}") if target.name else target
    try:
        if target.exists() and not target.is_file():  # a folder, or a device such as /dev/null
            raise SakugaError(f"{target} is not a plain file: choose another name for the output")
        if os.path.lexists(target) and not overwrite:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        temporary.touch(exist_ok=False)
        try:
            yield temporary
            _publish(temporary, target, overwrite)
        finally:
            with suppress(OSError):  # after a success it has its new name
                temporary.unlink()
    except OSError as error:
        if error.filename is not None and Path(os.fsdecode(error.filename)) not in (temporary, target):
            raise  # about another file, which the caller was using meanwhile
        raise SakugaError(_reason(target, error)) from error


def _publish(temporary: Path, target: Path, overwrite: bool) -> None:
    if not overwrite:
        try:  # unlike a rename, a link fails when somebody made the target meanwhile
            return os.link(temporary, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            pass
    os.replace(temporary, target)


def _reason(target: Path, error: OSError) -> str:
    if error.errno == errno.EEXIST:
        return f"{target} exists already: choose another name or allow overwriting (--overwrite)"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{target} cannot be written, no space is left: free some or choose another folder"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{target} cannot be written, {target.parent} is not an existing folder: create it first"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{target} cannot be written, {target.parent} does not permit it: choose another folder"
    return f"{target} cannot be written ({error.strerror or error}): choose another name or folder"


def check_free(path: Path, overwrite: bool) -> None:
    """Raise SakugaError before the work, not after it, when a file is in the way or there can be no such file."""
    if path.exists() and not overwrite:
        raise SakugaError(f"{path} exists already: choose another name or allow overwriting (--overwrite)")
    above = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if path.is_dir() or (above != path and not above.is_dir()):
        raise SakugaError(f"{path} cannot be written: choose another name")
