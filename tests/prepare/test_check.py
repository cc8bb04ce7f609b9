"""`sakuga prepare check`: what it finds, what each system expects, and the contact sheet."""

import shutil

import numpy as np
import pytest
from PIL import Image

from sakuga.cli import main
from sakuga.data.images import load_image
from sakuga.errors import SakugaError, UsageError
from sakuga.prepare.glance import glance
from sakuga.prepare.needs import needs
from sakuga.prepare.sheet import contact_sheet
from sakuga.prepare.survey import look, near, survey
from sakuga.systems import SYSTEMS, load_system
from sakuga.systems.fields import check_places

PLACE = "Ünïcødé 写真 (1)"


def save(path, seed, height=288, width=288, **options):
    """A picture of 8 × 8 areas whose colours are the seed's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(colours).resize((width, height), Image.Resampling.NEAREST).save(path, **options)
    return path


@pytest.fixture
def root(tmp_path):
    """Photos and pictures in a style, three of each, two of one name in sub-folders."""
    root = tmp_path / PLACE
    for i, side in enumerate(("photos", "style")):
        for j, name in enumerate(("a.png", "sub dir/a.png", "b.jpg")):
            save(root / side / name, 10 * i + j)
    return root


def run(*args):
    return main(["prepare", "check", *map(str, args), "--workers", "1"])


def sides(root):
    return ["--photos", root / "photos", "--style", root / "style"]


def test_nothing_is_wrong(root, capsys):
    assert run(*sides(root), "--for", "cartoongan") == 0
    told = capsys.readouterr().out
    assert "fine: no problem found" in told
    assert "problem:" not in told
    assert "288 / 288 / 288" in told
    assert "2 PNG, 1 JPEG" in told
    assert "few pictures (3 in --photos, 3 in --style)" in told


def test_what_is_left_out_is_counted(root, capsys):
    for name in ("one.txt", "sub dir/two.TXT", "drawing.xcf"):
        (root / "photos" / name).write_text("no picture")
    assert run(*sides(root)) == 0
    assert "note: --photos: left out, as no pictures: 2 .txt, 1 .xcf" in capsys.readouterr().out


def test_brightness_and_saturation(tmp_path):
    # 0.299 · 200 + 0.587 · 100 + 0.114 · 50 = 124.2 of 255: 48.7 %; (200 - 50) / 200 = 75 %.
    Image.new("RGB", (64, 48), (200, 100, 50)).save(tmp_path / "a.png")
    fact = look(tmp_path / "a.png")
    assert fact.brightness == pytest.approx(48.7, abs=0.3)
    assert fact.saturation == pytest.approx(75, abs=0.3)
    assert (fact.width, fact.height, fact.format, fact.lies) == (64, 48, "PNG", False)


def test_darker_and_paler(root, capsys):
    shutil.rmtree(root / "style")
    for i in range(3):
        (root / "style").mkdir(exist_ok=True)
        Image.new("RGB", (288, 288), (i, i, i)).save(root / "style" / f"{i}.png")
    run(*sides(root))
    told = capsys.readouterr().out
    assert "--style is darker than --photos" in told
    assert "--style is paler than --photos" in told


def test_unreadable_files_and_such_that_lie(root, capsys):
    (root / "photos" / "bad.png").write_bytes(b"nothing")
    cut = save(root / "photos" / "cut.jpg", 5)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    save(root / "photos" / "lie.jpg", 6, format="PNG")
    assert run(*sides(root)) == 1
    told = capsys.readouterr().out
    assert "bad.png is not a picture" in told
    assert "cut.jpg is damaged or truncated" in told
    assert "lie.jpg is a PNG" in told
    assert "2 problems" in told


def test_duplicates(root, capsys):
    shutil.copy(root / "photos" / "b.jpg", root / "photos" / "copy.jpg")
    Image.fromarray(load_image(root / "photos" / "a.png")).resize((200, 200)).save(root / "photos" / "smaller.jpg")
    assert run(*sides(root)) == 1
    told = capsys.readouterr().out
    assert f"copies of other files (1): {root / 'photos' / 'copy.jpg'};" in told
    assert f"look alike (1): {root / 'photos' / 'a.png'} and {root / 'photos' / 'smaller.jpg'};" in told
    assert "1 problem\n" in told


@pytest.mark.parametrize(
    ("other", "words"), [("photos", "must not be trained on"), ("style", "must not be trained on")]
)
def test_test_pictures_among_those_to_be_trained_on(root, capsys, other, words):
    save(root / "test" / "new.png", 99)
    assert run(*sides(root), "--test", root / "test") == 0
    shutil.copy(root / other / "a.png", root / "test" / "another name.png")
    assert run(*sides(root), "--test", root / "test") == 1
    told = capsys.readouterr().out
    assert f"--{other}: also in --test (1): {root / other / 'a.png'}" in told
    assert words in told


def test_one_folder_for_both_sides(root, capsys):
    assert run("--photos", root / "photos", "--style", root / "photos") == 1
    assert "--photos: also in --style (3)" in capsys.readouterr().out


class TestSystems:
    def test_every_system_is_known(self):
        assert len(SYSTEMS) == 37
        expected = {"photos"}, {"photos", "style"}, {"photos", "targets"}
        kinds = {name: {need.field for need in needs(load_system(name))} for name in SYSTEMS}
        assert kinds["distill"] == kinds["super_resolution"] == expected[0]
        assert kinds["pix2pix"] == expected[2]
        assert all(kind in expected for kind in kinds.values())
        assert all(need.told.endswith(".") for name in SYSTEMS for need in needs(load_system(name)))
        assert "side by side" in needs(load_system("pix2pix"))[0].told

    @pytest.mark.parametrize("system", [s for s in map(load_system, SYSTEMS) if "style" in {n.field for n in needs(s)}])
    def test_what_is_called_needed_training_refuses_to_do_without(self, system, root):
        with pytest.raises(UsageError, match="--style is missing: name "):
            check_places(system.Config(photos=(root / "photos",)))

    @pytest.mark.parametrize("system", [name for name in SYSTEMS if name != "stylecarigan"])
    def test_what_is_missing_is_told(self, system, root, capsys):
        assert run("--test", root / "photos", "--for", system) == 1
        assert f"{system} needs --photos: " in capsys.readouterr().out

    def test_one_picture_in_a_style_folder(self, root, capsys):
        for name in ("b.jpg", "sub dir/a.png"):
            (root / "style" / name).unlink()
        assert run(*sides(root), "--for", "cyclegan") == 1
        assert "--style holds one picture, and cyclegan needs many" in capsys.readouterr().out
        assert run(*sides(root), "--for", "fast_style") == 1
        assert "fast_style: --style takes one picture, and" in capsys.readouterr().out
        assert run("--photos", root / "photos", "--style", root / "style" / "a.png", "--for", "fast_style") == 0
        capsys.readouterr()
        assert run(*sides(root)) == 0
        assert "--style holds one picture: fast_style learns from one" in capsys.readouterr().out

    def test_a_folder_that_is_not_taken(self, root, capsys):
        assert run(*sides(root), "--for", "super_resolution") == 1
        assert "super_resolution takes no --style" in capsys.readouterr().out

    def test_small_pictures(self, root, capsys):
        save(root / "photos" / "small.png", 7, 255, 400)
        assert run(*sides(root), "--for", "cartoongan") == 0
        told = capsys.readouterr().out
        assert f"smaller than the 256 pixels that cartoongan trains at (1): {root / 'photos' / 'small.png'}." in told

    def test_pairs(self, root, capsys):
        pairs = ["--photos", root / "photos", "--targets", root / "style", "--for", "pix2pix"]
        assert run(*pairs) == 0
        save(root / "style" / "b.jpg", 12, 288, 300)
        assert run(*pairs) == 1
        assert "of another shape than their partners" in capsys.readouterr().out
        (root / "style" / "b.jpg").unlink()
        assert run(*pairs) == 1
        assert f"{root / 'photos' / 'b.jpg'} has no partner in {root / 'style'}" in capsys.readouterr().out
        assert run(*pairs, "--photos", root / "style") == 1
        assert "pix2pix: --photos takes one folder, not 2" in capsys.readouterr().out

    def test_pairs_side_by_side(self, tmp_path, capsys):
        save(tmp_path / "ab" / "even.png", 1, 288, 576)
        assert run("--photos", tmp_path / "ab", "--for", "pix2pix") == 0
        assert "smaller than" not in capsys.readouterr().out  # each half is 288 wide
        save(tmp_path / "ab" / "odd.png", 2, 288, 577)
        assert run("--photos", tmp_path / "ab", "--for", "pix2pix") == 1
        assert "odd.png" in capsys.readouterr().out


def test_a_contact_sheet(root, capsys):
    sheet = root / "contact sheet 写.png"
    assert run(*sides(root), "--sheet", sheet) == 0
    assert capsys.readouterr().out.splitlines()[-2] == str(sheet)
    # Columns of 160 + 6; each set has a line of 28 and a row of 166, and there are 6 above.
    assert load_image(sheet).shape == (6 + 2 * (28 + 166), 6 + 8 * 166, 3)
    made = sheet.read_bytes()
    assert run(*sides(root), "--sheet", sheet) == 1
    assert "exists already" in capsys.readouterr().err
    assert sheet.read_bytes() == made
    assert run(*sides(root), "--sheet", sheet, "--overwrite") == 0
    assert run(*sides(root), "--sheet", root / "sheet.jpg") == 2
    assert run(*sides(root), "--sheet", root / "nowhere" / "sheet.png") == 2


def test_a_sheet_shows_pictures_from_all_over(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(48)]
    for i, path in enumerate(paths):
        Image.new("RGB", (200, 200), (5 * i, 0, 0)).save(path)
    sheet = contact_sheet({"--style": paths})
    assert sheet.shape == (6 + 28 + 3 * 166, 6 + 8 * 166, 3)
    # 24 of 48: every second; the middle of the cell at row r and column c is at 34 + 166 r + 80, 6 + 166 c + 80.
    shown = [int(sheet[34 + 166 * r + 80, 6 + 166 * c + 80, 0]) for r in range(3) for c in range(8)]
    assert shown == [10 * i for i in range(24)]


def test_a_glance_at_every_kind(tmp_path):
    pixels = np.full((300, 200, 3), (250, 20, 20), np.uint8)
    lying = Image.Exif()
    lying[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "lying.jpg", exif=lying.tobytes())
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.jpg")
    Image.new("RGBA", (200, 300), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    shapes = {path.name: glance(path, 30).shape for path in tmp_path.iterdir()}
    assert shapes == {"lying.jpg": (20, 30, 3), **dict.fromkeys(("cmyk.jpg", "grey.jpg", "clear.png"), (30, 20, 3))}
    assert np.abs(glance(tmp_path / "lying.jpg", 30).astype(int) - (250, 20, 20)).max() < 5
    assert (glance(tmp_path / "clear.png", 30) == 255).all()
    assert look(tmp_path / "lying.jpg")[1:3] == (300, 200)
    with pytest.raises(SakugaError, match=r"none\.jpg does not exist"):
        glance(tmp_path / "none.jpg", 30)


def test_near_is_not_the_same_and_not_another(tmp_path):
    save(tmp_path / "a.png", 0)
    save(tmp_path / "a scaled.jpg", 0, 150, 150)
    save(tmp_path / "b.png", 1)
    facts = survey("photos", [tmp_path], 1).facts
    assert [(one.path.name, other.path.name) for one, other in near(facts, facts, limit=6)] == [
        ("a scaled.jpg", "a.png")
    ]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "name what to check"),
        (["--for", "whitebox"], "name the folders for whitebox"),
        (["--photos", "nowhere"], "nowhere does not exist"),
        (["--photos", "empty"], "no picture found in empty"),
        (["--photos", "empty", "--for", "whitebux"], "unknown system 'whitebux'; choose distill,"),
    ],
)
def test_wrong_usage(tmp_path, monkeypatch, capsys, args, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert run(*args) == 2
    assert words in capsys.readouterr().err
