"""StarGAN v2: its losses in numbers, who moves when, styles from noise and from a reference, its data."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from tiny import Tiny, make_data
from torch import nn
from torch.testing import assert_close

from sakuga.errors import SakugaError, UsageError
from sakuga.export.onnx import export
from sakuga.stylizer import Stylizer
from sakuga.systems.parts.references import zoomed
from sakuga.systems.starganv2 import StarGANv2

SMALL = {"width": 4, "most": 8, "hidden": 8, "numbers": 4, "noise": 3}
TINY = Tiny(
    StarGANv2,
    lambda folder: {"photos": (folder / "domains",), "lr": 5e-4, **SMALL},
    falls=("G+F+E/cycle", 0.98),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


class Score(nn.Module):
    """<k, x> + domain."""

    def __init__(self, k):
        super().__init__()
        self.k = nn.Parameter(k)

    def forward(self, image, domain):
        return (image * self.k).sum((1, 2, 3)) + domain


class Code(nn.Module):
    """A style of one number: the mean of what is given, plus its domain."""

    def forward(self, given, domain):
        return given.flatten(1).mean(1, keepdim=True) + domain[:, None]


def test_one_step_in_numbers(data):
    """A linear discriminator, a generator that adds the style, an encoder that takes the mean: every term is known."""
    torch.manual_seed(0)
    weights = {"penalty": 2.0, "style": 3.0, "diversity": 5.0, "cycle": 7.0}
    system = TINY.build(data, **weights).double()
    x, r, r2 = (torch.rand(2, 3, 4, 4).double() for _ in range(3))
    z, z2 = (torch.rand(2, 5).double() for _ in range(2))
    y, target = torch.tensor([0, 1]), torch.tensor([1, 1])
    k = torch.rand(1, 3, 4, 4).double() / 10
    system.discriminator, system.mapping, system.style_encoder = Score(k), Code(), Code()
    system.generator.forward = lambda image, style, masks: image + style[..., None, None]
    batch = {"photo": x, "domain": y, "reference": r, "reference2": r2, "target": target, "z": z, "z2": z2}
    updates = list(system.step(batch, 25))
    assert [players for players, _ in updates] == ["D", "D", ("G", "F", "E"), "G"]

    mean = lambda image: image.flatten(1).mean(1)  # noqa: E731
    for (given, second), (_, d), (_, g) in zip(((z, z2), (r, r2)), updates[:2], updates[2:], strict=True):
        style, other = mean(given) + target, mean(second) + target
        fake = x + style.view(-1, 1, 1, 1)
        real_score, fake_score = ((image * k).sum((1, 2, 3)) for image in (x, fake))
        assert_close(d["adversarial"], (F.softplus(-real_score - y) + F.softplus(fake_score + target)).mean())
        assert_close(d["penalty"], 2 * k.square().sum() / 2)
        assert_close(g["adversarial"], F.softplus(-fake_score - target).mean())
        assert_close(g["style"], 3 * (style - (mean(fake) + target)).abs().mean())
        assert_close(g["diversity"], -5 * 0.75 * (style - other).abs().mean())  # a quarter of the steps is done
        assert_close(g["cycle"], 7 * (style + mean(x) + y).abs().mean())


def test_diversity_teaches_the_first_picture_alone(data):
    system = TINY.build(data)
    batch = system.batch(0, 0, 1)
    for t, weight in ((0, 1), (50, 0.5), (100, 0)):
        updates = list(system.step(batch, t))
        first, second = (system.mapping(batch[name], batch["target"]) for name in ("z", "z2"))
        with torch.no_grad():
            gap = (system.generator(batch["photo"], first) - system.generator(batch["photo"], second)).abs().mean()
        assert_close(updates[2][1]["diversity"].detach(), -weight * gap)
    second.retain_grad()
    system._generate(batch, (first.detach(), second), 0)["diversity"].backward()
    assert second.grad is None


def test_a_reference_decides_or_noise_does(data, tmp_path):
    system = TINY.build(data)
    style = export(system, tmp_path / "v2.onnx", name="v2")
    photo = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    Image.new("RGB", (70, 30), (250, 20, 20)).save(tmp_path / "red.png")

    def make(**inputs):
        result = Stylizer(style, inputs={"domain": "plain"} | inputs).array(photo)
        assert result.shape == photo.shape
        return result.astype(int)

    noise, other, red = make(z="3"), make(z="4"), make(reference=str(tmp_path / "red.png"))
    assert np.abs(noise - other).max() > 0
    assert np.abs(noise - red).max() > 0
    np.testing.assert_array_equal(make(z="4", reference=tmp_path / "red.png"), red)
    np.testing.assert_array_equal(make(z="3", reference=""), noise)
    assert np.abs(noise - make(z="3", domain="rough")).max() > 0
    (tmp_path / "no.png").write_text("no picture")
    with pytest.raises(SakugaError, match=r"no\.png"):
        make(reference=str(tmp_path / "no.png"))
    with pytest.raises(UsageError, match="domain must be one of plain, rough, not 'wild'"):
        make(domain="wild")
    with pytest.raises(UsageError, match="style v2 needs domain, one of plain, rough"):
        Stylizer(style)


def test_references_are_two_of_one_domain(data):
    system = TINY.build(data, batch=8)
    partners, labels = system.dataset["reference2"].columns[0], system.dataset["target"]
    assert (labels.values[partners.partners] == labels.values).all()
    assert (partners.partners != np.arange(8)).all()
    assert sorted(partners.partners) == list(range(8))
    batch = system.batch(0, 0, 1)
    assert {name: len(value) for name, value in batch.items()} == dict.fromkeys(batch, 8)
    assert batch["reference"].shape == batch["reference2"].shape == (8, 3, 32, 32)


def test_zooming_shows_a_part_of_most_of_the_picture():
    ramp = np.broadcast_to(np.arange(100, dtype=np.uint8)[:, None, None], (100, 100, 3))
    np.testing.assert_array_equal(zoomed(ramp, np.array([0.5, 0, 0, 0, 0])), ramp)
    shown = zoomed(ramp, np.array([0.1, 0.0, 0.5, 0.0, 1.0]))[:, 50, 0].astype(float)
    height = math.sqrt(0.8 * 100**2 / (0.9 * (1.1 / 0.9) ** 0.5))
    assert shown[-1] - shown[0] == pytest.approx(height, abs=2)
    assert shown[-1] == pytest.approx(99, abs=1)


def test_rates_decay_and_averages_are_the_published_ones(data):
    system = TINY.build(data, lr=1e-4)
    groups = {player: o.param_groups[0] for player, o in system.optimizers().items()}
    assert {player: group["lr"] for player, group in groups.items()} == {"D": 1e-4, "G": 1e-4, "F": 1e-6, "E": 1e-4}
    assert all((group["betas"], group["weight_decay"]) == ((0.0, 0.99), 1e-4) for group in groups.values())
    assert system.averaged == ("generator", "mapping", "style_encoder")
    assert system.decay(0) == system.decay(10_000) == 0.999


class Maps(nn.Module):
    """98 heat maps: the jaw's is a half everywhere."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        rest = torch.zeros(len(image), 97, 8, 8).to(image)
        return torch.cat([0 * image[:, :1, ::4, ::4] + 0.5, rest], 1)


