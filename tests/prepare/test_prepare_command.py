"""`sakuga prepare` itself: its steps, the manifest, and the runner."""

import inspect
import os
import signal
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from queue import Queue

import numpy as np
import pytest
from PIL import Image

from sakuga import cli
from sakuga.commands.prepare import STEPS, main
from sakuga.errors import SakugaError, UsageError
from sakuga.prepare.files import find, save
from sakuga.prepare.manifest import Manifest, Row, read
from sakuga.prepare.runner import describe, parallel, summary, work
from sakuga.runtime.atomic import atomic
from sakuga.runtime.processes import alone_in


def tree(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(folder / name)
    return folder


def copy(source, target):
    """A step: the file as it is; fails where its name says so."""
    if "bad" in source.name:
        raise SakugaError(f"{source} is bad.")
    if "bug" in source.name:
        raise ZeroDivisionError("oh")
    result = target.with_name(f"{target.name}.txt")
    result.write_bytes(source.read_bytes())
    return [Row(str(result), "yes", str(os.getpid()))]


def die(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def double(number):
    return 2 * number


def test_help_names_every_step(capsys):
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert len(STEPS) == 11
    for step, line in STEPS.items():
        assert f"  {step} " in told
        assert line in told
    assert main([]) == 2


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_the_function_of_its_module(step, capsys):
    function = getattr(import_module(f"sakuga.prepare.{step}"), step)
    assert inspect.signature(function).return_annotation is int
    with pytest.raises(SystemExit) as end:
        main([step, "--help"])
    assert end.value.code == 0
    assert f"usage: sakuga prepare {step}" in capsys.readouterr().out


def test_an_unknown_step():
    with pytest.raises(UsageError, match="did you mean frames"):
        main(["frame"])
    with pytest.raises(UsageError, match="choose frames, dedup, crop, edges"):
        main(["xyz"])


def test_folders_that_cannot_be_read_are_named_once_in_the_one_walk(tmp_path, capsys, monkeypatch):
    folder, looks = tree(tmp_path / "in", "a.png", "locked/b.png"), []
    original = os.scandir

    def scandir(place):
        looks.append(Path(place).name)
        if looks[-1] == "locked":
            raise PermissionError(13, "Permission denied")
        return original(place)

    monkeypatch.setattr("sakuga.runtime.folder.os.scandir", scandir)
    assert main(["dedup", str(folder), str(folder / "a.png"), "-o", str(tmp_path / "out"), "--workers", "1"]) == 1
    told = capsys.readouterr()
    locked = f"{folder / 'locked'} cannot be read (Permission denied): what is in it is left out"
    assert " ".join(told.err.split()).count(locked) == 1
    assert "1 kept" in told.out
    assert looks.count("locked") == 1


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path, capsys):
    folder, out = tree(tmp_path / "in", "a.png"), tmp_path / ("x" * 300)
    assert cli.main(["prepare", "edges", str(folder), "-o", str(out)]) == 1
    said = capsys.readouterr().err.replace("\n", "")
    assert said == f"sakuga: {out} cannot be used (File name too long): check the path and its owner"


def test_names_are_the_paths_below_the_input(tmp_path):
    folder = tree(tmp_path / "Ünïcødé 写真 (1)", "a.png", "sub/a.png", "sub/A.jpg", "sub/b.png", ".hidden.png")
    names = {file.source.relative_to(folder).as_posix(): file.name.as_posix() for file in find([folder])}
    assert names == {"a.png": "a", "sub/a.png": "sub/a.png", "sub/A.jpg": "sub/A.jpg", "sub/b.png": "sub/b"}


def test_names_of_several_inputs(tmp_path):
    one, two = tree(tmp_path / "one" / "x", "a.png", "b.png"), tree(tmp_path / "two" / "x", "a.png")
    three = tree(tmp_path / "three", "a.png")
    files = find([one, two, three, three / "a.png"])
    assert len(files) == 4  # three/a.png is named twice
    names = [file.name.as_posix() for file in files]
    assert names[1] == "x/b"
    assert names[3] == "three/a"
    assert names[0] != names[2]
    assert names[0].startswith("x/a.png.")  # the longest form, with a hash of the path


def test_what_is_no_input(tmp_path):
    folder = tree(tmp_path / "in", "a.png", "out/made.png")
    assert [file.source.name for file in find([folder], folder / "out")] == ["a.png"]
    assert [file.source.name for file in find([folder / "out" / "made.png"], folder / "out")] == ["made.png"]
    for inputs, out, text in (
        ([], None, "No input"),
        ([folder], folder, "is the input itself"),
        ([tmp_path / "none"], None, "does not exist"),
        ([folder / "out"], None, None),
    ):
        if text:
            with pytest.raises(UsageError, match=text):
                find(inputs, out)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no picture found"):
        find([tmp_path / "empty"])


def test_work_goes_on_where_it_stopped(tmp_path, capsys):
    folder, out = tree(tmp_path / "in", "a.png", "bad.png", "bug.png", "c.png"), tmp_path / "out"
    options = {"recipe": "copy", "workers": 1}
    assert work(find([folder]), copy, out, **options) == 1
    told = capsys.readouterr()
    assert told.out == f"{out}: 2 kept, 0 dropped, 2 failed\n"
    assert "bad.png is bad." in told.err
    assert "bug.png: unexpected ZeroDivisionError: oh" in told.err
    (out / "a.txt").write_text("changed by hand")
    tree(folder, "d.png")
    (folder / "bad.png").rename(folder / "good.png")
    (folder / "bug.png").unlink()
    assert work(find([folder]), copy, out, **options) == 0
    assert capsys.readouterr().out == f"{out}: 2 kept, 0 dropped, 2 done before, 0 failed\n"
    assert (out / "a.txt").read_text() == "changed by hand"
    assert {source for source in read(out) if source} == {f"../in/{name}.png" for name in ("a", "c", "d", "good")}
    assert work(find([folder]), copy, out, **options, overwrite=True) == 0
    assert (out / "a.txt").read_bytes() == (folder / "a.png").read_bytes()


def test_work_in_processes_is_the_same(tmp_path):
    folder = tree(tmp_path / "in", *(f"{i}.png" for i in range(6)), "sub/bad.png")
    assert work(find([folder]), copy, tmp_path / "one", recipe="copy", workers=1) == 1
    assert work(find([folder]), copy, tmp_path / "two", recipe="copy", workers=2) == 1
    one, two = read(tmp_path / "one"), read(tmp_path / "two")
    assert list(one) == list(two)
    assert [row.target for rows in one.values() for row in rows] == [
        row.target for rows in two.values() for row in rows
    ]
    workers = {row.why for source, rows in two.items() for row in rows if source and row.kept == "yes"}
    assert str(os.getpid()) not in workers


def test_parallel_keeps_order_and_survives_nothing_worse(tmp_path):
    assert list(parallel(double, range(20), title="", workers=2)) == [(i, 2 * i) for i in range(20)]
    assert list(parallel(double, [], title="", workers=2)) == []
    with pytest.raises(SakugaError, match="fewer --workers"):
        list(parallel(die, range(4), title="", workers=2))
    with pytest.raises(UsageError, match="at least 1"):
        list(parallel(double, [1], title="", workers=0))


def test_manifest_after_a_kill(tmp_path):
    out, source = tmp_path / "out", tmp_path / 'a,\n"b".png'
    manifest = Manifest(out, "step size=1")
    manifest.add(source, [Row("a-0.png"), Row("a-1.png", "no", "blurred (0.1)")])
    manifest.add(tmp_path / "none.png", [])
    manifest.add(tmp_path / "bad.png", [Row("", "failed", "why")])
    with (out / "manifest.csv").open("a") as file:
        file.write("../c.png,c.png,ye")
    leftover = out / ".sakuga-0123456789ab.png"
    leftover.touch()
    again = Manifest(out, "step size=1")
    assert source in again
    assert tmp_path / "none.png" in again
    assert tmp_path / "bad.png" not in again
    assert tmp_path / "c.png" not in again
    assert again.of(source) == [Row("a-0.png", "yes", ""), Row("a-1.png", "no", "blurred (0.1)")]
    assert not leftover.exists()


def test_a_manifest_leaves_what_another_process_is_writing(tmp_path):
    Manifest(tmp_path / "out", "step")
    with atomic(tmp_path / "out" / "a.png") as temporary:
        Manifest(tmp_path / "out", "step")
        assert temporary.exists()


def test_of_two_at_once_the_second_waits(tmp_path, monkeypatch):
    folder, out, status, told = tree(tmp_path / "in", "a.png"), tmp_path / "out", [], Queue()
    monkeypatch.setattr("sakuga.commands.prepare.say", told.put)
    command = ["edges", str(folder), "-o", str(out), "--workers", "1"]
    second = threading.Thread(target=lambda: status.append(main(command)))
    with alone_in(out, pytest.fail):
        second.start()
        assert told.get(timeout=60) == f"another process is making {out}: waiting for its end"
        assert not read(out)
    second.join()
    assert status == [0]
    assert list(read(out)) == ["", "../in/a.png"]


def test_a_refused_step_leaves_no_folder(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        main(["edges", str(tmp_path / "none"), "-o", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_as_an_interrupt(number, tmp_path):
    folder, out = tree(tmp_path / "in", *(f"{i}.png" for i in range(400))), tmp_path / "out"
    command = [sys.executable, "-m", "sakuga", "prepare", "edges", folder, "-o", out, "--workers", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as step:
        while step.poll() is None and len(read(out)) < 3:
            time.sleep(0.05)
        step.send_signal(number)
        assert step.stderr.read().endswith("sakuga: interrupted; the same command goes on\n")
    assert step.returncode == 130
    assert not list(out.glob(".sakuga-*"))


def test_processes_end_with_the_one_that_began_them():
    program = "import os, time; from sakuga.runtime.processes import process_pool as pool; made = pool(2)\n"
    program += "[made.submit(os.write, 1, b'here\\n') for _ in range(2)]; time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as first:
        first.stdout.readline()
        first.kill()
        assert first.stdout.read() in (b"", b"here\n")  # comes to its end when all who hold it have ended


def test_a_name_that_is_no_utf8(tmp_path):
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    Manifest(tmp_path / "out", "step").add(source, [Row("x.png")])
    assert source in Manifest(tmp_path / "out", "step")


def test_a_moved_data_set_is_still_done(tmp_path):
    tree(tmp_path / "here" / "in", "a.png")
    files = find([tmp_path / "here" / "in"])
    work(files, copy, tmp_path / "here" / "out", recipe="copy", workers=1)
    (tmp_path / "here").rename(tmp_path / "there")
    assert tmp_path / "there" / "in" / "a.png" in Manifest(tmp_path / "there" / "out", "copy")


def test_folders_of_others(tmp_path):
    tree(tmp_path / "full", "a.png")
    with pytest.raises(UsageError, match="holds files already"):
        Manifest(tmp_path / "full", "copy")
    (tmp_path / "full" / "manifest.csv").write_text("name,size\na,1\n")
    with pytest.raises(UsageError, match="is not a manifest"):
        Manifest(tmp_path / "full", "copy")
    (tmp_path / "empty").mkdir()
    Manifest(tmp_path / "empty", "copy size=1")
    with pytest.raises(UsageError, match="was made by `copy size=1`, not by `copy size=2`"):
        Manifest(tmp_path / "empty", "copy size=2")
    Manifest(tmp_path / "empty", "copy size=2", again=[])
    Manifest(tmp_path / "empty", "copy size=2")


def test_summary_and_recipe(tmp_path, capsys):
    rows = [Row("a"), Row("", "no", "blurred (0.1)"), Row("", "no", "blurred (0.2)"), Row("", "no", "black")]
    assert summary(tmp_path, rows, before=2) == 0
    assert capsys.readouterr().out == f"{tmp_path}: 1 kept, 3 dropped (2 blurred, 1 black), 2 done before, 0 failed\n"
    assert describe("crop", size=None, enlarge=False, count=0, big_one=True) == "crop count=0 big-one=True"


def test_save_as_the_suffix_says(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    for name, kind in (("a.png", "PNG"), ("a.jpg", "JPEG")):
        save(picture, tmp_path / name)
        assert Image.open(tmp_path / name).format == kind
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), picture)
