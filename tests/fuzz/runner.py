"""Cases through worker processes: one that hangs, dies or grows is replaced, and the case is told as failed."""

import json
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

WORKER = Path(__file__).with_name("worker.py")
MEBIBYTES = 3072  # of address space, about 1 GiB of which is the libraries' and the threads'


@dataclass(frozen=True)
class Case:
    """One input: its kind, the seed or the name that makes it again, the file's suffix and its bytes."""

    kind: str
    seed: int | str
    suffix: str
    data: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """What `benchmarks/fuzz.py --replay` takes."""
        return f"{self.kind}:{self.seed}"


@dataclass(frozen=True)
class Result:
    """What became of a case: done, large, refused or failed, and why; its seconds and the worker's peak memory."""

    case: Case
    outcome: str
    reason: str
    seconds: float
    mebibytes: int = 0


class Worker:
    """A worker process, started anew after each death. Use it as a context."""

    def __init__(self, *, mebibytes: int = MEBIBYTES, seconds: float = 5) -> None:
        self.mebibytes, self.seconds = mebibytes, seconds
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz Ünïcødé 写真 "))
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        shutil.rmtree(self.folder)

    def run(self, case: Case) -> Result:
        """Give a case to the process and wait for what becomes of it."""
        self.process = self.process or self._start()
        assert self.process.stdin
        source, target = self._paths(case)
        began = time.monotonic()
        self.process.stdin.write(json.dumps({"path": str(source), "target": str(target)}) + "\n")
        self.process.stdin.flush()
        answer = self._answer()
        seconds = time.monotonic() - began
        source.unlink()
        if isinstance(answer, str):
            self._end()
            shutil.rmtree(target.parent)
            return Result(case, "failed", answer, seconds)
        return Result(case, answer["outcome"], answer["reason"], seconds, answer["mebibytes"])

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, str(WORKER), str(self.mebibytes)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{WORKER} does not start: run it to see why")
        return process

    def _paths(self, case: Case) -> tuple[Path, Path]:
        results = self.folder / "results"
        results.mkdir(exist_ok=True)
        source = self.folder / f"input.{case.suffix}"
        source.write_bytes(case.data)
        target = results / f"result{_target_suffix(case)}"
        return source, target

    def _answer(self) -> dict | str:
        """The worker's answer, or what happened to it. Time counts as the process's own: the machine may be busy."""
        assert self.process
        assert self.process.stdout
        known = psutil.Process(self.process.pid)
        start, deadline = sum(known.cpu_times()[:2]), time.monotonic() + 12 * self.seconds + 30
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not selector.select(timeout=0.5):
                if time.monotonic() > deadline or sum(known.cpu_times()[:2]) - start > self.seconds:
                    return f"hangs: no answer within {self.seconds} s"
        if line := self.process.stdout.readline():
            return json.loads(line)
        return f"the process died with status {self.process.wait()}"

    def _end(self) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.process = None


def _target_suffix(case: Case) -> str:
    from sakuga.video import SUFFIXES

    if case.kind.startswith("style"):
        return ".onnx"
    return ".mp4" if f".{case.suffix}" in SUFFIXES else ".png"


def run(cases: Iterable[Case], *, keep: Path | None = None, **limits: float) -> Iterator[Result]:
    """Yield what becomes of every case; inputs that fail are kept in a folder, with the reason beside them."""
    with Worker(**limits) as worker:  # type: ignore[arg-type]
        for case in cases:
            result = worker.run(case)
            if result.outcome == "failed" and keep:
                keep.mkdir(parents=True, exist_ok=True)
                stem = re.sub(r"\W+", "-", case.name)
                (keep / f"{stem}.{case.suffix}").write_bytes(case.data)
                (keep / f"{stem}.reason").write_text(f"{case.name}\n{result.reason}\n")
            yield result
