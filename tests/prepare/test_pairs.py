"""`sakuga prepare pairs`: joined, divided, and refused."""

import numpy as np
import pytest
from PIL import Image

from sakuga.cli import main
from sakuga.data.images import load_image
from sakuga.data.pairs import load_pairs


def noise(seed, height=8, width=12):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def folders(tmp_path):
    root = tmp_path / "Ünïcødé 写真 (1)"
    save(root / "a" / "1.png", noise(1))
    save(root / "a" / "sub dir" / "1.png", noise(2))
    save(root / "b" / "1.bmp", noise(3))
    save(root / "b" / "sub dir" / "1.png", noise(4), format="BMP")  # which lies about its type
    return root


def run(*args):
    return main(["prepare", "pairs", *map(str, args), "--workers", "1"])


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_joined_and_divided_again(folders, direction):
    together, apart = folders / "ab", folders / "apart"
    assert run(folders / "a", folders / "b", "-o", together, "--direction", direction) == 0
    left, right = (noise(1), noise(3)) if direction == "AtoB" else (noise(3), noise(1))
    np.testing.assert_array_equal(load_image(together / "1.png"), np.concatenate([left, right], axis=1))
    np.testing.assert_array_equal(load_pairs(together, None)[0][0], left)  # as training reads it

    assert run(together, "-o", apart, "--direction", direction) == 0
    for side, seeds in (("A", (1, 2)), ("B", (3, 4))):
        np.testing.assert_array_equal(load_image(apart / side / "1.png"), noise(seeds[0]))
        np.testing.assert_array_equal(load_image(apart / side / "sub dir" / "1.png"), noise(seeds[1]))
    assert len(load_pairs(apart / "A", apart / "B")[0]) == 2


def test_names_without_partner(folders, capsys):
    save(folders / "a" / "2.png", noise(5))
    save(folders / "b" / "3.png", noise(5))
    assert run(folders / "a", folders / "b", "-o", folders / "ab") == 2
    told = capsys.readouterr().err
    assert f"{folders / 'a' / '2.png'} has no partner in {folders / 'b'}" in told
    assert f"{folders / 'b' / '3.png'} has no partner in {folders / 'a'}" in told
    assert not (folders / "ab").exists()


def test_two_of_one_name(folders, capsys):
    save(folders / "b" / "1.png", noise(5))
    assert run(folders / "a", folders / "b", "-o", folders / "ab") == 2
    assert "only one of it in each" in capsys.readouterr().err


def test_partners_of_two_sizes(folders, capsys):
    save(folders / "b" / "1.bmp", noise(3, 8, 14))
    assert run(folders / "a", folders / "b", "-o", folders / "ab") == 1
    told = capsys.readouterr().err
    assert "1.png is 12x8 but" in told
    assert "1.bmp 14x8" in told
    assert [path.parent.name for path in (folders / "ab").rglob("*.png")] == ["sub dir"]


def test_an_odd_width(tmp_path, capsys):
    save(tmp_path / "in" / "odd.png", noise(0, 4, 7))
    save(tmp_path / "in" / "even.png", noise(0, 4, 6))
    (tmp_path / "in" / "bad.png").write_bytes(b"bad")
    assert run(tmp_path / "in", "-o", tmp_path / "out") == 1
    told = capsys.readouterr().err
    assert "odd.png is 7 pixels wide, which cannot be halved" in told
    assert "bad.png is not a picture" in told
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")) == [
        "A/even.png",
        "B/even.png",
    ]


def test_wrong_usage(folders, capsys):
    assert run(folders / "a", folders / "b", folders / "a", "-o", folders / "ab") == 2
    assert "3 inputs: name two folders to join, or one to divide" in capsys.readouterr().err
    (folders / "empty").mkdir()
    assert run(folders / "empty", "-o", folders / "ab") == 2
    assert "no picture found in" in capsys.readouterr().err
    assert run(folders / "a", folders / "nowhere", "-o", folders / "ab") == 2
    assert "does not exist" in capsys.readouterr().err
