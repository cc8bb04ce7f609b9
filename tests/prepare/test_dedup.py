"""`sakuga prepare dedup`."""

import numpy as np
import pytest
from PIL import Image

from sakuga.commands.prepare import main
from sakuga.errors import UsageError
from sakuga.prepare.dedup import _representatives, dedup
from sakuga.prepare.files import File
from sakuga.prepare.manifest import read


def picture(seed, size=(96, 64)):
    noise = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def save(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def kept(out):
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file() and p.name != "manifest.csv")


def test_the_largest_of_a_group_is_copied_as_it_is(tmp_path):
    folder = tmp_path / "Ünïcødé 写真 (1)"
    save(folder / "small.png", picture(0, (48, 32)))
    large = save(folder / "sub" / "large.jpg", picture(0), quality=60)
    save(folder / "bright.png", picture(0, (72, 48)).point(lambda value: min(255, int(value * 1.1))))
    save(folder / "other.png", picture(1))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(["dedup", str(folder), "-o", str(tmp_path / "out"), "--workers", "1"]) == 0
    assert kept(tmp_path / "out") == ["other.png", "sub/large.jpg"]
    assert (tmp_path / "out" / "sub" / "large.jpg").read_bytes() == large.read_bytes()
    whys = {source.rpartition("/")[2]: rows[0].why for source, rows in read(tmp_path / "out").items() if source}
    assert whys["small.png"] == whys["bright.png"] == "like another (sub/large.jpg)"
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_going_on_keeps_what_was_kept(tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    save(folder / "a.png", picture(0, (48, 32)))
    dedup([folder], output=out, workers=1)
    save(folder / "b.png", picture(0))  # larger, but a.png is in the training folder
    save(folder / "c.png", picture(1))
    dedup([folder], output=out, workers=1)
    assert kept(out) == ["a.png", "c.png"]
    assert capsys.readouterr().out.endswith("1 kept, 1 dropped (1 like another), 1 done before, 0 failed\n")
    dedup([folder], output=out, workers=1)
    assert capsys.readouterr().out.endswith("0 kept, 0 dropped, 3 done before, 0 failed\n")
    dedup([folder], output=out, workers=1, overwrite=True)
    assert [row.kept for source, rows in read(out).items() for row in rows if source] == ["yes", "yes", "no"]


def test_names(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    for seed, name in enumerate(("one/a.png", "two/a.png", "two/a.jpg")):
        save(folder / name, picture(seed))
    dedup([folder], output=out, workers=1)
    # Training pairs pictures by name without suffix, so two a of one folder get longer names.
    assert kept(out) == ["one/a.png", "two/a.jpg.jpg", "two/a.png.png"]


def test_bad_pictures(tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    save(folder / "lying.jpg", picture(0), format="PNG")
    (folder / "text.png").write_text("no picture")
    half = save(folder / "half.jpg", picture(1)).read_bytes()
    (folder / "half.jpg").write_bytes(half[: len(half) // 2])
    assert dedup([folder], output=out, workers=1) == 1
    assert kept(out) == ["lying.jpg"]
    told = capsys.readouterr()
    assert "text.png is not a picture" in told.err
    assert "half.jpg is damaged or truncated" in told.err
    assert told.out.endswith("1 kept, 0 dropped, 2 failed\n")
    save(folder / "text.png", picture(2))  # mended
    (folder / "half.jpg").unlink()
    assert dedup([folder], output=out, workers=1) == 0
    assert kept(out) == ["lying.jpg", "text.png"]


def test_links(tmp_path):
    source = save(tmp_path / "in" / "a.png", picture(0))
    dedup([tmp_path / "in"], output=tmp_path / "out", link=True, workers=1)
    assert (tmp_path / "out" / "a.png").samefile(source)


def test_limits(tmp_path):
    save(tmp_path / "in" / "a.png", picture(0))
    for similar in (-1, 64):
        with pytest.raises(UsageError, match="0 to 63"):
            dedup([tmp_path / "in"], output=tmp_path / "out", similar=similar)
    with pytest.raises(UsageError, match="is the input itself"):
        dedup([tmp_path / "in"], output=tmp_path / "in")
    with pytest.raises(UsageError, match="does not exist"):
        dedup([tmp_path / "none"], output=tmp_path / "out")


def test_a_chain_is_not_one_group(tmp_path):
    # 0, 0b1, 0b11, 0b111: each one bit from the next. Within 1 bit of the first is the second alone; the third is the
    # next to stand for itself, and for the fourth.
    hashed = [
        (File(tmp_path / name, tmp_path), np.uint64(bits), 1) for name, bits in zip("abcd", (0, 1, 3, 7), strict=True)
    ]
    found = {file.source.name: like and like.source.name for file, like in _representatives(hashed, 1)}
    assert found == {"a": None, "b": "a", "c": None, "d": "c"}


def test_many_hashes(tmp_path):
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, 2_000, np.uint64)
    hashes[1000:1100] = hashes[:100] ^ np.uint64(1)
    hashed = [(File(tmp_path, tmp_path), bits, 1) for bits in hashes]
    assert sum(like is not None for _, like in _representatives(hashed, 6)) == 100
