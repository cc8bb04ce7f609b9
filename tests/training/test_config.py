"""What a training is told: defaults, preset, file, command line; --dry-run; the run's own config.toml."""

import shutil
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest
import torch
from PIL import Image

from sakuga import runs
from sakuga.cli import main
from sakuga.commands.train_options import Loop, parse
from sakuga.errors import UsageError
from sakuga.systems import SYSTEMS, config, load_system
from sakuga.systems.distill import Distill
from sakuga.systems.fields import Role
from sakuga.training import advice, device
from sakuga.training.dry_run import duration


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        noise = np.random.default_rng(i).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{i}.png")
    return folder


def invert(photo):
    """The teacher of these tests."""
    return 255 - photo


@pytest.fixture
def distil(photos, tmp_path, capsys):
    """Run `sakuga train distill` on a few tiny photos; return status, standard output and standard error."""

    def run(*more, steps=2, folder="run"):
        command = ["train", "distill", "--run", tmp_path / folder, "--photos", photos, "--cache", tmp_path / "cache"]
        command += ["--teacher", f"{__name__}:invert", "--perceptual", 0, "--crop", 32, "--batch", 2, "--steps", steps]
        status = main([str(c) for c in [*command, "--width", 8, "--blocks", 1, "--accelerator", "cpu", *more]])
        return status, *capsys.readouterr()

    return run


