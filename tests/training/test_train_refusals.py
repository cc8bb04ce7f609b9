"""What `sakuga train`, `export` and `download` refuse, in a sentence, and what ends a training."""

import contextlib
import os

import numpy as np
import pytest
import torch
from distilling import distil, quick
from PIL import Image

from sakuga.cli import main
from sakuga.data.images import find_images
from sakuga.errors import UsageError
from sakuga.systems.distill import Distill


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
            (["train", "acgan", "--run", "r", "--pictures", "missing"], 2, "missing does not exist"),
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
            ("distilling:refuse", "the teacher distilling:refuse fails on"),
            (
                "distilling:crop",
                "the teacher distilling:crop made (10, 80, 3) of uint8 from a photo (64, 80, 3) of uint8",
            ),
            ("distilling:nothing", "the teacher distilling:nothing made NoneType of no dtype from a photo"),
            ("run", "is a training; `sakuga export"),
        ],
    )
    def test_teachers_that_cannot_be(self, teacher, said, photos, tmp_path, capsys):
        if teacher == "run":
            assert distil(photos, tmp_path / "run", *quick()) == 0
            teacher = tmp_path / "run"
        assert distil(photos, tmp_path / "other", "--teacher", teacher, "--perceptual", 0) in (1, 2)
        assert said in " ".join(capsys.readouterr().err.split())

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
        assert distil(photos, tmp_path / "run", *quick("--dry-run")) == 1  # for the folder that cannot be read
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

    def test_a_loss_that_explodes(self, photos, tmp_path, capsys):
        assert distil(photos, tmp_path / "run", *quick("--pixel", 1e39)) == 1  # more than 32 bits hold
        assert "pixel=inf" in capsys.readouterr().err
