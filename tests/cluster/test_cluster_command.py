"""`sakuga stylize --cluster`: what is said before anything begins, and that all is as on one machine.

The latter starts Ray and an object store: pip install -c constraints.txt -e '.[cluster]' 'moto[server]'
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from made_style import make_style
from PIL import Image

import sakuga.cluster.run as run
from sakuga.cli import main
from sakuga.cluster.nodes import check_nodes, connected
from sakuga.commands.options import ADDRESS, add_usual
from sakuga.commands.stylize_cluster import _lines
from sakuga.errors import SakugaError
from sakuga.video.segments import LENGTH


@pytest.fixture(autouse=True)
def here(tmp_path, style_folder, monkeypatch):
    make_style(style_folder / "neg.onnx", "invert")
    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def photos(folder, count):
    Path(folder).mkdir(parents=True)
    for seed in range(count):
        pixels = np.random.default_rng(seed).integers(0, 256, (16, 20, 3), np.uint8)
        Image.fromarray(pixels).save(f"{folder}/{seed}.png")


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("given", "completed"),
    [
        ("in --cluster", "in --cluster local"),
        ("--cluster in -o out", "--cluster local in -o out"),
        ("in --cluster ray://head:10001", "in --cluster ray://head:10001"),
        ("--cluster auto in", "--cluster auto in"),
        ("--cluster=10.0.0.1:6379 in", "--cluster=10.0.0.1:6379 in"),
        ("in", "in"),
    ],
)
def test_the_address_may_be_left_out(given, completed):
    assert add_usual(given.split(), "--cluster", "local", ADDRESS) == completed.split()


def test_inputs_from_a_list(capsys):
    photos("in", 2)
    Path("list.txt").write_text("in/0.png\n\nin/1.png\r\n", encoding="utf-8")
    assert main(["--from", "list.txt", "-s", "neg", "-o", "out"]) == 0
    assert sorted(contents("out")) == ["0.neg.png", "1.neg.png"]
    Path("empty.txt").write_text("\n", encoding="utf-8")
    assert main(["--from", "empty.txt"]) == 2
    assert main(["--from", "none.txt"]) == 2
    assert "--from none.txt cannot be read" in capsys.readouterr().err


def test_what_is_said_before_anything_begins(capsys, monkeypatch):
    photos("in", 1)
    for arguments, sentence in (
        (["in", "-o", "s3://bucket/out"], "s3://bucket/out is an address, with which only --cluster works"),
        (["in", "--manifest", "m.parquet"], "add --cluster"),
        (["in/0.png", "-o", "in/0.png", "--overwrite", "--cluster"], "in/0.png is input and output"),
        (["-", "--cluster"], "- stays on this machine"),
        (["in", "--sheet", "s.png", "--cluster"], "leave out --cluster"),
    ):
        assert main([*arguments, "-s", "neg"]) == 2
        assert sentence in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["in", "-s", "neg", "-o", "out", "--cluster"]) == 2
    assert '--cluster needs ray: pip install "sakuga[cluster]"' in capsys.readouterr().err
    assert not Path("out").exists()


def test_nothing_is_begun_when_nothing_is_to_be_done(capsys, monkeypatch):
    photos("in", 2)
    assert main(["in", "-s", "neg", "-o", "out"]) == 0
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["in", "-s", "neg", "-o", "out", "--cluster"]) == 0
    assert "0 done, 2 skipped (exist already), 0 failed" in capsys.readouterr().err


def test_how_far_it_is_is_told_now_and_then(capsys, monkeypatch):
    now = iter([0, 25, 26, 57, 70, 90])  # Ray begins until the first result is there
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    count = _lines(6)
    for _ in range(5):
        count()
    assert capsys.readouterr().err.splitlines() == [
        "sakuga: 3 of 6, 0.0625 a second, 0:00:48 left",
        "sakuga: 5 of 6, 0.0615 a second, 0:00:16 left",
    ]


def test_a_ray_that_does_not_begin(monkeypatch):
    def init(**_):
        raise RuntimeError("The current node timed out during startup.\nMore of it.")

    ray = SimpleNamespace(is_initialized=lambda: False, init=init, data=None)
    for name in ("ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, ray)
    with (
        pytest.raises(SakugaError, match=r"Ray does not begin on this machine \(The current node timed out .*\): try"),
        connected("local"),
    ):
        pass


def test_an_address_where_nothing_listens():
    pytest.importorskip("ray")
    with pytest.raises(SakugaError, match=r"no Ray answers at 127\.0\.0\.1:1 "), connected("127.0.0.1:1"):
        pass


@pytest.fixture(scope="module")
def bucket():
    """An object store on this machine, which the environment says, with a bucket."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    s3fs = pytest.importorskip("s3fs")
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b"), ("DEFAULT_REGION", "us-east-1")):
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        storage = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
        storage.mkdir("bucket")
        yield storage
    server.stop()


