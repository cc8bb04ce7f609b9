"""What a process of a cluster does, here in this one, and how a plan is parted among them."""

from pathlib import Path

import numpy as np
import pytest
from made_style import make_style
from PIL import Image

from sakuga.cluster import worker as worker_module
from sakuga.cluster.parts import blocks, check_jobs, is_divisible
from sakuga.cluster.recipe import Recipe, files, style_file
from sakuga.cluster.worker import MAX_TRIES, Order, Worker
from sakuga.errors import UsageError
from sakuga.faces.track import FaceTracker
from sakuga.runtime.urls import Url
from sakuga.stylizer import Look, Stylizer
from sakuga.stylizer.batch import SHARE
from sakuga.stylizer.jobs import Job
from sakuga.video import VideoOptions
from sakuga.video.segments import LENGTH


@pytest.fixture(autouse=True)
def here(tmp_path, style_folder, monkeypatch):
    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        pixels = np.random.default_rng(ord(name)).integers(0, 256, (16, 20, 3), np.uint8)
        Image.fromarray(pixels).save(f"{name}.png")


def worker_of(stylizer, **options):
    return Worker(Order({stylizer.name: Recipe.of(stylizer)}, **options), files(stylizer), threads=1)


def block(*names, style="neg"):
    columns = {"index": range(len(names)), "source": [f"{name}.png" for name in names]}
    return {
        **columns,
        "target": [f"{name}.out.png" for name in names],
        "style": [style] * len(names),
        "part": [[]] * len(names),
    }


def neg(**look):
    return Stylizer(make_style(Path("neg.onnx"), "invert"), Look(**look))


def test_its_results_are_those_of_the_stylizer():
    stylizer = neg(strength=0.25)
    stylizer.file(Path("a.png"), Path("plain.png"))
    outcomes = worker_of(stylizer, checksums=True)(block("a", "missing", "b"))
    assert outcomes["status"] == ["done", "failed", "done"]
    assert outcomes["sentence"][1].startswith("missing.png does not exist")
    assert Path("a.out.png").read_bytes() == Path("plain.png").read_bytes()
    assert len(outcomes["sha256"][0]) == 64
    assert outcomes["sha256"][0] != outcomes["sha256"][2]


def test_a_recipe_has_styles_in_turn_and_pictures_that_no_other_machine_has():
    first = Stylizer(make_style(Path("soft.onnx"), "blur"))
    Image.new("RGB", (64, 64), "red").save("second.png")
    asks = make_style(Path("asks.onnx"), "asks")
    stylizer = Stylizer(asks, inputs={"tint": "red", "other": "second.png"}, after=first)
    recipe, sent = Recipe.of(stylizer), files(stylizer)
    Path("second.png").unlink()
    fetched = []
    made = recipe.make(lambda sha256: fetched.append(sha256) or sent[sha256], threads=1)
    assert (made.name, sorted(fetched)) == (stylizer.name, sorted(sent))
    photo = np.random.default_rng(0).integers(0, 256, (16, 20, 3), np.uint8)
    np.testing.assert_array_equal(made.array(photo), stylizer.array(photo))


def test_a_style_file_is_fetched_once_and_again_when_it_is_damaged():
    path = make_style(Path("neg.onnx"), "invert")
    ((sha256, data),) = files(Stylizer(path)).items()
    fetched = []
    for _ in range(2):
        copy = style_file("neg", sha256, lambda one: fetched.append(one) or data)
    assert fetched == [sha256]
    copy.write_bytes(b"damaged")
    assert style_file("neg", sha256, lambda one: fetched.append(one) or data).read_bytes() == data
    assert fetched == [sha256] * 2


def test_one_that_was_killed_does_nothing_twice():
    made = worker_of(neg())
    assert made(block("a"))["status"] == ["done"]
    before = Path("a.out.png").stat().st_mtime_ns
    made = worker_of(neg())  # in which the block goes on, whether it was begun for that or before
    assert made(block("a", "b"))["status"] == ["done", "done"]
    assert Path("a.out.png").stat().st_mtime_ns == before


def test_a_file_that_ends_its_process_is_given_up(monkeypatch):
    made = worker_of(neg())
    monkeypatch.setattr(made, "_make", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))  # as good as killed
    for _ in range(MAX_TRIES):
        with pytest.raises(KeyboardInterrupt):
            made(block("a"))
        made.again = True
    outcomes = made(block("a"))
    assert outcomes["sentence"] == [f"a.png ended {MAX_TRIES} processes that worked on it: reduce it (--max-side)"]
    assert not [*Path().glob("sakuga-*")]


