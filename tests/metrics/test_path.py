"""Perceptual path length: of generators whose lengths are known, and in `sakuga evaluate`."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sakuga import runs
from sakuga.cli import main
from sakuga.metrics.path import arc, path_length
from sakuga.metrics.perceptual import PerceptualDistance
from sakuga.systems.stylegan2 import StyleGAN2


class Linear(nn.Module):
    """A picture's value is its latent's first number; the mapping multiplies by three."""

    layers = 2

    def __init__(self):
        super().__init__()
        self.mapping = Times()

    def render(self, w):
        return w[:, 0, :1, None, None]


class Times(nn.Module):
    mean = torch.zeros(4)

    def forward(self, z):
        return 3 * z


def squared(a, b):
    return (a - b).square().sum((1, 2, 3))


@pytest.mark.parametrize("end", [False, True])
def test_of_straight_lines(end):
    """d(a, b) / ε² = (3 (b₀ - a₀))², wherever the piece lies."""
    rng = torch.Generator().manual_seed(5)
    a, b = torch.randn(2, 10, 4, generator=rng)
    squares = (9 * (b - a)[:, 0].square()).sort().values.double()
    found = path_length(Linear(), squared, space="w", end=end, pairs=10, seed=5)
    assert found == pytest.approx(float(squares.mean()), rel=0.01)  # in 32 bits; of ten none is beyond the hundredths


def test_of_arcs():
    """Their beginnings are a, and they move at the angle's speed across it."""
    a, b = torch.tensor([[2.0, 0, 0, 0]]), torch.tensor([[0.0, 5, 0, 0]])
    for t, angle in ((0.0, 0.0), (0.5, np.pi / 4), (1.0, np.pi / 2)):
        expected = 2 * torch.tensor([[np.cos(angle), np.sin(angle), 0, 0]])  # of second moment 1: length 2
        torch.testing.assert_close(arc(a, b, torch.tensor([[t]])), expected.float(), atol=1e-6, rtol=0)
    assert path_length(Linear(), squared, space="z", end=True, pairs=5) > 0


def test_a_hundredth_at_either_side_is_left_out():
    lengths = iter(torch.arange(300.0).split(10))
    found = path_length(Linear(), lambda a, b: 1e-8 * next(lengths), space="w", end=True, pairs=300)
    assert found == pytest.approx(np.arange(2, 298).mean(), rel=1e-5)  # places 2.99 down and 296.01 up


@pytest.fixture
def heads(monkeypatch):
    """AlexNet with random weights, to which heads are given, in VGG-16's place."""
    from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork

    def small(name, layers, *, weights=None):
        network = FeatureNetwork("alexnet", LPIPS_LAYERS["alexnet"], weights="random:0")
        widths = {layer: found.shape[1] for layer, found in network(torch.zeros(1, 3, 64, 64)).items()}
        network.heads = {layer: torch.ones(width) for layer, width in widths.items()}
        return network

    monkeypatch.setattr("sakuga.metrics.perceptual.FeatureNetwork", small)


@pytest.mark.filterwarnings("ignore:feature losses")
@pytest.mark.usefixtures("heads")
def test_distance():
    """Small pictures are enlarged, large ones reduced, and gradients flow."""
    distance = PerceptualDistance()
    assert distance.name == "LPIPS[vgg16]"
    one, other = torch.rand(2, 1, 3, 16, 16).requires_grad_()
    value = distance(one, other)
    assert value.shape == (1,)
    assert value > 0
    assert torch.autograd.grad(value.sum(), one)[0].abs().sum() > 0
    assert distance(torch.zeros(1, 3, 512, 512), torch.zeros(1, 3, 512, 512)) == 0


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Of a training that has just begun, and four pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "no-cache"))
    torch.manual_seed(0)
    system = StyleGAN2(StyleGAN2.Config(crop=8, noise=8, width=4, widest=8, layers=2))
    for name in ("run", "faces"):
        (tmp_path / name).mkdir()
    runs.save(runs.finished(system, 1), tmp_path / "run")
    for i in range(4):
        Image.fromarray(np.full((8, 8, 3), 60 * i, np.uint8)).save(tmp_path / "faces" / f"{i}.png")
    few = ["--style-images", "faces", "--count", "4", "--size", "64", "--features", "alexnet", "--weights", "random:0"]
    return ["evaluate", "run", *few, "--json", "found.json"]


def test_evaluate_without_weights(command, tmp_path, capsys):
    assert main(command) == 0
    assert "the path length is left out: the weights of vgg16 are not here" in capsys.readouterr().err
    assert "PPL" not in (tmp_path / "found.json").read_text()


@pytest.mark.filterwarnings("ignore:feature losses")
@pytest.mark.usefixtures("heads")
def test_evaluate(command, tmp_path, capsys):
    assert main([*command, "--pairs", "4"]) == 0
    shown, facts = capsys.readouterr(), json.loads((tmp_path / "found.json").read_text())
    assert "PPL w end" in shown.out
    assert "PPL of 4 pairs is rough" in shown.err
    figures = facts["styles"]["run"]
    assert all(figures[f"PPL {space} {part}"] > 0 for space in "zw" for part in ("full", "end"))
    assert facts["settings"]["path length"] == {"pairs": 4, "distance": "LPIPS[vgg16]"}
