"""`sakuga generate`: pictures from noise, alone, on a sheet and as a walk; the same seed makes the same picture."""

import av
import numpy as np
import pytest
from artefacts import AGE, conditional, from_noise
from made_style import make_style
from PIL import Image

from sakuga.cli import main
from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.stylizer.generate import GAP, Generator, contact_sheet, render, spherical
from sakuga.systems.super_resolution import SuperResolution
from sakuga.training.trainer import Trainer


@pytest.fixture(scope="module")
def style(tmp_path_factory):
    return export(from_noise(), tmp_path_factory.mktemp("style") / "toy.onnx", name="toy")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pixels(path):
    return np.asarray(Image.open(path))


class TestGenerator:
    def test_a_picture_is_that_of_its_seed(self, style):
        first, again, other = Generator(style)(3), Generator(style)(3), Generator(style)(4)
        assert first.shape == (16, 24, 3)
        assert first.dtype == np.uint8
        np.testing.assert_array_equal(first, again)
        assert np.abs(first.astype(int) - other).mean() > 1

    def test_it_is_what_the_network_makes_of_standard_normal_noise(self, style):
        z = np.random.default_rng(3).standard_normal((1, 8), np.float32)
        feeds = {"z": z, "kind": np.array([[0, 1, 0]], np.float32), "age": np.array([1.0], np.float32)}
        (target,) = style.session().run(["stylised"], feeds)
        levels = (target[0].transpose(1, 2, 0) + 1) * 127.5
        assert np.abs(Generator(style, {"kind": "b", "age": "1"})(3) - levels).max() <= 0.5 + 1e-3

    def test_noise_that_is_set_is_not_drawn(self, style):
        generator = Generator(style, {"z": 3})
        assert not generator.drawn
        np.testing.assert_array_equal(generator(0), generator(1))
        np.testing.assert_array_equal(generator(0), Generator(style)(3))

    def test_a_walk_begins_at_the_first_picture_and_passes_the_others(self, style):
        generator = Generator(style)
        frames = list(generator.walk([5, 6, 7], 4))
        assert len(frames) == 12
        for place, seed in ((0, 5), (4, 6), (8, 7)):
            np.testing.assert_array_equal(frames[place], generator(seed))
        jumps = [np.abs(a.astype(int) - b).mean() for a, b in zip(frames, [*frames[1:], frames[0]], strict=True)]
        assert max(jumps) < 0.5 * np.abs(frames[0].astype(int) - frames[4]).mean()

    def test_where_no_noise_is_drawn_there_is_no_way_to_walk(self, style):
        with pytest.raises(UsageError, match="no noise here to walk through"):
            list(Generator(style, {"z": 1}).walk([0, 1], 2))


def test_many_at_once_are_each_what_they_are_alone(style):
    rng = np.random.default_rng(0)
    inputs = {"z": rng.standard_normal((3, 8), np.float32), "kind": np.eye(3, dtype=np.float32)}
    inputs["age"] = np.array([0.0, 0.5, 1.0], np.float32)
    pictures = render(style, inputs)
    assert pictures.shape == (3, 16, 24, 3)
    for i, picture in enumerate(pictures):
        np.testing.assert_array_equal(render(style, {k: v[i : i + 1] for k, v in inputs.items()})[0], picture)


def test_the_way_between_two_points_stays_as_far_from_the_centre():
    a, b = np.array([[3.0, 0.0]], np.float32), np.array([[0.0, 3.0]], np.float32)
    np.testing.assert_allclose(
        spherical(a, b, 1 / 3), 3 * np.array([[np.cos(np.pi / 6), np.sin(np.pi / 6)]]), atol=1e-6
    )
    np.testing.assert_allclose(spherical(a, a, 0.3), a)


def test_a_sheet_has_each_picture_in_its_place():
    pictures = [np.full((4, 6, 3), level, np.uint8) for level in range(0, 250, 50)]
    sheet = contact_sheet(pictures)
    assert sheet.shape == (2 * 4 + GAP, 3 * 6 + 2 * GAP, 3)
    assert sheet[0, 0, 0] == 0
    assert sheet[4 + GAP, 6 + GAP, 0] == 200
    assert sheet[4 + GAP, 2 * (6 + GAP), 0] == 255  # none left


