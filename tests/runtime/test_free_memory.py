import platform
import subprocess
import sys

import psutil
import pytest

from sakuga.runtime import memory

GIB = 2**30


def group(folder, limit, used, cache):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {cache}\n")


def test_a_group_is_limited_by_those_around_it(tmp_path):
    """3 of 4 GiB used, one of them by cache that gives way: 2 left, though the inner group has no limit."""
    own, root = tmp_path / "cgroup", tmp_path / "fs"
    own.write_text("0::/outer/inner\n")
    group(root / "outer", 4 * GIB, 3 * GIB, GIB)
    group(root / "outer" / "inner", "max", 3 * GIB, GIB)
    assert [n for n in memory._groups(own, root) if n is not None] == [2 * GIB]


def test_groups_of_version_one(tmp_path):
    own, root = tmp_path / "cgroup", tmp_path / "fs"
    own.write_text("11:cpu,cpuacct:/a\n5:memory:/docker/x\n")
    (root / "memory").mkdir(parents=True)
    (root / "memory" / "memory.limit_in_bytes").write_text("1000")
    (root / "memory" / "memory.usage_in_bytes").write_text("400")
    assert [n for n in memory._groups(own, root) if n is not None] == [600]


def test_no_group(tmp_path):
    assert memory._groups(tmp_path / "none", tmp_path) == []


def test_the_tighter_of_machine_and_group(monkeypatch):
    monkeypatch.setattr(memory, "_groups", lambda own, root: [None, 700])
    assert memory.available() == 700


def test_here_it_is_less_than_all_there_is():
    assert 0 < memory.available() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("Failed to allocate memory for requested buffer of size 4096"), True),
        (RuntimeError("Non-zero status code ... std::bad_alloc"), True),
        (RuntimeError("bad allocation"), True),
        (RuntimeError("CUDA failure 2: out of memory"), True),
        (RuntimeError("PosixThread::PosixThread(...) pthread_create failed, error code: 12"), True),  # a thread's stack
        (RuntimeError("Got invalid dimensions for input: image"), False),
    ],
)
def test_errors_that_say_so(error, expected):
    assert memory.ran_out(error) == expected


THREADS = """
import ctypes, sys, threading
from sakuga.runtime.memory import share_arena

if sys.argv[1] == "shared":
    share_arena()
together = threading.Barrier(4)

def work():
    kept = bytearray(5000)
    together.wait()

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc")
def test_threads_share_an_arena():
    def heaps(how):
        command = [sys.executable, "-c", THREADS, how]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.count("<heap nr=")

    assert heaps("shared") == 1 < heaps("own")
