"""How much memory is left, and how its lack shows."""

import ctypes
import platform
import sys
from pathlib import Path

from sakuga.errors import SakugaError

_ARENA_MAX = -8
"""glibc's M_ARENA_MAX."""


def available() -> int:
    """Bytes that this process can still use without swapping: the machine's, or its control group's if fewer."""
    import psutil

    groups = _groups(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    free: list[int] = [psutil.virtual_memory().available, *(n for n in groups if n is not None)]
    return min(free)


def check_address_space(need: int, what: str) -> None:
    """Raise SakugaError where a limit on addresses (`ulimit -v`) leaves fewer bytes than something needs.

    Libraries that run out of them crash, or say something else.
    """
    if sys.platform == "win32":
        return
    import resource

    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    pages = _read(Path("/proc/self/statm")).partition(" ")[0]
    if most == resource.RLIM_INFINITY or not pages:
        return
    left = max(0, most - int(pages) * resource.getpagesize())
    if left < need:
        sizes = f"{left >> 20:,} MiB of memory, and {what} needs about {need >> 20:,}"
        raise SakugaError(f"the limit on this process (ulimit -v) leaves {sizes}: raise it")


def share_arena() -> None:
    """Have all threads of this process take their memory from one place, those that begin later too.

    glibc gives each thread one of its own, and what another frees stays there: with the thirty of Ray a process grows
    as long as it lives.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there was no memory. ONNX Runtime has no class of its own for it."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(
        sign in text
        for sign in (
            "failed to allocate memory",
            "bad_alloc",
            "bad allocation",
            "out of memory",
            "pthread_create failed",
        )
    )


def _groups(own: Path, root: Path) -> list[int | None]:
    """What is left of the limits of the process's group and of those around it (version 2), or of its one (version 1).

    The group's page cache counts as used, but it gives way.
    """
    left = []
    for line in _read(own).splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            folder = root / path.strip("/")
            while folder.is_relative_to(root):
                left.append(_left(folder, "memory.max", "memory.current", "inactive_file"))
                folder = folder.parent
        elif "memory" in controllers.split(","):
            for folder in (root / "memory" / path.strip("/"), root / "memory"):
                names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
                left.append(_left(folder, *names))
    return left


def _left(folder: Path, limit: str, used: str, cache: str) -> int | None:
    most, now = _read(folder / limit).strip(), _read(folder / used).strip()
    if not (most.isdigit() and now.isdigit()):  # "max", or no such file
        return None
    counts = dict(line.split() for line in _read(folder / "memory.stat").splitlines())
    return max(0, int(most) - int(now) + int(counts.get(cache, 0)))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
