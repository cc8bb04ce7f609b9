"""Written whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from drawn import (
    RGB8,
)

from sakuga import picture as si
from sakuga.errors import SakugaError
from sakuga.runtime.atomic import atomic


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"before")
    with pytest.raises(SakugaError, match=r"a\.png exists already.*--overwrite"):
        si.write(si.read(RGB8), target)
    assert target.read_bytes() == b"before"
    si.write(si.read(RGB8), target, overwrite=True)
    np.testing.assert_array_equal(si.read(target).frames[0].rgb, RGB8)
    assert names(tmp_path) == ["a.png"]


def test_a_target_made_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    with pytest.raises(SakugaError, match="exists already"), atomic(target) as temporary:  # noqa: PT012
        temporary.write_bytes(b"ours")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["a.mp4"]


def test_atomic_gives_a_name_beside_with_the_suffix_and_ordinary_permissions(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 250 + ".mp4")  # as long as a name may be
    with atomic(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".mp4"
        assert not target.exists()
        temporary.write_bytes(b"film")
    assert target.read_bytes() == b"film"
    (tmp_path / "ordinary").touch()
    assert target.stat().st_mode == (tmp_path / "ordinary").stat().st_mode


@pytest.mark.parametrize("failure", [KeyboardInterrupt, SakugaError, ValueError, SystemExit])
@pytest.mark.parametrize("exists", [False, True])
def test_a_failure_leaves_nothing(tmp_path: Path, failure: type[BaseException], exists: bool) -> None:
    target = tmp_path / "a.png"
    if exists:
        target.write_bytes(b"before")
    with pytest.raises(failure), atomic(target, overwrite=True) as temporary:  # noqa: PT012
        temporary.write_bytes(b"half")
        raise failure("stop")
    assert names(tmp_path) == (["a.png"] if exists else [])
    assert not exists or target.read_bytes() == b"before"


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "no space is left"), (errno.EROFS, "does not permit"), (errno.EIO, "cannot be")],
)
def test_a_write_that_fails_half_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    def write_half(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(SakugaError, match=rf"a\.png.*{message}"):
        si.write(si.read(RGB8), tmp_path / "a.png")
    assert names(tmp_path) == []


def test_encoding_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SakugaError, match="choose PNG"):
        si.write(si.read(np.zeros((1, 70000, 3), np.uint8)), tmp_path / "wide.jpg")
    assert names(tmp_path) == []


def test_folders_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = si.read(RGB8)
    with pytest.raises(SakugaError, match=r"missing is not an existing folder: create it"):
        si.write(picture, tmp_path / "missing" / "a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SakugaError, match="not a plain file"):
        si.write(picture, tmp_path / "folder.png", overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(SakugaError, match="not an existing folder"):
        si.write(picture, tmp_path / "file" / "a.png")

    def denied(path: Path, *args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    for make in ("touch", "open"):  # a test run as root may write anywhere
        monkeypatch.setattr(Path, make, denied)
    with pytest.raises(SakugaError, match=r"a\.png cannot be written.*does not permit"):
        si.write(picture, tmp_path / "a.png")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no /dev/null")
def test_a_device_is_not_replaced() -> None:
    with pytest.raises(SakugaError, match="not a plain file"), atomic(Path("/dev/null"), overwrite=True):
        pass


def test_errors_about_other_files_pass_through_atomic(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "a.png"):
        (tmp_path / "input that is missing").read_bytes()
    assert names(tmp_path) == []


def test_a_result_is_on_the_disk_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file before the rename, the folder after it: a power cut leaves no empty file behind."""
    target, synced, real = tmp_path / "a.png", [], os.fsync

    def fsync(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), target.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with atomic(target) as temporary:
        temporary.write_bytes(b"result")
    assert synced == [(False, False), (True, True)]
