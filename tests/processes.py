"""Real processes that tests start, and two of one training, as torchrun has them.

They are forked from a server that has imported torch and the trainer: an import takes seconds, and each would need its
own.
"""

import multiprocessing
import os
import runpy
import socket
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

SECONDS = 120
"""After which they are ended."""


def start(script: Path, text: str) -> BaseProcess:
    """Begin to run the program `text`, written to `script`, in a process of its own."""
    script.write_text(text)
    return _begin(script)


def torchrun(script: Path, text: str) -> str:
    """As `launch`, by torchrun itself."""
    script.write_text(text)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", str(script)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def launch(script: Path, text: str) -> str:
    """Run the program `text`, written to `script`, in two processes; what both print. They must end well."""
    script.write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": f"{port}"}
    common |= {"GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "none"}
    children = [_begin(script, **common | {"RANK": rank, "LOCAL_RANK": rank}) for rank in ("0", "1")]
    said = [_said(script, rank) for rank in ("0", "1")]
    try:
        for child in children:
            child.join(SECONDS)
    finally:
        for child in children:
            child.kill()
            child.join()
    told = "".join(path.read_text() for path in said)
    assert [child.exitcode for child in children] == [0, 0], told[-2000:]
    return told


def _begin(script: Path, **environment: str) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lightning_fabric", "sakuga.training.trainer"])
    child = context.Process(target=_run, args=(script, environment))
    child.start()
    return child


def _run(script: Path, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    with _said(script, environment.get("RANK", "0")).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    runpy.run_path(str(script), run_name="__main__")


def _said(script: Path, rank: str) -> Path:
    return script.with_suffix(f".{rank}.txt")
