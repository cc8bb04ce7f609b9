"""The watch itself: whatever must not happen is noticed when it does."""

import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("limits of memory and the peak are Linux's", allow_module_level=True)

import runner
from runner import Case, Worker, run

FAULTY = """
import os, sys, time, warnings
sys.path.insert(0, {folder!r})
import worker
from sakuga.errors import SakugaError

def fault(path, target, _):
    exec(path.read_text())
    return "done"

worker.WAYS = {{".png": fault}}
worker.main()
"""
FAULTS = {
    "time.sleep(0)": ("done", ""),
    "raise SakugaError(f'{path} is bad: mend it')": ("refused", "is bad"),
    "raise SakugaError('it is bad: mend it')": ("failed", "does not name"),
    "raise SakugaError(f'{path} is bad:\\nmend it')": ("failed", "one sentence"),
    "raise KeyError(3)": ("failed", "KeyError: 3"),
    "sys.exit(3)": ("failed", "SystemExit"),
    "warnings.warn('careful')": ("failed", "careful"),
    "os.write(2, b'a library speaks')": ("failed", "a library speaks"),
    "print('chatter', flush=True)": ("failed", "chatter"),
    "os.kill(os.getpid(), 11)": ("failed", "status -11"),
    "while True: pass": ("failed", "hangs"),
    "bytearray(8 << 30)": ("failed", "MemoryError"),
    "target.with_name('half').touch()": ("failed", "left behind"),
    "target.touch(); raise SakugaError(f'{path} is bad: mend it')": ("failed", "left behind"),
    "path.write_text('0')": ("failed", "input was changed"),
}


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "faulty.py"
    script.write_text(FAULTY.format(folder=str(runner.WORKER.parent)))
    monkeypatch.setattr(runner, "WORKER", script)


@pytest.mark.usefixtures("faulty")
def test_every_fault_is_noticed_and_the_next_input_is_met_by_a_sound_process() -> None:
    with Worker(seconds=1) as worker:
        for fault, (outcome, reason) in FAULTS.items():
            result = worker.run(Case("fault", fault, "txt", fault.encode()))
            assert (result.outcome, reason in result.reason) == (outcome, True), (fault, result)
        assert worker.run(Case("fault", 0, "txt", b"pass")).outcome == "done"


@pytest.mark.usefixtures("faulty")
def test_failing_inputs_are_kept_with_what_makes_them_again(tmp_path: Path) -> None:
    cases = [Case("png", 7, "txt", b"raise KeyError(3)"), Case("png", 8, "txt", b"pass")]
    assert [result.outcome for result in run(cases, keep=tmp_path / "kept")] == ["failed", "done"]
    assert (tmp_path / "kept" / "png-7.txt").exists()
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["png-7.reason", "png-7.txt"]
    assert (tmp_path / "kept" / "png-7.reason").read_text().startswith("png:7\n")


def test_a_worker_that_does_not_start_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "none.py").write_text("raise SystemExit(1)")
    monkeypatch.setattr(runner, "WORKER", tmp_path / "none.py")
    with Worker() as worker, pytest.raises(RuntimeError, match="does not start"):
        worker.run(Case("png", 1, "png", b""))
