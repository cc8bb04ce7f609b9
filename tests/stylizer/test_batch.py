import os
import re
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from made_style import make_style
from PIL import Image

from sakuga.cli import main
from sakuga.runtime.parallel import in_order
from sakuga.stylizer import batch
from sakuga.stylizer.jobs import Job


@pytest.fixture(autouse=True)
def here(tmp_path, style_folder, monkeypatch):
    """Each test begins in an empty folder, with the styles `neg` (inverts) and `deep` (random convolutions)."""
    make_style(style_folder / "neg.onnx", "invert")
    make_style(style_folder / "deep.onnx", "strided")
    work = tmp_path / "Ünïcødé 写真 (1)"
    work.mkdir()
    monkeypatch.chdir(work)


def photo(path, seed=0, size=(20, 16)):
    """Write a picture (size: width, height)."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)).save(path)


def tree():
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


# --- which files, and what their results are called


def targets(*inputs, output=None, format=None):
    jobs = batch.plan(inputs, None if output is None else Path(output), ["neg"], format).jobs
    assert len({os.path.abspath(job.target).casefold() for job in jobs}) == len(jobs)
    return {str(job.source): str(job.target) for job in jobs}


def test_folders_under_one_output_keep_apart():
    for name in ("x/one/a.png", "x/two/a.png", "y/one/a.png"):
        photo(name)
    assert targets("x/one", output="out") == {"x/one/a.png": "out/a.neg.png"}
    assert targets("x/one", "x/two", output="out") == {
        "x/one/a.png": "out/one/a.neg.png",
        "x/two/a.png": "out/two/a.neg.png",
    }
    both = targets("x/one", "y/one", output="out")
    assert all(re.fullmatch(r"out/one/a\.png\.[0-9a-f]{8}\.neg\.png", target) for target in both.values())
    assert targets("y/one", "x/one", output="out") == both
    files = targets("x/one/a.png", "x/two/a.png", output="out")
    assert all(re.fullmatch(r"out/a\.png\.[0-9a-f]{8}\.neg\.png", target) for target in files.values())


def test_names_that_differ_in_case_only_keep_apart():
    photo("in/a.png")
    photo("in/A.png")
    if len(tree()) == 1:
        pytest.skip("this file system takes the two names for one")
    found = targets("in")  # which demands that the names differ in more than case
    assert found.keys() == {"in/a.png", "in/A.png"}
    assert all(target.startswith(source) for source, target in found.items())


def test_a_longer_name_does_not_meet_another_file():
    for name in ("a.jpg", "a.png", "a.jpg.png"):
        photo(f"in/{name}")
    assert targets("in", format="png") == {
        "in/a.jpg": targets("in", format="png")["in/a.jpg"],
        "in/a.png": "in/a.png.neg.png",
        "in/a.jpg.png": "in/a.jpg.png.neg.png",
    }


def test_a_result_never_replaces_another_input():
    photo("a.png")
    photo("a.neg.png")
    assert targets("a.png", "a.neg.png") == {"a.png": "a.png.neg.png", "a.neg.png": "a.neg.neg.png"}


def test_one_file_named_twice_is_one_job():
    photo("in/a.png")
    assert targets("in", "in/a.png", "./in/../in/a.png", "in/*") == {"in/a.png": "in/a.neg.png"}


# --- a run over them


def test_a_fault_of_ours_in_one_file_does_not_cost_the_others(capsys):
    jobs = [Job(Path(name), Path(f"{name}.out")) for name in "abc"]

    def work(job):
        if job.source.name == "b":
            raise ZeroDivisionError("oops")

    report = batch.run(jobs, work)
    assert report.done == 2
    assert report.failed == ["b: unexpected ZeroDivisionError: oops"]
    assert capsys.readouterr().out.splitlines() == ["a.out", "c.out"]


# --- several at once


def one(item):
    return 1


def test_as_many_at_once_as_there_are_workers():
    meet = threading.Barrier(3)  # nobody passes until three are there
    outcomes = in_order(lambda item: meet.wait(10) and None, range(6), workers=3, weight=one, limit=3)
    assert list(outcomes) == [(item, None) for item in range(6)]


def test_the_order_is_that_of_the_items_whichever_is_done_first():
    second = threading.Event()

    def work(item):
        if item == 0:
            assert second.wait(10)
        if item == 1:
            second.set()
        if item == 2:
            raise ValueError("two")

    outcomes = list(in_order(work, range(4), workers=2, weight=one, limit=2))
    assert [item for item, _ in outcomes] == [0, 1, 2, 3]
    assert [repr(error) for _, error in outcomes] == ["None", "None", "ValueError('two')", "None"]


def test_what_is_in_work_together_weighs_no_more_than_the_limit():
    lock, now, most = threading.Lock(), [], []

    def work(item):
        with lock:
            now.append(item)
            most.append(sum(now))
        time.sleep(0.01)
        with lock:
            now.remove(item)

    # 9 is above the limit: it is alone. 1, 2 and 3 fit in together, four workers or not.
    list(in_order(work, [1, 2, 3, 9, 3, 3, 3, 2, 1], workers=4, weight=lambda item: item, limit=6))
    assert max(weight for weight in most if weight < 9) <= 6
    assert sorted(set(most))[-1] == 9
    assert 9 + 1 not in most


def test_items_are_read_only_as_far_as_there_is_room():
    read, go = [], threading.Event()

    def items():
        for item in range(20):
            read.append(item)
            yield item

    outcomes = in_order(lambda item: go.wait(10) and None, items(), workers=2, weight=one, limit=100)
    threading.Timer(0.2, lambda: (seen.extend(read), go.set())).start()
    seen = []
    assert len(list(outcomes)) == 20
    assert len(seen) == 4  # two in work, one that waits for a thread, one that waits for room


def test_a_caller_that_ends_early_interrupts_what_is_in_work():
    begun, ended = [], []

    def work(item):
        begun.append(item)
        try:
            while item:  # 0 is done at once, the others never
                time.sleep(0.01)
        except KeyboardInterrupt:
            ended.append(item)
            raise

    before = threading.active_count()
    with closing(in_order(work, range(100), workers=3, weight=one, limit=100)) as outcomes:
        assert next(outcomes) == (0, None)
        while len(begun) < 4:  # 1, 2 and 3 are in work
            time.sleep(0.01)
    assert sorted(ended) == begun[1:] == [1, 2, 3]
    assert threading.active_count() == before


def test_how_many_work_and_with_how_many_threads(monkeypatch):
    monkeypatch.setattr(batch, "cores", lambda: 8)
    assert batch.staff(None, 200) == (8, 1)
    assert batch.staff(None, 2) == (2, 4)  # a small folder: cores share the pictures
    assert batch.staff(3, 200) == (3, 2)
    assert batch.staff(16, 200) == (16, 1)
    assert batch.staff(3, 200, threads=5) == (3, 5)
    assert batch.staff(None, 0) == (1, 8)  # nothing but videos


def test_a_video_is_worked_on_alone(capsys):
    lock, now, company = threading.Lock(), set(), {}

    def work(job):
        with lock:
            now.add(job.source.name)
            for name in now:
                company.setdefault(name, set()).update(now)
        time.sleep(0.02)
        with lock:
            now.discard(job.source.name)

    names = ["a.png", "b.png", "clip.mp4", "c.png", "d.png"]
    report = batch.run([Job(Path(n), Path(f"{n}.out")) for n in names], work, workers=2)
    assert report.done == 5
    assert capsys.readouterr().out.split() == [f"{name}.out" for name in names]
    assert company["clip.mp4"] == {"clip.mp4"}
    assert company["a.png"] == {"a.png", "b.png"}


def test_what_a_picture_weighs():
    photo("large.png", size=(50, 40))
    photo("small.png", size=(20, 16))
    Path("broken.png").write_bytes(b"no picture")
    assert [batch.pixels(Path(name), 9) for name in ("large.png", "small.png", "broken.png")] == [2000, 320, 1]
    frames = [Image.new("L", (10, 10), gray) for gray in (0, 99, 200)]
    frames[0].save("moving.gif", save_all=True, append_images=frames[1:])
    assert batch.pixels(Path("moving.gif"), 9) == 300
    Path("bomb.pbm").write_bytes(b"P4 65000 65000\n")  # 4.2 gigapixels, more than Pillow opens
    assert batch.pixels(Path("bomb.pbm"), 9) == 9


def test_results_do_not_depend_on_jobs(capsys):
    for seed in range(5):
        photo(f"in/{seed}.png", seed, size=(70 + 9 * seed, 66))
    Path("in/2b.png").write_bytes(b"no picture")
    printed, written = [], []
    for jobs in ("1", "2", "5"):
        assert main(["in", "-s", "deep", "-o", f"out{jobs}", "--jobs", jobs]) == 1
        out, err = capsys.readouterr()
        printed.append((out.replace(f"out{jobs}", "out"), err))
        written.append([Path(f"out{jobs}/{seed}.deep.png").read_bytes() for seed in range(5)])
    assert printed[0][0].splitlines() == [str(Path("out") / f"{seed}.deep.png") for seed in range(5)]
    assert printed[0] == printed[1] == printed[2]
    assert written[0] == written[1] == written[2]


def test_skipped_ones_are_counted_in_the_progress(capsys):
    for name in "abc":
        photo(f"{name}.png")
    Path("b.neg.png").write_bytes(b"mine")
    jobs = batch.plan(["a.png", "b.png", "c.png"], None, ["neg"]).jobs
    ticks = []
    report = batch.run(jobs, lambda job: None, workers=2, progress=lambda: ticks.append(1))
    assert (report.done, report.skipped, len(ticks)) == (2, 1, 3)
    assert capsys.readouterr().out.split() == ["a.neg.png", "c.neg.png"]


def test_wrong_jobs_are_wrong_usage(capsys):
    photo("a.png")
    assert main(["a.png", "-s", "neg", "--jobs", "0"]) == 2
    assert capsys.readouterr().err == "sakuga: jobs must be at least 1, not 0\n"
    assert tree() == ["a.png"]
