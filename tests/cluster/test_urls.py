"""Addresses as paths, and the plan that is made of them: the one that folders get."""

import pickle
from pathlib import Path

import pytest

from sakuga.errors import ExistsError, SakugaError, UsageError
from sakuga.runtime.urls import Url, fetched, is_url, path_of, placed
from sakuga.stylizer.batch import plan

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(autouse=True)
def storage():
    """Storage of this process alone, empty."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    return memory


def test_names_are_taken_apart_as_those_of_files():
    url = Url("s3://bucket/folder/a.png")
    assert (url.name, url.stem, url.suffix, str(url.parent)) == ("a.png", "a", ".png", "s3://bucket/folder")
    assert str(url.parent / "b" / "c.jpg") == "s3://bucket/folder/b/c.jpg"
    assert str(url.with_name("x.webp")) == "s3://bucket/folder/x.webp"
    again = pickle.loads(pickle.dumps(url))
    assert (again, type(again), str(again)) == (url, Url, str(url))


def test_what_a_text_means():
    assert path_of("a/b.png") == Path("a/b.png")
    assert path_of("file:///tmp/a%20b.png") == Path("/tmp/a b.png")
    assert str(path_of("s3://bucket/")) == "s3://bucket"
    assert str(path_of("memory:///in/a.png")) == "memory://in/a.png"
    assert is_url("s3://b")
    assert not is_url("C:/pictures")
    with pytest.raises(UsageError, match="an empty name"):
        path_of("s3://bucket//a.png")
    with pytest.raises(UsageError, match="of no kind that is known"):
        path_of("nowhere://bucket/a.png").exists()


@pytest.mark.parametrize("output", [None, "out"])
@pytest.mark.parametrize("inputs", [["in"], ["in/x", "in"], ["in/*.png"], ["in/a.png"], ["in/**"], ["in", "in/a.jpg"]])
def test_the_plan_of_addresses_is_that_of_folders(storage, tmp_path, monkeypatch, inputs, output):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "a.jpg", "x/a.png", "x/deep/b.mp4", ".hidden/b.png", "x/.c.png", "n.txt", "d.neg.png"):
        Path("in", name).parent.mkdir(parents=True, exist_ok=True)
        Path("in", name).touch()
        storage.pipe_file(f"/in/{name}", b"")
    here = plan(inputs, Path(output) if output else None, ["neg"])
    there = plan([f"memory://{one}" for one in inputs], Url(f"memory://{output}") if output else None, ["neg"])
    assert here.jobs
    assert [(f"memory://{job.source}", f"memory://{job.target}") for job in here.jobs] == [
        (str(job.source), str(job.target)) for job in there.jobs
    ]


def test_a_folder_without_pictures(storage):
    storage.pipe_file("/in/notes.txt", b"")
    with pytest.raises(SakugaError, match=r"memory://in holds no pictures or videos"):
        plan(["memory://in"], None, ["neg"])


def write(target, data, *, overwrite=False, fails=False):
    with placed(target, overwrite=overwrite) as local:
        local.write_bytes(data)
        assert not fails


def test_a_file_arrives_whole_or_not_at_all(storage):
    target = Url("memory://out/a.png")
    with pytest.raises(AssertionError):
        write(target, b"half", fails=True)
    assert storage.find("/") == []
    write(target, b"whole")
    assert storage.find("/") == ["/out/a.png"]
    with fetched(target) as copy:
        assert (copy.name, copy.read_bytes()) == ("a.png", b"whole")
    assert not copy.exists()
    with pytest.raises(ExistsError, match=r"memory://out/a\.png exists already"):
        write(target, b"later")
    write(target, b"later", overwrite=True)
    assert storage.cat("/out/a.png") == b"later"
    with pytest.raises(SakugaError, match=r"memory://out/b\.png does not exist"), fetched(Url("memory://out/b.png")):
        pass
