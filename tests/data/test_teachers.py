"""Teachers by name, of modules in the current folder too."""

import sys

import numpy as np
import pytest

from sakuga.data.teachers import load_teacher, targets
from sakuga.errors import UsageError

PHOTOS = [np.zeros((8, 8, 3), np.uint8)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, which an installed command does not look into by itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(tmp_path))])
    yield tmp_path
    for name in ("my_teacher", "my_broken_teacher"):
        sys.modules.pop(name, None)


def test_a_file_of_the_current_folder(folder):
    (folder / "my_teacher.py").write_text("def invert(photo):\n    return 255 - photo\n")
    teacher, key = load_teacher("my_teacher:invert", PHOTOS)
    assert (teacher(PHOTOS[0]) == 255).all()
    assert len(key) == 16


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("my_broken_teacher:paint", r"--teacher my_broken_teacher:paint: no such function \(ZeroDivisionError"),
        ("my_teacher:none", "--teacher my_teacher:none: no such function"),
        ("nothing:none", "--teacher nothing:none: no such function"),
        (":none", "--teacher :none: write MODULE:FUNCTION"),
        ("os:getpid", "its source cannot be read"),
    ],
)
def test_what_cannot_be(folder, spec, said):
    (folder / "my_broken_teacher.py").write_text("1 / 0\n")
    (folder / "my_teacher.py").write_text("def invert(photo):\n    return 255 - photo\n")
    with pytest.raises(UsageError, match=said):
        load_teacher(spec, PHOTOS)


def test_teacher_paints_once(tmp_path):
    calls = []

    def teacher(photo):
        calls.append(1)
        return 255 - photo

    pictures = [np.random.default_rng(seed).integers(0, 256, (64, 80, 3), np.uint8) for seed in range(3)]
    first = targets(pictures, teacher, "key", tmp_path)
    again = targets(pictures, teacher, "key", tmp_path)
    assert len(calls) == 3
    assert all(
        np.array_equal(a, b) and np.array_equal(a, 255 - p) for a, b, p in zip(first, again, pictures, strict=True)
    )
    whole = first.paths[0].read_bytes()
    for broken in (whole[:-20], b"", whole.replace(b"IDAT", b"IDAX", 1)):  # the disk was full, or fails
        first.paths[0].write_bytes(broken)
        targets(pictures, teacher, "key", tmp_path)
        assert first.paths[0].read_bytes() == whole
    assert len(calls) == 6
