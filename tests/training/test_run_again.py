"""The same command again: a run goes on, is finished, belongs to another process or system, or is damaged."""

import os
import signal
import subprocess
import sys

import pytest
import torch
from distilling import distil, quick

from sakuga import runs
from sakuga.cli import main
from sakuga.systems.distill import Distill


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_same_command_goes_on_to_the_same_weights(number, photos, tmp_path, capsys):
    assert distil(photos, tmp_path / "through", *quick("--adversarial", 0.1)) == 0
    cut = tmp_path / "cut"
    original = Distill.step

    def interrupted(self, batch, t):
        if t == 5:
            os.kill(os.getpid(), number)  # it lands within the step, which is finished first
        yield from original(self, batch, t)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Distill, "step", interrupted)
        assert distil(photos, cut, *quick("--adversarial", 0.1)) == 130
    assert "saved at step 6; the same command goes on" in " ".join(capsys.readouterr().err.split())
    assert runs.load(cut)["steps"] == 6
    assert distil(photos, cut, *quick("--adversarial", 0.1)) == 0
    a, b = runs.load(tmp_path / "through"), runs.load(cut)
    assert a["steps"] == b["steps"] == 8
    capsys.readouterr()
    assert distil(photos, cut, *quick("--adversarial", 0.1)) == 0
    said = capsys.readouterr()
    assert "cut has done its 8 steps already" in said.out.replace("\n", "")
    assert "reading" not in said.err
    assert set(a["networks"]) == {"generator", "discriminator"}
    for name, network in a["networks"].items():
        assert all(torch.equal(v, b["networks"][name][k]) for k, v in network.items())
    assert all(torch.equal(v, b["finished"]["generator"][k]) for k, v in a["finished"]["generator"].items())


HOLDER = (
    "import sys; from sakuga import runs\nwith runs.locked(runs.Path(sys.argv[1])): print('held', flush=True); input()"
)


def test_a_run_is_trained_by_one_process_at_a_time(photos, tmp_path, capsys):
    run = tmp_path / "run"
    command = [sys.executable, "-c", HOLDER, str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "held\n"
            assert distil(photos, run, *quick()) == 1
            said = " ".join(capsys.readouterr().err.split())
            assert "run is being trained by another process: wait for it, or name another --run" in said
            assert distil(photos, run, *quick("--dry-run")) == 0
            assert not (run / "config.toml").exists()
        finally:
            other.kill()  # it cannot take the lock back, and need not
    assert distil(photos, run, *quick()) == 0
    assert runs.load(run)["steps"] == 8


def test_a_step_from_which_no_other_follows_is_not_kept(photos, tmp_path, capsys):
    """Its weights are finite and far beyond repair: the run goes on from before it."""
    run = tmp_path / "run"
    more = ("--save-every", 1, "--precision", "32-true")
    assert distil(photos, run, *quick(), *more, "--steps", 2) == 0
    assert distil(photos, run, *quick(), *more, "--lr", 1e38, "--steps", 6) == 1
    assert "is not finite" in " ".join(capsys.readouterr().err.split())
    assert runs.load(run)["steps"] == 2
    assert distil(photos, run, *quick(), *more, "--steps", 6) == 0
    assert runs.load(run)["steps"] == 6


def test_another_start_is_refused_once_a_run_has_begun(photos, tmp_path, capsys):
    for name in "ab":
        assert distil(photos, tmp_path / name, *quick("--steps", 2)) == 0
    assert distil(photos, tmp_path / "a", *quick(), "--init", tmp_path / "b") == 2
    assert "is of a new run, and" in " ".join(capsys.readouterr().err.split())


def test_a_training_begun_again_sets_the_earlier_best_aside(photos, tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    (run / runs.BEST).write_bytes(b"of another training")
    assert distil(photos, run, *quick("--steps", 2)) == 0
    assert "is called earlier-best.pt now" in " ".join(capsys.readouterr().out.split())
    assert (run / "earlier-best.pt").read_bytes() == b"of another training"
    assert not (run / runs.BEST).exists()


def test_a_finished_run_given_again_keeps_its_file(photos, tmp_path):
    assert distil(photos, tmp_path / "run", *quick()) == 0
    before = (tmp_path / "run" / "config.toml").read_text()
    assert distil(photos, tmp_path / "run", *quick("--lr", 0.5)) == 0
    assert (tmp_path / "run" / "config.toml").read_text() == before


def test_a_run_of_another_system(photos, tmp_path, capsys):
    assert distil(photos, tmp_path / "run", *quick()) == 0
    command = ["train", "fast_style", "--run", tmp_path / "run", "--photos", photos, "--style", photos / "1.png"]
    assert main([str(c) for c in [*command, "--accelerator", "cpu", "--features-weights", "random:0"]]) == 1
    assert "is a run of distill, not of fast_style" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize("start", [["--init", "nowhere"], ["--run", "other"]])
def test_what_a_training_begins_from_is_looked_at_before_the_photos(start, photos, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert distil(photos, tmp_path / "other", *quick("--steps", 1)) == 0
    state = runs.load(tmp_path / "other")
    runs.save({**state, "name": "whitebox"}, tmp_path / "other")
    capsys.readouterr()
    assert distil(photos, tmp_path / "new", *quick(), *start) != 0
    told = " ".join(capsys.readouterr().err.split())
    assert "holds no checkpoint" in told or "is a run of whitebox" in told
    assert "reading" not in told


@pytest.mark.parametrize("content", ["cut", "foreign"])
def test_a_checkpoint_that_is_none(content, photos, tmp_path, capsys):
    run = tmp_path / "run"
    assert distil(photos, run, *quick()) == 0
    if content == "cut":
        (run / "last.pt").write_bytes((run / "last.pt").read_bytes()[:1000])
    else:
        torch.save({"state_dict": {}}, run / "last.pt")
    for command in (lambda: distil(photos, run, *quick()), lambda: main(["export", str(run), "-o", "x.onnx"])):
        assert command() == 1
        assert "last.pt is damaged" in capsys.readouterr().err.replace("\n", " ")
