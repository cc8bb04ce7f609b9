"""The training half as its user meets it: train, resume, export, use; download."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

import sakuga
from sakuga import runs
from sakuga.cli import main
from sakuga.data.dataset import place_crops
from sakuga.data.images import find_images, load_image, to_tensor, to_uint8
from sakuga.data.teachers import targets
from sakuga.errors import SakugaError, UsageError
from sakuga.export.onnx import weights_sha256
from sakuga.systems.distill import Distill


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        small = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
        small.resize((80, 64), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return folder


def invert(photo):
    """The teacher of these tests."""
    return 255 - photo


def refuse(photo):
    """A teacher that cannot."""
    raise ArithmeticError(photo.shape)


def distil(photos, run, *more):
    command = ["train", "distill", "--run", run, "--photos", photos, "--cache", run.parent / "cache"]
    command += ["--crop", 32, "--batch", 2, "--width", 8, "--blocks", 1, "--save-every", 4, "--log-every", 2]
    return main([str(c) for c in [*command, "--accelerator", "cpu", *more]])


def quick(*more):
    return ["--teacher", f"{__name__}:invert", "--perceptual", 0, "--steps", 8, *more]


def test_a_photo_in_a_style_trained_a_moment_ago(photos, tmp_path, capsys):
    run, style, picture = tmp_path / "run", tmp_path / "negative.onnx", tmp_path / "photo.png"
    assert distil(photos, run, *quick()) == 0
    assert (run / "samples" / "0000008.png").exists()
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["term"] for row in rows} == {"G/pixel", "G/edges", "rate/G", "gradient/G"}
    assert [row["step"] for row in rows if row["term"] == "G/pixel"] == ["2", "4", "6", "8"]

    source = "my photos|CC0-1.0|photos"
    command = ["export", str(run), "-o", str(style), "--title", "Negative", "--licence", "CC0-1.0", "--data", source]
    assert main(command) == 0
    assert main(command) == 1  # it exists now
    assert "exists" in capsys.readouterr().err
    card = sakuga.style.load(style).card
    assert (card.title, card.system, card.multiple, card.receptive_field) == ("Negative", "distill", 4, 36)
    assert card.data == [{"name": "my photos", "licence": "CC0-1.0", "use": "photos"}]
    assert card.config["photos"] == ["photos"]  # nobody's paths
    assert card.sha256 == weights_sha256(onnx.load(style))

    Image.open(photos / "0.png").resize((127, 93)).save(picture)
    assert main([str(picture), "-s", str(style)]) == 0
    assert Image.open(tmp_path / "photo.negative.png").size == (127, 93)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_same_command_goes_on_to_the_same_weights(number, photos, tmp_path, capsys):
    assert distil(photos, tmp_path / "through", *quick("--adversarial", 0.1)) == 0
    cut = tmp_path / "cut"
    original = Distill.step

    def interrupted(self, batch, t):
        if t == 5:
            os.kill(os.getpid(), number)  # it lands within the step, which is finished first
        yield from original(self, batch, t)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Distill, "step", interrupted)
        assert distil(photos, cut, *quick("--adversarial", 0.1)) == 130
    assert "saved at step 6; the same command goes on" in " ".join(capsys.readouterr().err.split())
    assert runs.load(cut)["steps"] == 6
    assert distil(photos, cut, *quick("--adversarial", 0.1)) == 0
    a, b = runs.load(tmp_path / "through"), runs.load(cut)
    assert a["steps"] == b["steps"] == 8
    capsys.readouterr()
    assert distil(photos, cut, *quick("--adversarial", 0.1)) == 0
    assert "cut has done its 8 steps already" in capsys.readouterr().out.replace("\n", "")
    assert set(a["networks"]) == {"generator", "discriminator"}
    for name, network in a["networks"].items():
        assert all(torch.equal(v, b["networks"][name][k]) for k, v in network.items())
    assert all(torch.equal(v, b["finished"]["generator"][k]) for k, v in a["finished"]["generator"].items())


HOLDER = (
    "import sys; from sakuga import runs\nwith runs.locked(runs.Path(sys.argv[1])): print('held', flush=True); input()"
)


def test_a_run_is_trained_by_one_process_at_a_time(photos, tmp_path, capsys):
    run = tmp_path / "run"
    command = [sys.executable, "-c", HOLDER, str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "held\n"
            assert distil(photos, run, *quick()) == 1
            said = " ".join(capsys.readouterr().err.split())
            assert "run is being trained by another process: wait for it, or name another --run" in said
            assert distil(photos, run, *quick("--dry-run")) == 0
            assert not (run / "config.toml").exists()
        finally:
            other.kill()  # it cannot take the lock back, and need not
    assert distil(photos, run, *quick()) == 0
    assert runs.load(run)["steps"] == 8


def test_a_run_that_does_not_begin_leaves_no_folder(photos, tmp_path, capsys):
    assert distil(photos, tmp_path / "run") == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("ignore:feature losses use")
def test_perceptual_terms_and_a_start_from_another_run(photos, tmp_path):
    assert distil(photos, tmp_path / "a", *quick("--lr", 0.01)) == 0
    more = ["--init", tmp_path / "a", "--perceptual", 1, "--gram", 1, "--features-weights", "random:0", "--crop", 64]
    assert distil(photos, tmp_path / "b", *quick(), *more, "--steps", 1, "--lr", 0) == 0
    a, b = (runs.load(tmp_path / name) for name in "ab")
    assert b["steps"] == 1
    assert all(torch.equal(v, b["finished"]["generator"][k]) for k, v in a["finished"]["generator"].items())


@pytest.mark.filterwarnings("ignore:feature losses use")
@pytest.mark.parametrize("body", ["johnson", "fast"])
def test_a_painting_becomes_a_style(photos, tmp_path, body):
    command = ["train", "fast_style", "--run", tmp_path / "run", "--photos", photos, "--style", photos / "1.png"]
    command += ["--crop", 64, "--batch", 2, "--steps", 2, "--body", body, "--features-weights", "random:0"]
    assert main([str(c) for c in [*command, "--accelerator", "cpu"]]) == 0
    assert main(["export", str(tmp_path / "run"), "-o", str(tmp_path / "p.onnx")]) == 0
    assert sakuga.stylize(photos / "0.png", style=tmp_path / "p.onnx").size == (80, 64)


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "status", "said"),
        [
            (["train", "fast_style", "--run", "r", "--style", "none.jpg", "--photos", "p"], 2, "no picture found in p"),
            (
                ["train", "distill", "--run", "r", "--photos", "p", "--accumulate", "0"],
                2,
                "--accumulate must be at least 1, not 0",
            ),
            (
                ["train", "distill", "--run", "r", "--photos", "p", "--crop", "30"],
                2,
                "--crop must be at least 16 and a multiple of 4, not 30",
            ),
            (["train", "distill", "--run", "r"], 2, "--photos is missing"),
            (
                ["train", "whitebox", "--run", "r", "--photos", "p", "--steps", "10000"],
                2,
                "--steps 10000 ends before the warm-up of --warmup 50000 steps",
            ),
            (["train", "nonsense"], 2, "unknown system 'nonsense'; choose "),
            (
                ["train", "distill", "--run", "r", "--photos", "missing", "--teacher", "shinkai"],
                2,
                "missing does not exist",
            ),
            (["export", "nowhere", "-o", "x.onnx"], 2, "nowhere holds no checkpoint"),
            (["export", "nowhere", "-o", "x.pth"], 2, "must end in .onnx"),
            (["export", "nowhere", "-o", "x.onnx", "--data", "one|two"], 2, "must read NAME|LICENCE|USE"),
            (["train", "distill", "--run", "p/r", "--photos", "p"], 2, "--run p/r lies within --photos p"),
            (
                ["train", "cyclegan", "--run", "s/r", "--photos", "p", "--style", "s"],
                2,
                "--run s/r lies within --style s",
            ),
            (["train", "distill", "--run", "f", "--photos", "p"], 2, "--run f is a file"),
            (
                ["train", "distill", "--run", "r", "--photos", "p", "--clip", "-1"],
                2,
                "--clip must be at least 0, not",
            ),
            (
                ["train", "distill", "--run", "r", "--photos", "p", "--ema", "1"],
                2,
                "--ema must be at least 0 and less than 1",
            ),
            (
                ["train", "cartoongan", "--run", "r", "--photos", "p", "--init", "q"],
                2,
                "of --warmup 6750 steps, in which the network learns to repeat the photo, would undo --init",
            ),
            (
                ["train", "pix2pix", "--run", "r", "--photos", "p", "--levels", "1"],
                2,
                "--levels must be at least 2",
            ),
            (
                ["train", "pix2pix", "--run", "r", "--photos", "p", "--levels", "4", "--crop", "16"],
                2,
                "--crop 16 must be 24 or more",
            ),
            (
                ["train", "ugatit", "--run", "r", "--photos", "p", "--layers", "6", "2"],
                2,
                "--layers must be at least 3, not 2",
            ),
            *(
                (
                    ["train", "cartoongan", "--run", "r", "--photos", "p", f"--{name}={value}"],
                    2,
                    f"--{name} must be {said}",
                )
                for name, value, said in (
                    ("seed", -1, "at least 0 and less than"),
                    ("seed", 2**63, "at least 0 and less than 9223372036854775808"),
                    ("lr", "inf", "a finite number, not inf"),
                    ("clip", "nan", "a finite number, not nan"),
                    ("lr", -0.1, "at least 0, not -0.1"),
                    ("content", "-inf", "a finite number, not -inf"),
                    ("pool", -1, "at least 0, not -1"),
                    ("width", 1, "at least 2, not 1"),
                    ("load", 0, "at least 1, not 0"),
                    ("warmup", -1, "at least 0, not -1"),
                )
            ),
            (
                ["train", "whitebox", "--run", "r", "--photos", "p", "--filter-eps", "0"],
                2,
                "--filter-eps must be more than 0, not 0.0",
            ),
            (
                ["train", "adain", "--run", "r", "--photos", "p", "--strength", "7"],
                2,
                "--strength must be at least 0 and at most 1, not 7.0",
            ),
            (
                ["train", "distill", "--run", "r", "--photos", "p", "--crop", "16"],
                2,
                "--crop 16 must be 32 or more: alexnet",
            ),
            (
                ["train", "fast_style", "--run", "r", "--photos", "p", "--body", "fast", "--crop", "32"],
                2,
                "--crop 32 must be more than 40 with --blocks 4",
            ),
            (
                ["train", "super_resolution", "--run", "r", "--photos", "p", "--factor", "8", "--crop", "32"],
                2,
                "--crop 32 must be 40 or more with --factor 8",
            ),
            (
                ["train", "cyclegan", "--run", "r", "--photos", "p", "--body", "unet", "--upsample", "resize"],
                2,
                "--upsample resize is of the residual generators",
            ),
            (["train", "distill", "--run", "r", "--photos", "p", "--nodes", "2"], 2, "--nodes 2 needs a launcher"),
            (["train", "fast_style", "--run", "r", "--photos", "p", "--style-layers"], 2, "--style-layers is empty"),
            (
                ["train", "distill", "--run", "r", "--photos", "p", "--accelerator", "cuda", "--precision", "32-true"],
                2,
                "--accelerator cuda --devices 1 is not to be had here",
            ),
            (["train", "pix2pix", "--run", "r", "--photos", "p", "s"], 2, "--photos takes one folder, not 2"),
            (
                ["train", "pix2pix", "--run", "r", "--photos", "f", "--targets", "p"],
                2,
                "takes one folder, and f is a file",
            ),
            (["export", "p", "-o", "x.onnx", "--which", "best"], 2, "p holds no checkpoint (best.pt)"),
            (["download", "vgg16", "--source", "none.tar.gz"], 2, "none.tar.gz does not exist"),
        ],
    )
    def test_sentences(self, arguments, status, said, capsys, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for folder in ("p", "s"):
            (tmp_path / folder).mkdir()
        (tmp_path / "f").touch()
        assert main(arguments) == status
        assert said in capsys.readouterr().err.replace("\n", " ")
        assert not list(tmp_path.glob("*.onnx"))

    def test_folders(self, photos, tmp_path, capsys):
        (tmp_path / "empty").mkdir()
        with pytest.raises(UsageError, match="no picture found in"):
            find_images([tmp_path / "empty"])
        assert distil(photos, tmp_path / "run") == 2
        assert "--teacher is missing" in capsys.readouterr().err
        assert distil(photos, tmp_path / "run", "--teacher", "sakuga.teachers:nobody") == 2
        (photos / "broken.jpg").write_bytes(b"no picture")
        assert distil(photos, tmp_path / "run", *quick()) == 1
        assert "broken.jpg is not a picture" in capsys.readouterr().err.replace("\n", "")

    @pytest.mark.parametrize(
        ("teacher", "said"),
        [
            ("os:getpid", "--teacher os:getpid: its source cannot be read"),
            (f"{__name__}:refuse", "the teacher fails on"),
            ("run", "is a training; `sakuga export"),
        ],
    )
    def test_teachers_that_cannot_be(self, teacher, said, photos, tmp_path, capsys):
        if teacher == "run":
            assert distil(photos, tmp_path / "run", *quick()) == 0
            teacher = tmp_path / "run"
        assert distil(photos, tmp_path / "other", "--teacher", teacher, "--perceptual", 0) in (1, 2)
        assert said in " ".join(capsys.readouterr().err.split())

    def test_a_step_from_which_no_other_follows_is_not_kept(self, photos, tmp_path, capsys):
        """Its weights are finite and far beyond repair: the run goes on from before it."""
        run = tmp_path / "run"
        more = ("--save-every", 1, "--precision", "32-true")
        assert distil(photos, run, *quick(), *more, "--steps", 2) == 0
        assert distil(photos, run, *quick(), *more, "--lr", 1e38, "--steps", 6) == 1
        assert "is not finite" in " ".join(capsys.readouterr().err.split())
        assert runs.load(run)["steps"] == 2
        assert distil(photos, run, *quick(), *more, "--steps", 6) == 0
        assert runs.load(run)["steps"] == 6

    def test_another_start_is_refused_once_a_run_has_begun(self, photos, tmp_path, capsys):
        for name in "ab":
            assert distil(photos, tmp_path / name, *quick("--steps", 2)) == 0
        assert distil(photos, tmp_path / "a", *quick(), "--init", tmp_path / "b") == 2
        assert "is of a new run, and" in " ".join(capsys.readouterr().err.split())

    def test_a_training_begun_again_sets_the_earlier_best_aside(self, photos, tmp_path, capsys):
        run = tmp_path / "run"
        run.mkdir()
        (run / runs.BEST).write_bytes(b"of another training")
        assert distil(photos, run, *quick("--steps", 2)) == 0
        assert "is called earlier-best.pt now" in " ".join(capsys.readouterr().out.split())
        assert (run / "earlier-best.pt").read_bytes() == b"of another training"
        assert not (run / runs.BEST).exists()

    def test_a_finished_run_given_again_keeps_its_file(self, photos, tmp_path):
        assert distil(photos, tmp_path / "run", *quick()) == 0
        before = (tmp_path / "run" / "config.toml").read_text()
        assert distil(photos, tmp_path / "run", *quick("--lr", 0.5)) == 0
        assert (tmp_path / "run" / "config.toml").read_text() == before

    def test_a_strip_is_refused(self, tmp_path):
        Image.new("RGB", (1, 300)).save(tmp_path / "strip.png")
        with pytest.raises(SakugaError, match=r"strip.png is a strip of 1x300"):
            load_image(tmp_path / "strip.png", short_side=286)
        assert load_image(tmp_path / "strip.png").shape == (300, 1, 3)

    def test_a_run_of_another_system(self, photos, tmp_path, capsys):
        assert distil(photos, tmp_path / "run", *quick()) == 0
        command = ["train", "fast_style", "--run", tmp_path / "run", "--photos", photos, "--style", photos / "1.png"]
        with pytest.warns(UserWarning, match="random weights"):
            status = main([str(c) for c in [*command, "--accelerator", "cpu", "--features-weights", "random:0"]])
        assert status == 1
        assert "is a run of distill, not of fast_style" in capsys.readouterr().err.replace("\n", " ")

    def test_folders_of_all_kinds(self, photos, tmp_path, capsys):
        """Nested, of mixed sizes, in every mode: all of it is data."""
        inside = photos / "more" / "still more"
        inside.mkdir(parents=True)
        picture = Image.open(photos / "0.png")
        for mode in ("1", "L", "LA", "P", "RGBA"):
            picture.convert(mode).save(inside / f"{mode}.png")
        picture.convert("CMYK").save(inside / "CMYK.jpg")
        Image.fromarray(np.full((50, 70), 40000, np.uint16)).save(inside / "I16.png")
        picture.resize((300, 20)).save(inside / "wide.webp")
        (inside / "notes.txt").write_text("no picture")
        with contextlib.chdir(inside):
            for _ in range(20):  # deeper than a path may be long
                os.mkdir("x" * 250)
                os.chdir("x" * 250)
        assert distil(photos, tmp_path / "run", *quick("--dry-run")) == 0
        told = capsys.readouterr().out
        assert "11 pictures" in told
        assert "left out of --photos, as no pictures: 1 .txt" in told
        assert "x cannot be read (File name too long): what is in it is left out" in told

    def test_a_picture_cut_short(self, photos, tmp_path, capsys):
        Image.open(photos / "0.png").save(photos / "z.jpg")
        (photos / "z.jpg").write_bytes((photos / "z.jpg").read_bytes()[:-200])
        assert distil(photos, tmp_path / "run", *quick()) == 1
        said = capsys.readouterr().err.replace("\n", "")
        assert "z.jpg is damaged or truncated" in said
        assert "get a whole copy of it" in said

    def test_photos_and_style_are_one_folder(self, photos, tmp_path, capsys):
        command = ["train", "cyclegan", "--run", str(tmp_path / "run"), "--photos", str(photos), "--style", str(photos)]
        assert main(command) == 2
        assert "0.png is found by --photos and by --style" in capsys.readouterr().err.replace("\n", "")
        assert not (tmp_path / "run").exists()

    def test_a_style_within_the_photos(self, photos, tmp_path, capsys):
        (photos / "drawn").mkdir()
        Image.open(photos / "0.png").save(photos / "drawn" / "0.png")
        command = ["train", "cyclegan", "--run", tmp_path / "run", "--photos", photos, "--style", photos / "drawn"]
        assert main([str(c) for c in command]) == 2
        assert "0.png is found by --photos and by --style" in capsys.readouterr().err.replace("\n", "")

    @pytest.mark.parametrize(
        "error",
        [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
    )
    def test_too_little_memory(self, error, photos, tmp_path, monkeypatch, capsys):
        def full(self, batch, t):
            raise error
            yield

        monkeypatch.setattr(Distill, "step", full)
        assert distil(photos, tmp_path / "run", *quick()) == 1
        assert "memory of the cpu is too small for --batch 2 of --crop 32" in capsys.readouterr().err.replace("\n", " ")

    @pytest.mark.parametrize("content", ["cut", "foreign"])
    def test_a_checkpoint_that_is_none(self, content, photos, tmp_path, capsys):
        run = tmp_path / "run"
        assert distil(photos, run, *quick()) == 0
        if content == "cut":
            (run / "last.pt").write_bytes((run / "last.pt").read_bytes()[:1000])
        else:
            torch.save({"state_dict": {}}, run / "last.pt")
        for command in (lambda: distil(photos, run, *quick()), lambda: main(["export", str(run), "-o", "x.onnx"])):
            assert command() == 1
            assert "last.pt is damaged" in capsys.readouterr().err.replace("\n", " ")

    def test_a_loss_that_explodes(self, photos, tmp_path, capsys):
        assert distil(photos, tmp_path / "run", *quick("--pixel", 1e39)) == 1  # more than 32 bits hold
        assert "pixel=inf" in capsys.readouterr().err


class TestData:
    def test_crops_are_aligned(self):
        rng = np.random.default_rng(0)
        photos = [rng.integers(0, 255, (40, 50, 3), dtype=np.uint8), rng.integers(0, 255, (12, 90, 3), dtype=np.uint8)]
        inverted = [255 - p for p in photos]
        crops = place_crops([0, 1] * 4, [p.shape[:2] for p in photos], size=16, rng=np.random.default_rng(0))
        a, b = (to_tensor(np.stack([crop.cut(side[crop.index]) for crop in crops])) for side in (photos, inverted))
        assert a.shape == (8, 3, 16, 16)
        assert torch.allclose(a, -b, atol=1e-6)

    def test_tensors_and_pixels_round_trip(self):
        every = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
        tensor = to_tensor(every)
        assert (tensor.min(), tensor.max()) == (-1, 1)
        assert np.array_equal(to_uint8(tensor)[0], every)

    def test_orientation_and_size(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", (40, 20)).save(tmp_path / "a.jpg", exif=exif)
        assert load_image(tmp_path / "a.jpg").shape == (40, 20, 3)
        assert load_image(tmp_path / "a.jpg", max_side=10).shape == (10, 5, 3)

    def test_teacher_paints_once(self, photos, tmp_path):
        calls = []

        def teacher(photo):
            calls.append(1)
            return invert(photo)

        pictures = [load_image(p) for p in find_images([photos])]
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


def test_the_light_half_does_not_import_torch():
    code = "import sys, sakuga.cli, sakuga.stylizer.stylizer, sakuga.video; print(json.dumps([m for m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", "import json;" + code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"torch", "onnx", "scipy", "skimage", "lightning_fabric"}
    assert "sakuga" in loaded
