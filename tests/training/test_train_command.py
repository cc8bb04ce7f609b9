"""The training half as its user meets it: train, export, use."""

import csv

import onnx
import pytest
import torch
from distilling import distil, quick
from PIL import Image

import sakuga
from sakuga import runs
from sakuga.cli import main
from sakuga.export.onnx import weights_sha256


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
    named = tmp_path / "my film: v2\u202e.onnx"  # files may be called what styles may not
    assert main(["export", str(run), "-o", str(named)]) == 0
    assert sakuga.style.load(named).card.name == "my-film-v2"

    Image.open(photos / "0.png").resize((127, 93)).save(picture)
    assert main([str(picture), "-s", str(style)]) == 0
    assert Image.open(tmp_path / "photo.negative.png").size == (127, 93)


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


def test_a_start_from_a_style(photos, tmp_path, monkeypatch):
    """From its file, and from its name where it is installed: one step that moves nothing leaves it as it is."""
    assert distil(photos, tmp_path / "a", *quick("--lr", 0.01)) == 0
    monkeypatch.setenv("SAKUGA_STYLES", str(tmp_path / "styles"))
    (tmp_path / "styles").mkdir()
    assert main(["export", str(tmp_path / "a"), "-o", str(tmp_path / "styles" / "mine.onnx")]) == 0
    a = runs.load(tmp_path / "a")["finished"]["generator"]
    for number, init in enumerate(["mine", tmp_path / "styles" / "mine.onnx"]):
        run = tmp_path / str(number)
        assert distil(photos, run, *quick(), "--init", init, "--steps", 1, "--lr", 0) == 0
        state = runs.load(run)
        for weights in (state["finished"]["generator"], state["networks"]["generator"]):
            assert all(torch.equal(v, weights[k]) for k, v in a.items())


@pytest.mark.filterwarnings("ignore:feature losses use")
@pytest.mark.usefixtures("narrow_vgg")
@pytest.mark.parametrize("body", ["johnson", "fast"])
def test_a_painting_becomes_a_style(photos, tmp_path, body):
    command = ["train", "fast_style", "--run", tmp_path / "run", "--photos", photos, "--style", photos / "1.png"]
    command += ["--crop", 64, "--batch", 2, "--steps", 2, "--body", body, "--features-weights", "random:0"]
    assert main([str(c) for c in [*command, "--accelerator", "cpu"]]) == 0
    assert main(["export", str(tmp_path / "run"), "-o", str(tmp_path / "p.onnx")]) == 0
    assert sakuga.stylize(photos / "0.png", style=tmp_path / "p.onnx").size == (80, 64)