def test_a_fault_of_ours_costs_one_file(monkeypatch):
    made = worker_of(neg())
    monkeypatch.setattr(worker_module.Worker, "_make", lambda self, source, *_: 1 // (source.name == "b.png") and "")
    outcomes = made(block("a", "b"))
    assert outcomes["status"] == ["failed", "done"]
    assert outcomes["sentence"][0].startswith("a.png: unexpected ZeroDivisionError")


def test_from_an_address_to_an_address():
    storage = pytest.importorskip("fsspec").filesystem("memory")
    storage.pipe_file("/w/a.png", Path("a.png").read_bytes())
    storage.pipe_file("/w/broken.png", b"no picture")
    columns = {"index": [0, 1, 2], "source": ["memory://w/a.png", "memory://w/broken.png", "memory://w/gone.png"]}
    columns |= {"target": [f"memory://w/{name}.out.png" for name in "abc"], "style": ["neg"] * 3, "part": [[]] * 3}
    outcomes = worker_of(neg())(columns)
    assert outcomes["status"] == ["done", "failed", "failed"]
    assert outcomes["sentence"][1].startswith("memory://w/broken.png ")
    assert outcomes["sentence"][2].startswith("memory://w/gone.png does not exist")
    neg().file(Path("a.png"), Path("plain.png"))
    assert storage.cat("/w/a.out.png") == Path("plain.png").read_bytes()
    assert len(storage.find("/w")) == 3


def test_blocks_are_of_so_many_pixels():
    weights = [SHARE, 1, SHARE // 2, SHARE // 2, SHARE // 2, *[1] * 500]
    parts = [*blocks(range(len(weights)), weights, 2)]
    assert [index for part in parts for index in part] == [*range(len(weights))]
    assert all(sum(weights[index] for index in part) <= SHARE for part in parts)
    assert max(map(len, parts)) == 63  # an eighth of all: both workers have several
    assert [*blocks([4, 1, 3], weights, 16)] == [[4], [1], [3]]
    assert [*blocks([], weights, 2)] == []


def test_what_a_cluster_cannot_do():
    for source, target, reason in (
        ("a.png", "memory://out/a.png", "in the memory of one process"),
        ("s3://b/%05d.png", "out.mp4", "stands for several pictures"),
        ("a.png", "./a.png", "is input and output"),
    ):
        paths = [Url(one) if "://" in one else Path(one) for one in (source, target)]
        with pytest.raises(UsageError, match=reason):
            check_jobs([Job(*paths)])


def test_a_long_video_is_made_in_parts_and_is_that_of_one_run(make_film):
    make_film("a.mp4", LENGTH + 20)
    stylizer = neg()
    stylizer.file(Path("a.mp4"), Path("plain.mp4"))
    for number in (1, 0):
        assert worker_of(stylizer).work(0, "a.mp4", "a.out.mp4", "neg", number, 2).status == "done"
    assert [*Path(".a.out.mp4.sakuga-part").glob("*1.npz")]
    assert not Path("a.out.mp4").exists()
    assert worker_of(stylizer).work(0, "a.mp4", "a.out.mp4", "neg").status == "done"
    assert Path("a.out.mp4").read_bytes() == Path("plain.mp4").read_bytes()


def test_a_part_that_fails_costs_nothing_but_its_time():
    Path("a.mp4").write_bytes(b"no video")
    outcome = worker_of(neg()).work(0, "a.mp4", "a.out.mp4", "neg", 0, 2)
    assert outcome.status == "failed"
    assert not Path(".a.out.mp4.sakuga-part").exists()


def test_which_jobs_are_divided(make_film, monkeypatch):
    monkeypatch.setattr("sakuga.video.part.MIN_SECONDS", 0.5)
    make_film("a.mp4", 25)
    here, stylizers = Path("a.mp4"), {"neg": neg(), "steered": neg()}
    monkeypatch.setattr(stylizers["steered"], "tracker", FaceTracker)
    options = VideoOptions()
    assert is_divisible(Job(here, Path("b.mp4"), "neg"), stylizers, options)
    assert not is_divisible(Job(here, Path("b.mp4"), "steered"), stylizers, options)
    assert not is_divisible(Job(here, Url("s3://bucket/b.mp4"), "neg"), stylizers, options)
    assert not is_divisible(Job(Path("a.png"), Path("b.png"), "neg"), stylizers, options)