class TestCommand:
    def test_pictures_into_a_folder(self, style, here, capsys):
        assert main(["generate", str(style.path), "-n", "3", "--seed", "7"]) == 0
        assert capsys.readouterr().out == "toy.pictures\n"
        assert sorted(path.name for path in (here / "toy.pictures").iterdir()) == [f"toy.000{i}.png" for i in (7, 8, 9)]
        np.testing.assert_array_equal(pixels("toy.pictures/toy.0008.png"), Generator(style)(8))

    def test_the_same_again_is_the_same_file_and_replaces_nothing_unasked(self, style, here, capsys):
        command = ["generate", str(style.path), "-n", "2", "-o", "out", "--set", "kind=c", "--set", "age=-1"]
        assert main(command) == 0
        first = (here / "out" / "toy.0001.png").read_bytes()
        (here / "out" / "toy.0000.png").unlink()
        assert main(command) == 1
        assert "toy.0001.png exists already" in capsys.readouterr().err
        assert not (here / "out" / "toy.0000.png").exists()  # nothing is begun
        assert main([*command, "--overwrite"]) == 0
        assert (here / "out" / "toy.0001.png").read_bytes() == first

    def test_a_sheet(self, style, here, capsys):
        assert main(["generate", str(style.path), "-n", "4", "--sheet"]) == 0
        assert capsys.readouterr().out == "toy.sheet.png\n"
        np.testing.assert_array_equal(pixels("toy.sheet.png"), contact_sheet([Generator(style)(i) for i in range(4)]))
        assert main(["generate", str(style.path), "-n", "4", "--sheet", "-o", "s.webp"]) == 0
        assert pixels("s.webp").shape == (34, 50, 3)

    def test_one_picture_into_a_file(self, style, here):
        assert main(["generate", str(style.path), "-n", "1", "-o", "one.png"]) == 0
        np.testing.assert_array_equal(pixels("one.png"), Generator(style)(0))

    def test_a_walk(self, style, here, capsys):
        name = "w.mp4"
        assert main(["generate", str(style.path), "-n", "2", "--walk", name]) == 0
        assert capsys.readouterr().out == f"{name}\n"
        with av.open(name) as video:
            frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
        assert len(frames) == 2 * 50
        assert frames[0].shape == (256, 384, 3)  # 16 times as large
        whole = Generator(style)(0).repeat(16, 0).repeat(16, 1)
        assert np.abs(frames[0].astype(int) - whole).mean() < 8
        assert main(["generate", str(style.path), "--walk", name]) == 1

    def test_a_run_becomes_a_style_first(self, here, capsys):
        Trainer(SuperResolution(SuperResolution.Config(width=8, blocks=1)), here / "run").save()
        assert main(["generate", "run"]) == 2
        assert "style run makes its pictures of photos" in capsys.readouterr().err
        assert [path.name for path in here.iterdir()] == ["run"]

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--set", "kind=d"], "kind must be one of a, b, c"),
            (["--set", "hair=blond"], "style toy has no input 'hair': it takes z"),
            (["--set", "age"], "--set age must be NAME=VALUE"),
            (["--set", "age=3"], "age must be a number from -1 to 2"),
            (["-n", "0"], "--count must be at least 1"),
            (["--seed", "-1"], "--seed at least 0"),
            (["-o", "x.png"], "x.png is one file for 64 pictures: name a folder, or add --sheet or -n 1"),
            (["--walk", "x.txt"], "x.txt is not a name for a video that can be written: end it in .mp4"),
            (["--walk", "x.mp4", "--sheet"], "--walk names its file, x.mp4: leave out --sheet"),
            (["--walk", "x.mp4", "--set", "z=1"], "leave out --walk"),
        ],
    )
    def test_what_cannot_be(self, style, here, capsys, options, said):
        assert main(["generate", str(style.path), *options]) == 2
        assert said in " ".join(capsys.readouterr().err.split())
        assert not list(here.iterdir())

    def test_a_style_of_photos_says_which_command_it_is_for(self, here, capsys):
        make_style(here / "made.onnx")
        assert main(["generate", "made.onnx"]) == 2
        assert "style made makes its pictures of photos: use `sakuga photo.jpg -s STYLE`" in capsys.readouterr().err

    def test_and_the_other_way_round(self, style, here, capsys):
        Image.new("RGB", (20, 20)).save("photo.png")
        assert main(["photo.png", "-s", str(style.path)]) == 2
        assert "takes no picture, it makes its own: use `sakuga generate STYLE`" in capsys.readouterr().err

    def test_a_choice_that_must_be_made_is_made_in_turn(self, here):
        style = export(from_noise(default=None), here / "x.onnx", name="x")
        assert main(["generate", "x.onnx", "--seed", "4", "-n", "2"]) == 0
        for seed, kind in ((4, "b"), (5, "c")):
            made = pixels(here / "x.pictures" / f"x.{seed:04}.png")
            np.testing.assert_array_equal(made, Generator(style, {"kind": kind})(seed))


def test_a_style_with_a_picture_is_no_generator(tmp_path):
    with pytest.raises(UsageError, match="makes its pictures of photos"):
        Generator(export(conditional(AGE), tmp_path / "x.onnx", name="x"))
