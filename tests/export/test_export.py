"""`sakuga export`: parity, what the card says, fields that are set afterwards."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from sakuga import runs
from sakuga.cli import main
from sakuga.errors import SakugaError
from sakuga.export.onnx import export
from sakuga.export.trace import trace
from sakuga.networks.johnson import TransformNet
from sakuga.runs import _changed
from sakuga.style import read
from sakuga.systems.adain import AdaIN
from sakuga.systems.artefact import translation
from sakuga.systems.config import kinds_of
from sakuga.systems.cyclegan import CycleGAN
from sakuga.systems.distill import Distill, DistillConfig
from sakuga.systems.fast_style import FastStyle
from sakuga.systems.super_resolution import SuperResolution
from sakuga.training.trainer import Trainer


class TestExport:
    def test_parity_is_demanded(self, tmp_path, monkeypatch):
        system = Distill(DistillConfig(width=8, blocks=1))
        other = copy.deepcopy(system.generator)
        other.tail.bias.data += 5e-4
        monkeypatch.setattr("sakuga.export.onnx.trace", lambda _, size: trace(translation(other), size))
        with pytest.raises(SakugaError, match="differs from the trained one at 64x64"):
            export(system, tmp_path / "x.onnx", name="x")
        assert not list(tmp_path.iterdir())

    def test_output_is_clipped(self, tmp_path):
        system = Distill(DistillConfig(width=8, blocks=1))
        torch.nn.init.constant_(system.generator.tail.bias, 5.0)
        style = export(system, tmp_path / "x.onnx", name="x")
        (found,) = style.session().run(None, {"image": np.zeros((1, 3, 8, 8), np.float32)})
        assert found.max() == 1.0

    def test_networks_that_see_the_whole_picture_say_so(self, tmp_path):
        system = FastStyle(FastStyle.Config())
        assert isinstance(system.generator, TransformNet)
        style = export(system, tmp_path / "x.onnx", name="x")
        assert (style.card.receptive_field, style.card.multiple) == (0, 4)


class TestSet:
    """Fields that concern the finished style are changed when it is exported."""

    @pytest.fixture
    def run(self, tmp_path):
        system = SuperResolution(SuperResolution.Config(width=8, blocks=1))
        Trainer(system, tmp_path / "run").save()
        return tmp_path / "run"

    def test_a_field(self, run, tmp_path):
        for value, wanted in (("true", True), ("false", False)):
            out = tmp_path / f"{value}.onnx"
            assert main(["export", str(run), "-o", str(out), "--set", f"histogram={value}"]) == 0
            assert read(out).card.match_histogram is wanted

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ("histogram", "--set histogram: write FIELD=VALUE"),
            ("colour=1", "super_resolution has no field colour"),
            ("histogram=maybe", "histogram must be true or false"),
        ],
    )
    def test_what_does_not_fit(self, run, tmp_path, capsys, change, said):
        assert main(["export", str(run), "-o", str(tmp_path / "x.onnx"), "--set", change]) == 2
        assert said in " ".join(capsys.readouterr().err.split())
        assert not (tmp_path / "x.onnx").exists()

    def test_of_the_networks_is_refused(self, run, tmp_path, capsys):
        assert main(["export", str(run), "-o", str(tmp_path / "x.onnx"), "--set", "width=16"]) == 2
        assert len(said := " ".join(capsys.readouterr().err.split())) < 400
        assert "has other networks; set what concerns the finished style alone" in said

    def test_a_file_in_the_way_is_said_first(self, tmp_path, capsys):
        (tmp_path / "x.onnx").touch()
        assert main(["export", str(tmp_path / "no run"), "-o", str(tmp_path / "x.onnx")]) == 1
        assert "exists already" in capsys.readouterr().err

    def test_a_list_may_be_one(self):
        changed = _changed(["picture=wave.jpg", "blend=[0.5, 1]"], "adain", kinds_of(AdaIN.Config))
        assert changed == {"picture": (Path("wave.jpg"),), "blend": (0.5, 1.0)}


class TestNetwork:
    """The way back of those that learn both."""

    @pytest.fixture
    def trainer(self, tmp_path):
        trainer = Trainer(CycleGAN(CycleGAN.Config(width=8, blocks=1)), tmp_path / "run")
        trainer.save()
        return trainer

    @pytest.mark.parametrize("name", ["generator", "inverse"])
    def test_is_the_one_asked_for(self, trainer, tmp_path, name):
        out = tmp_path / "x.onnx"
        assert main(["export", str(trainer.run), "-o", str(out), "--network", name]) == 0
        image = torch.rand(1, 3, 32, 48) * 2 - 1
        with torch.inference_mode():
            wanted = trainer.system.get_submodule(name).eval()(image).clamp(-1, 1).numpy()
        found = read(out).session().run(["stylised"], {"image": image.numpy()})[0]
        assert np.abs(found - wanted).max() < 1e-4

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (
                ("--network", "discriminator_photo"),
                "--network discriminator_photo: choose one of cyclegan's generator or inverse",
            ),
            (("--network", "inverse", "--which", "best"), "best.pt does not hold inverse"),
        ],
    )
    def test_what_cannot_be(self, trainer, tmp_path, capsys, options, said):
        best = runs.finished(trainer.system, 0)
        del best["finished"]["inverse"]  # earlier versions kept one network alone
        runs.save(best, trainer.run, runs.BEST)
        assert main(["export", str(trainer.run), "-o", str(tmp_path / "x.onnx"), *options]) == 2
        assert said in " ".join(capsys.readouterr().err.split())
        assert not (tmp_path / "x.onnx").exists()

    def test_systems_without_one_say_what_they_have(self, tmp_path, capsys):
        Trainer(SuperResolution(SuperResolution.Config(width=8, blocks=1)), tmp_path / "run").save()
        command = ["export", str(tmp_path / "run"), "-o", str(tmp_path / "x.onnx"), "--network", "inverse"]
        assert main(command) == 2
        assert "--network inverse: choose one of super_resolution's generator" in " ".join(
            capsys.readouterr().err.split()
        )
