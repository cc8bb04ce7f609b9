"""Many paths in little memory."""

import subprocess
import sys
from pathlib import Path

from sakuga.runtime.naming import distinct, lengths
from sakuga.runtime.paths import Paths
from sakuga.runtime.urls import Url

ODD = ["a.png", "./x/b.png", "/c", "/", ".", "..", "../d.jpg", "x/b.png", "x/Ünï 写真", "x/y/z", "x/\udcff.png"]


def test_what_is_taken_comes_back():
    paths = Paths(map(Path, ODD))
    assert [*paths] == [paths[i] for i in range(len(ODD))] == [*map(Path, ODD)]
    assert [*paths[2:5], paths[-1]] == [*map(Path, [*ODD[2:5], ODD[-1]])]
    assert [*paths.ordered()] == sorted(map(Path, ODD))
    assert [*paths.chosen([3, 0])] == [Path("/"), Path("a.png")]
    more = Paths([Path("e")])
    more.add(paths)
    assert [*more] == [Path("e"), *map(Path, ODD)]


def test_an_address_keeps_its_size():
    one, other = Url("s3://bucket/in/a.png"), Url("s3://bucket/b.png")
    one.size = 7
    kept = Paths([one, other]).chosen([1, 0])
    assert [(str(path), path.size, type(path)) for path in kept] == [
        ("s3://bucket/b.png", None, Url),
        ("s3://bucket/in/a.png", 7, Url),
    ]


def test_names_are_as_short_as_can_be():
    assert distinct(["ab", "ac", "b"], lambda text, length: text[: length + 1], 1) == ["ab", "ac", "b"]
    assert distinct(["ab", "ac"], lambda text, length: "same", 3) == ["same", "same"]
    assert [*lengths(["ab", "b"], lambda text, length: text[: length + 1], 1, taken=["b"])] == [0, 1]


PLANS = """
import tracemalloc
from pathlib import Path
from sakuga.stylizer.batch import plan
for pattern in ("in/0000*.png", "in/00*.png"):
    tracemalloc.start()
    found = plan([pattern], Path("out"), ["anime"])
    print(len(found.jobs), *tracemalloc.get_traced_memory())
    tracemalloc.stop()
"""


def test_a_plan_of_many_pictures_takes_little_memory(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(1500):
        (tmp_path / f"in/{number:06}.png").touch()
    # In a process of its own: threads that earlier tests have left take memory, too.
    done = subprocess.run([sys.executable, "-c", PLANS], cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)
    (few, few_kept, few_peak), (many, many_kept, many_peak) = (
        map(int, line.split()) for line in done.stdout.splitlines()
    )
    assert (few, many) == (100, 1500)
    assert (many_kept - few_kept) / (many - few) < 100  # bytes for each picture; Path objects took 600, texts 140
    assert (many_peak - few_peak) / (many - few) < 600  # 1500