def test_heat_maps_keep_high_frequencies(data, tmp_path):
    with pytest.raises(UsageError, match="--high-pass needs a network of landmarks"):
        TINY.build(data, high_pass=1.0)
    system = TINY.bare(data, high_pass=1.0)
    system.heat_maps = Maps()
    system.load()
    assert len(list(system.step(system.batch(0, 0, 1), 0))) == 4
    flat, fine, style = torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32), torch.zeros(1, 4)
    fine[..., ::2, ::2] = 1
    with torch.no_grad():
        none = torch.zeros(1, 1, 8, 8)
        assert_close(system.generator(fine, style, (none, none)), system.generator(fine, style))
        assert (system.translate(fine, style) - system.generator(fine, style)).abs().max() > 1e-3
        assert (system.translate(flat, style) - system.generator(flat, style))[..., 4:-4, 4:-4].abs().max() < 1e-4
    assert export(system, tmp_path / "faces.onnx", name="faces").card.size == (32, 32)


def test_what_cannot_be_trained_on(data, tmp_path):
    for changes, said in (
        ({"photos": (data / "domains" / "plain",)}, "lies in no class's folder"),
        ({"labels": str(data / "labels.csv"), "photos": (data / "photos",)}, "has attributes, and starganv2 learns"),
        ({"crop": 48}, "--crop 48 must be a power of two from 32 on"),
    ):
        with pytest.raises(UsageError, match=said):
            TINY.build(data, **changes)
    make_data(tmp_path)
    (tmp_path / "one").mkdir()
    (tmp_path / "domains" / "plain").rename(tmp_path / "one" / "plain")
    with pytest.raises(UsageError, match="all pictures are of one class, plain: at least two are needed"):
        TINY.build(tmp_path, photos=(tmp_path / "one",))