@pytest.fixture(scope="module")
def ray(bucket):
    """A Ray of this machine, which the commands find begun."""
    pytest.importorskip("ray.data")
    with connected("local") as begun:
        yield begun


def test_the_results_are_those_of_one_machine_whatever_is_killed(ray, capsys, monkeypatch):
    monkeypatch.setattr("sakuga.commands.stylize_cluster._EVERY_S", float("inf"))
    monkeypatch.setattr(run, "_BLOCKS", 2)  # more than one dataset
    parquet = pytest.importorskip("pyarrow.parquet")
    photos("in", 40)
    Path("in/broken.png").write_bytes(b"no picture")
    assert main(["in", "-s", "neg", "-o", "plain"]) == 1
    plain = capsys.readouterr()
    ended = threading.Event()
    killed = []

    def kill():
        """End one process that works, as soon as there is a result."""
        while not ended.wait(0.02):
            if len(contents("out")) > 2:
                workers = [one for one in psutil.Process().children(recursive=True) if "MapWorker" in one.name()]
                for one in workers[:1]:
                    os.kill(one.pid, signal.SIGKILL)
                    killed.append(one.pid)
                    return

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        assert main(["in", "-s", "neg", "-o", "out", "--cluster", "--manifest", "m.parquet"]) == 1
    finally:
        ended.set()
        thread.join()
    cluster = capsys.readouterr()
    assert killed
    assert "Prefetcher" not in {one.name for one in threading.enumerate()}  # of Ray Data, one for each dataset
    assert contents("out") == contents("plain")
    assert sorted(cluster.out.split()) == sorted(plain.out.replace("plain", "out").split())
    assert cluster.err == plain.err
    rows = parquet.read_table("m.parquet").to_pylist()
    assert sorted(row["source"] for row in rows) == sorted(f"in/{name}" for name in contents("in"))
    assert [row["source"] for row in rows if row["status"] != "done"] == ["in/broken.png"]


def test_a_long_video_is_divided_among_machines(ray, make_film, monkeypatch):
    make_film("a.mp4", 2 * LENGTH + 9)
    assert main(["a.mp4", "-s", "neg", "-o", "plain.mp4"]) == 0
    monkeypatch.setattr("sakuga.video.part.MIN_SECONDS", 1)
    monkeypatch.setattr("sakuga.cluster.run.cpus", lambda ray: [1, 1])
    parts, outcomes = [], run._outcomes

    def seen(ray, jobs, order, styles, parted, *more):
        parts.append([*parted])
        return outcomes(ray, jobs, order, styles, iter(parts[-1]), *more)

    monkeypatch.setattr(run, "_outcomes", seen)
    assert main(["a.mp4", "-s", "neg", "-o", "b.mp4", "--cluster"]) == 0
    assert [len(part) for part in parts] == [0, 8, 1]
    assert Path("b.mp4").read_bytes() == Path("plain.mp4").read_bytes()
    assert not [*Path().glob(".*")]


def test_a_bucket(ray, bucket, capsys):
    photos("in", 3)
    bucket.put("in", "bucket/", recursive=True)
    assert main(["in", "-s", "neg", "-o", "plain"]) == 0
    command = ["s3://bucket/in", "-s", "neg", "-o", "s3://bucket/out", "--cluster"]
    assert main(command) == 0
    assert {Path(key).name: bucket.cat(key) for key in bucket.find("bucket/out")} == contents("plain")
    capsys.readouterr()
    assert main(command) == 0
    assert "0 done, 3 skipped" in capsys.readouterr().err
    assert main(["s3://bucket/in", "-s", "neg", "-o", "s3://no-such-bucket/out", "--cluster"]) == 1
    assert "s3://no-such-bucket/out does not exist: check the address" in capsys.readouterr().err


def test_a_machine_that_does_not_see_the_folder(ray, monkeypatch):
    monkeypatch.setattr("sakuga.cluster.nodes._mark", lambda folder: f"{folder}/not-there/mark")
    with pytest.raises(SakugaError, match=r"machine \S+ does not see out/not-there: name a folder that all machines"):
        check_nodes(ray, [Path("out")])
