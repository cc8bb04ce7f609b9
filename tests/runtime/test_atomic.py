"""Files written whole or not at all, by several at once."""

import errno
import os
import threading

import pytest

from sakuga.errors import SakugaError
from sakuga.runtime import atomic as module
from sakuga.runtime.atomic import atomic

fcntl = pytest.importorskip("fcntl", reason="leftovers are told by locks")


def test_a_file_that_somebody_tidies_away_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    flock, met = fcntl.flock, []

    def late(file, operation):
        if not met and operation == fcntl.LOCK_EX:
            (path,) = tmp_path.glob(".sakuga-*")
            met.append(path)
            module.remove_leftovers(tmp_path)
        flock(file, operation)

    monkeypatch.setattr(module.fcntl, "flock", late)
    with atomic(tmp_path / "a.png") as temporary:
        assert met == [temporary]
        temporary.write_bytes(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"whole"


def test_threads_that_begin_in_one_folder_leave_one_another_alone(tmp_path):
    wrong = []

    def write(folder, name, barrier):
        barrier.wait()
        try:
            with atomic(folder / name) as temporary:
                temporary.write_bytes(b"whole")
        except Exception as error:
            wrong.append(error)

    for i in range(60):
        folder, barrier = tmp_path / str(i), threading.Barrier(4)
        folder.mkdir()
        threads = [threading.Thread(target=write, args=(folder, f"{n}.png", barrier)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


@pytest.mark.parametrize(("winerror", "times"), [(32, 3), (5, 3), (None, 1)])
def test_a_file_that_a_scanner_holds_for_a_moment_is_replaced(tmp_path, monkeypatch, winerror, times):
    target, replace, asked = tmp_path / "a.txt", os.replace, []
    target.write_text("old")

    def held(*paths):
        asked.append(paths)
        if len(asked) < 3:
            error = PermissionError(errno.EACCES, "in use", str(target))
            error.winerror = winerror
            raise error
        replace(*paths)

    monkeypatch.setattr(os, "replace", held)
    if times == 1:  # as on Linux, where a refusal is one
        with pytest.raises(SakugaError, match="does not permit"), atomic(target, overwrite=True) as path:
            path.write_text("new")
    else:
        with atomic(target, overwrite=True) as path:
            path.write_text("new")
    assert (len(asked), target.read_text()) == (times, "old" if times == 1 else "new")
    assert list(tmp_path.iterdir()) == [target]