class TestLayers:
    @pytest.fixture(autouse=True)
    def presets(self, monkeypatch):
        monkeypatch.setattr(Distill, "presets", {"bold": {"edges": 3.0, "pixel": 3.0, "color": 3.0}, "pale": {}})

    def test_each_wins_over_the_one_before(self, tmp_path):
        file = tmp_path / "c.toml"
        file.write_text("pixel = 2\ncolor = 2.0\nclip = 5\nsave-every = 7\nmatch_tone = true\n")
        args = [
            "--run",
            "r",
            "--photos",
            "p",
            "--preset",
            "bold",
            "--config",
            str(file),
            "--color",
            "1",
            "--ema",
            "0.5",
        ]
        call, loop, c = parse(Distill, args)
        assert (call.run, call.dry_run) == (Path("r"), False)
        assert (c.gram, c.edges, c.pixel, c.color) == (0.0, 3.0, 2.0, 1.0)
        assert (loop.clip, loop.save_every, c.ema, loop.accumulate) == (5.0, 7, 0.5, 1)
        assert c.match_tone is True
        assert type(c.pixel) is float

    @pytest.mark.parametrize("old", [["--micro", "2"], ["--micro=2"], ["--config", "c.toml"]])
    def test_accumulation_by_its_earlier_name(self, old, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("c.toml").write_text("micro = 2\n")
        assert parse(Distill, ["--run", "r", "--photos", "p", *old])[1].accumulate == 2

    def test_an_unknown_preset(self):
        with pytest.raises(UsageError, match="distill has no preset 'hayao'; it has bold, pale"):
            parse(Distill, ["--run", "r", "--photos", "p", "--preset", "hayao"])

    def test_presets_are_listed(self, capsys):
        assert main(["train", "distill", "--help"]) == 0
        assert "Presets: bold, pale." in capsys.readouterr().out

    def test_help_shows_the_values_of_a_preset(self, capsys):
        assert main(["train", "distill", "--preset", "bold", "--help"]) == 0
        said = capsys.readouterr().out
        assert "(default: 3.0)" in said
        assert "--dry-run" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rate = 1", "distill has no field learning_rate; `sakuga train distill --help` lists its fields"),
        ("pixl = 1", "distill has no field pixl; did you mean pixel?"),
        ("lr = 'fast'", 'lr must be a number, not "fast"'),
        ("lr = true", "lr must be a number, not true"),
        ("batch = 1.5", "batch must be a whole number, not 1.5"),
        ("match_tone = 1", "match_tone must be true or false, not 1"),
        ("photos = 'a'", 'photos must be a list (each a path as text), not "a"'),
        ("photos = [1]", "photos must be a list (each a path as text), not [1]"),
        ("init = 3", "init must be a path as text, not 3"),
        ("precision = 'half'", 'precision must be one of auto, 32-true, bf16-mixed, not "half"'),
        ("teacher = [", "is not TOML: "),
        (f"lr = {'[' * 5000}", "is nested too deeply: name the file of a run"),
        (f"{'.'.join(['lr'] * 5000)} = 1", "lr must be a number, not what is nested deeply"),
        (f"steps = {'9' * 5000}", "is not TOML: Exceeds the limit"),
        ("system = 'cyclegan'", "is of cyclegan, not of distill"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_files_that_do_not_fit(text, said, tmp_path):
    file = tmp_path / "c.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError) as caught:
        parse(Distill, ["--run", "r", "--photos", "p", "--config", str(file)])
    assert f"--config {file}" in str(caught.value)
    assert said in str(caught.value)


@dataclass
class Odd:
    words: tuple[str, ...] = ('a "b"', "c\\d\n", "é")
    """First line,
    second line."""
    size: tuple[int, int] = (3, 4)
    kind: Literal["x", "y"] = "y"
    tiny: float = 1e-5
    unset: Path | None = None
    cleared: str | None = "text"
    lots: float = 1e22
    yes: bool = True


class TestFile:
    def test_what_is_written_is_read(self, tmp_path):
        odd = Odd(cleared=None, words=('"', "\\", "é\n"))
        config.write(tmp_path / "c.toml", "odd", odd)
        found = config.read(tmp_path / "c.toml", "odd", config.kinds_of(Odd))
        assert Odd(**found) == odd
        assert "\n# First line, second line.\nwords = [" in (tmp_path / "c.toml").read_text()

    @pytest.mark.parametrize("system", [*map(load_system, SYSTEMS)], ids=lambda system: system.name)
    def test_every_system_s_config(self, system, tmp_path):
        config.write(tmp_path / "c.toml", system.name, system.Config(), Loop())
        kinds = config.kinds_of(Loop, system.Config)
        found = config.read(tmp_path / "c.toml", system.name, kinds)
        assert system.Config(**{f.name: found[f.name] for f in fields(system.Config) if f.name in found}) == (
            system.Config()
        )
        for values in system.presets.values():
            assert {name: config.typed(config.plain(value), kinds[name]) for name, value in values.items()} == values


class TestRun:
    def test_the_run_s_own_file_repeats_it(self, distil, tmp_path):
        assert distil("--lr", 0.01, "--clip", 0.5)[0] == 0
        file = tmp_path / "run" / "config.toml"
        found = tomllib.loads(file.read_text())
        assert (found["system"], found["lr"], found["clip"], found["width"]) == ("distill", 0.01, 0.5, 8)
        assert found["photos"] == [str(tmp_path / "photos")]
        assert main(["train", "distill", "--config", str(file), "--run", str(tmp_path / "again")]) == 0
        a, b = (runs.load(tmp_path / name) for name in ("run", "again"))
        assert a["config"] == b["config"]
        assert a["options"] == b["options"]
        assert all(
            torch.equal(value, b["finished"]["generator"][name]) for name, value in a["finished"]["generator"].items()
        )

    def test_a_changed_field_is_told(self, distil, tmp_path):
        assert distil("--lr", 0.01)[0] == 0
        status, said, _ = distil("--lr", 0.005, "--micro", 2, steps=3)
        assert status == 0
        assert said.splitlines()[1:] == ["  lr: 0.01 -> 0.005", "  steps: 2 -> 3", "  accumulate: 1 -> 2"]
        assert "lr = 0.005" in (tmp_path / "run" / "config.toml").read_text()
        _, said, _ = distil("--lr", 0.005, "--micro", 2, steps=3)
        assert said.splitlines() == [f"{tmp_path / 'run'} has done its 3 steps already; larger --steps go on with it"]

    def test_pictures_that_were_added_are_told(self, distil, tmp_path):
        assert distil()[0] == 0
        shutil.copy(tmp_path / "photos" / "0.png", tmp_path / "photos" / "new.png")
        status, said, _ = distil(steps=3)
        assert status == 0
        assert said.splitlines()[1:] == ["  steps: 2 -> 3", "  pictures of photos: 3 -> 4"]

    def test_another_size_is_refused_before_anything_is_written(self, distil, tmp_path):
        assert distil()[0] == 0
        before = (tmp_path / "run" / "config.toml").read_text()
        status, _, said = distil("--width", 16)
        assert status == 1
        assert "was trained with other network sizes" in said
        assert (tmp_path / "run" / "config.toml").read_text() == before

    def test_few_pictures(self, distil):
        advised = "few pictures (3 in --photos): below 1,000"
        assert advised in distil()[1]
        assert advised not in distil(steps=3)[1]

    def test_advice_names_the_option_where_there_is_one(self, photos, monkeypatch):
        @dataclass
        class Augmented:
            photos: Annotated[tuple[Path, ...], Role("photos")]
            painting: Annotated[Path, Role("style", of="picture")]
            augment: bool = False
            init: Path | None = None
            cache: Path = Path()

        c = Augmented((photos,), photos / "0.png")
        assert advice.count_pictures(c) == {"photos": 3, "painting": 1}
        assert "--augment helps" in advice.few_pictures(c)
        assert "--augment" not in advice.few_pictures(Augmented((photos,), photos / "0.png", augment=True))
        monkeypatch.setattr(advice, "FEW", 3)
        assert not advice.few_pictures(c)

    def test_compiled_networks_leave_a_plain_checkpoint(self, distil, tmp_path, monkeypatch):
        compiled, real = [], torch.nn.Module.compile

        def compile(network):
            compiled.append(type(network).__name__)
            real(network, backend="eager")  # traces as the real one does and needs no C++ compiler

        monkeypatch.setattr(torch.nn.Module, "compile", compile)
        assert distil("--compile", "--precision", "32-true", folder="compiled")[0] == 0
        assert compiled == ["FastGenerator", "PatchGAN"]
        assert distil("--precision", "32-true", folder="plain")[0] == 0
        a, b = (runs.load(tmp_path / name)["networks"]["generator"] for name in ("compiled", "plain"))
        assert all(torch.allclose(value, b[name], atol=1e-5) for name, value in a.items())
        assert distil("--precision", "32-true", folder="compiled", steps=3)[0] == 0


class TestDryRun:
    @pytest.mark.parametrize(
        ("seconds", "said"),
        [
            (0.4, "0 seconds"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7199, "120 minutes"),
            (7200, "2 hours"),
            (86_400 * 2.6, "3 days"),
            (86_400 * 2000, "2,000 days"),
        ],
    )
    def test_time_in_words(self, seconds, said):
        assert duration(seconds) == f"about {said}"

    def test_it_says_what_a_training_costs_and_writes_nothing(self, distil, tmp_path):
        status, said, _ = distil("--dry-run", "--adversarial", 0.1, steps=1000)
        assert status == 0
        assert not (tmp_path / "run").exists()
        rows = dict(line.strip().split("  ", 1) for line in said.splitlines() if line.startswith("  "))
        rows = {name: value.strip() for name, value in rows.items()}
        # FastGenerator, width 8, 1 block: counted from its definition in tests/networks.
        assert rows["generator (G)"].endswith("parameters")
        assert rows["photos"] == "3 pictures"
        assert rows["batch of photo"] == "2 x 3 x 32 x 32"
        assert rows["terms"] == "G/pixel, G/edges, G/adversarial, D/hinge"  # the discriminator joins late
        assert int(rows["peak memory"].removesuffix(" MiB").replace(",", "")) > 50
        assert "at the end (this run has 1,000 to go: about " in rows["1,000 steps"]

    def test_a_run_that_is_there_stays_as_it_is(self, distil, tmp_path):
        assert distil()[0] == 0
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
        status, said, _ = distil("--dry-run", "--lr", 0.5, steps=9)
        assert status == 0
        assert "  lr: 0.001 -> 0.5" in said
        assert "(this run has 7 to go: about " in said
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before

    def test_bad_data_is_found(self, distil, monkeypatch):
        monkeypatch.setattr(Distill, "batch", lambda *_: {"photo": torch.full((2, 3, 32, 32), torch.nan)})
        status, _, said = distil("--dry-run")
        assert status == 1
        assert "the batch's photo is not finite" in said


class TestPrecision:
    @pytest.mark.parametrize(("avx", "amx", "wanted"), [(1, 0, "bf16-mixed"), (0, 1, "bf16-mixed"), (0, 0, "32-true")])
    def test_processors(self, avx, amx, wanted, monkeypatch):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bool(avx))
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: bool(amx))
        assert device.choose_precision("cpu") == wanted

    def test_graphics(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: not including_emulation)
        assert device.choose_precision("auto") == "bf16-mixed"
        assert device.choose_precision("mps") == "32-true"

    def test_what_was_asked_for_is_used(self, distil, tmp_path):
        assert distil("--precision", "32-true")[0] == 0
        assert runs.load(tmp_path / "run")["options"]["precision"] == "32-true"
