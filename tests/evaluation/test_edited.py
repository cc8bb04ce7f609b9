"""Styles that change labels: edits counted by a classifier, what else changed, the way back, diversity."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sakuga.errors import UsageError
from sakuga.evaluation import attributes, edited
from sakuga.evaluation.edited import evaluate_edited
from sakuga.evaluation.evaluate import Options
from sakuga.export.onnx import export
from sakuga.style.inputs import PICTURE, Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Config, System


class Paint(nn.Module):
    """Sets red by `lit` and the rest by `hue`: it keeps nothing of the photo's where it is asked."""

    def __init__(self, honest):
        super().__init__()
        self.honest = honest

    def forward(self, image, lit, hue, z):
        red = image[:, :1] + (2 if self.honest else 0) * lit[:, None, None, None]
        rest = image[:, 1:] * hue[:, :1, None, None]
        asked = (2 * hue[:, 1:2] - 1 * hue[:, 2:3])[..., None, None]
        return torch.cat([red, rest + asked + 0.1 * z[:, :1, None, None]], 1)


class Painted(System):
    name, players, averaged, Config = "lsgan", {}, (), Config
    honest = True

    def artefact(self, network=None):
        numbers = Input("lit", "number", minimum=-1, maximum=1, default=0.0)
        inputs = (PICTURE, numbers, Input("hue", "choice", names=("keep", "cool", "warm"), default="keep"))
        return Artefact(Paint(self.honest), (*inputs, Input("z", "noise", size=1)))


class Pixels:
    """Features in the place of AlexNet's."""

    heads = None

    def __call__(self, image):
        return image


@pytest.fixture
def labelled(tmp_path, monkeypatch):
    """Photos whose labels are their colours, and a classifier that learns them in an instant."""
    monkeypatch.setattr(edited, "_alexnet", Pixels)
    monkeypatch.setattr(edited, "lpips", lambda a, b, heads: (a - b).abs().mean())
    monkeypatch.setattr(attributes, "STEPS", 30)
    monkeypatch.setattr(attributes, "BATCH", 16)
    rng = np.random.default_rng(0)
    lines = ["file,lit,cool_hue,warm_hue"]
    for i in range(30):
        lit, cool = rng.integers(2, size=2)
        colour = np.array([250 if lit else 5, *([250, 250] if cool else [5, 5])])
        pixels = np.clip(colour + rng.integers(-5, 6, (32, 32, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        lines.append(f"{i}.png,{lit},{cool},{1 - cool}")
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def measured(folder, honest=True):
    Painted.honest = honest
    style = export(Painted(Config(crop=32)), folder / f"{honest}.onnx", name="paint", overwrite=True)
    options = Options(photos=(folder,), labels=str(folder / "labels.csv"), size=64, count=6, threads=1)
    return evaluate_edited("paint", style, options)


def test_edits_are_counted(labelled):
    figures = measured(labelled).styles["paint"]
    assert figures["classifier's own accuracy"] == 1
    assert figures["attribute accuracy"] == 1
    assert figures["others stay"] == 1
    assert figures["reconstruction"] < 0.1
    assert figures["LPIPS diversity"] > 0
    lazy = measured(labelled, honest=False).styles["paint"]
    assert 0.2 < lazy["attribute accuracy"] < 0.8  # one of two inputs does nothing


def test_labels_that_the_style_does_not_know(labelled):
    text = (labelled / "labels.csv").read_text(encoding="utf-8")
    (labelled / "labels.csv").write_text(text.replace("lit,cool_hue,warm_hue", "a,b,c"), encoding="utf-8")
    with pytest.raises(UsageError, match="paint changes none of a, b, c: it is asked for lit, hue"):
        measured(labelled)
