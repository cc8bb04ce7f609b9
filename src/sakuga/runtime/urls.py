"""Addresses of shared storage (s3://bucket/folder/a.png) beside paths of files; fsspec reads and writes them."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from sakuga.errors import ExistsError, SakugaError, UsageError
from sakuga.runtime.atomic import exists, rename, temporary_name

WHOLE = frozenset(("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"))
"""Object stores, where a key is seen only when all of its bytes are there: nothing must be renamed at the end."""


class Url(PosixPath):
    """An address as a path: what `pathlib` makes of names holds for it, and whether it is there fsspec is asked.

    `size` is the number of bytes where a listing told it.
    """

    size: int | None = None

    def __str__(self) -> str:
        scheme, _, rest = super().__str__().partition(":/")
        return f"{scheme}://{rest}"

    def __fspath__(self) -> str:
        return str(self)

    def exists(self, **_: Any) -> bool:
        """Whether there is a file or a folder."""
        with _asking(self) as (storage, key):
            return bool(storage.exists(key))

    def is_dir(self, **_: Any) -> bool:
        """Whether it is a folder: keys begin with it and a slash."""
        with _asking(self) as (storage, key):
            return bool(storage.isdir(key))

    def is_file(self, **_: Any) -> bool:
        """Whether it is a file."""
        with _asking(self) as (storage, key):
            return bool(storage.isfile(key))

    def files(self) -> "list[Url]":
        """Every file below, to any depth, in the order of their names."""
        with _asking(self) as (storage, key):
            return _urls(storage, storage.find(key, detail=True))

    def matches(self) -> "list[Url]":
        """The files that this pattern means."""
        with _asking(self) as (storage, key):
            return _urls(storage, dict(storage.glob(key, detail=True)))


def is_url(text: str) -> bool:
    """Whether a text is an address."""
    return re.match(r"[A-Za-z][\w+.-]*://", text) is not None


def path_of(text: str) -> Path:
    """The path that a text means: of a file, also as file:///..., or an address.

    Raises UsageError for an address that would change when it is taken apart into names.
    """
    if not is_url(text):
        return Path(text)
    if text.startswith(("file://", "local://")):
        return Path(unquote(urlsplit(text).path))
    url = Url(text)
    if str(url) != text.rstrip("/") and str(url) != re.sub(":///", "://", text.rstrip("/")):
        raise UsageError(f"{text} has an empty name or a point between two slashes: rename it")
    return url


@contextmanager
def fetched(source: Path) -> Iterator[Path]:
    """The file at an address as a local one of its name, which is removed afterwards; a local one as it is."""
    if not isinstance(source, Url):
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="sakuga-") as folder:
        local = Path(folder) / source.name
        with _asking(source) as (storage, key):
            storage.get_file(key, str(local))
        yield local


@contextmanager
def placed(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """A local path whose file goes to the address `target` at the end, whole or not at all; a local one as it is.

    Raises ExistsError where the address is taken meanwhile (unless `overwrite`), SakugaError where none can be written.
    """
    if not isinstance(target, Url):
        yield target
        return
    with tempfile.TemporaryDirectory(prefix="sakuga-") as folder:
        local = Path(folder) / target.name
        yield local
        put(local, target, overwrite=overwrite)


def put(local: Path, target: Path, *, overwrite: bool) -> None:
    """Copy a local file to a path or an address, where it is seen when it is whole; for errors see `placed`."""
    if not isinstance(target, Url):
        hidden = temporary_name(target)
        shutil.copyfile(local, hidden)
        rename(hidden, target)
        return
    with _asking(target) as (storage, key):
        scheme = str(target).partition("://")[0]
        if scheme in ("s3", "s3a") and not overwrite:  # S3 itself refuses the later one of two
            storage.put_file(str(local), key, mode="create")
            return
        if not overwrite and storage.exists(key):
            raise FileExistsError(key)
        if scheme in WHOLE:
            storage.put_file(str(local), key)
            return
        hidden = storage._parent(key) + "/" + temporary_name(target).name
        storage.makedirs(storage._parent(key), exist_ok=True)
        storage.put_file(str(local), hidden)
        storage.mv(hidden, key)


def check_writable(folder: Url) -> None:
    """Raise SakugaError, before the work, where nothing can be written below an address."""
    probe = folder / temporary_name(folder).name
    with _asking(folder) as (storage, _):
        _, key = _storage(probe)
        storage.pipe_file(key, b"")
        storage.rm_file(key)


def _urls(storage: Any, found: dict[str, dict[str, Any]]) -> list[Url]:
    urls = []
    for name, one in sorted(found.items()):
        if one.get("type") == "file":
            urls.append(Url(storage.unstrip_protocol(name)))
            urls[-1].size = one.get("size")
    return urls


def _storage(url: Url) -> tuple[Any, str]:
    """The file system of an address, and its name there."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UsageError(f'{url} needs fsspec: pip install "sakuga[cluster]"') from None
    try:
        storage, key = url_to_fs(str(url))
    except ImportError as error:
        raise UsageError(f"{url} cannot be reached ({error})") from None
    except ValueError:
        raise UsageError(f"{url} is an address of no kind that is known: s3://, gs://, file:// are some") from None
    return storage, key


@contextmanager
def _asking(url: Url) -> Iterator[tuple[Any, str]]:
    """The file system and the name there; whatever goes wrong is said in a sentence."""
    storage, key = _storage(url)
    try:
        yield storage, key
    except SakugaError:
        raise
    except FileExistsError as error:
        raise ExistsError(exists(url)) from error
    except FileNotFoundError as error:
        raise SakugaError(f"{url} does not exist: check the address") from error
    except PermissionError as error:
        raise SakugaError(f"{url} is not open to you ({_reason(error)}): ask for the right to it") from error
    except Exception as error:  # each storage has errors of its own, which share no class
        raise SakugaError(f"{url} cannot be reached ({_reason(error)}): check the address and the keys") from error


def _reason(error: Exception) -> str:
    return (str(error).partition("\n")[0] or type(error).__name__).rstrip(".")
