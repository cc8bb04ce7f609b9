"""StyleCariGAN: its blocks, what zero exaggeration is, one step in numbers, the runs that it takes."""

import math

import pytest
import torch
from tiny import Tiny, make_data
from torch import nn
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.networks.resnet18 import Classified
from sakuga.networks.stylecarigan import (
    SIDES,
    Caricaturist,
    ExaggerationBlock,
    FeatureDiscriminator,
    Made,
    StyleCariGenerator,
    coarse_levels,
)
from sakuga.runs import build, load
from sakuga.systems.cam_classifier import CAMClassifier, CAMClassifierConfig
from sakuga.systems.stylecarigan import StyleCariGAN
from sakuga.systems.stylegan2 import StyleGAN2, StyleGAN2Config
from sakuga.training.trainer import Trainer

SIZES = {"noise": 8, "width": 4, "widest": 8, "layers": 2}


def fields(folder):
    """Two runs of stylegan2, and one of cam_classifier, as they are before any step."""
    runs = folder / "stylecari"
    if folder.exists() and not runs.exists():
        for side in SIDES:
            Trainer(StyleGAN2(StyleGAN2Config(crop=32, **SIZES)), runs / side).save()
        config = CAMClassifierConfig(classes=("nose", "chin"), attributes=True, width=2, crop=32)
        Trainer(CAMClassifier(config), runs / "attributes").save()
    known = {f"{name}_attributes": runs / "attributes" for name in SIDES} | {"identity": runs / "attributes"}
    generators = {f"{side}_run": runs / side for side in SIDES}
    return {"photos": (), **generators, **known, **SIZES, "lr": 0.01, "recognition": 1.0}


TINY = Tiny(StyleCariGAN, fields, falls=("D/caricature", 0.95), at=1, batch_statistics="the minibatch's deviation")


def test_the_published_blocks():
    with torch.device("meta"):
        block, generator = ExaggerationBlock(512), StyleCariGenerator()
    assert sum(p.numel() for p in block.parameters()) == 4_719_616
    assert sum(p.numel() for p in generator.blocks["photo"].parameters()) == 18_878_464
    assert {p.requires_grad for p in generator.generators.parameters()} == {False}
    assert [coarse_levels(side) for side in (16, 32, 64, 256, 1024)] == [2, 3, 4, 4, 4]


def generator(side=32):
    """One whose blocks do something, and whose two synthesis networks differ."""
    torch.manual_seed(0)
    made = StyleCariGenerator(8, side=side, width=4, widest=8, layers=2)
    for parameter in made.generators.parameters():
        if parameter.ndim <= 1:
            nn.init.normal_(parameter, std=0.1)
    return made.double()


def swapped(network, w, fine):
    """The photo generator up to the last coarse size, then the other's layers, by hand."""
    photo, caricature = (network.of(side).synthesis for side in SIDES)
    x = photo.first(photo.const.expand(len(w), -1, -1, -1), w[:, 0])
    picture = photo.first_rgb(x, w[:, 1])
    for number, block in enumerate(photo.blocks):
        layers, latents = (block, w) if number < network.levels - 1 else (caricature.blocks[number], fine)
        x, picture = layers(x, picture, latents[:, 2 * number + 1 : 2 * number + 4])
    return picture


@pytest.mark.parametrize("side", [32, 64])
def test_zero_exaggeration_is_the_layer_swapped_generator(side):
    network = generator(side)
    count = network.of("photo").synthesis.count
    w, fine = torch.randn(2, 2, count, 8, dtype=torch.double)
    target = swapped(network, w, fine)
    assert_close(network("photo", w, fine, times=0.0).image, target)
    assert not torch.allclose(network("photo", w, fine).image, target)
    with torch.no_grad():
        for parameter in network.blocks.parameters():
            parameter.zero_()
    assert_close(network("photo", w, fine).image, target)
    assert_close(network("photo", w, way="back").image, network.of("photo").synthesis(w))


def test_its_own_picture_and_features():
    network = generator().train()
    w = torch.randn(2, network.of("photo").synthesis.count, 8, dtype=torch.double)
    own = network("caricature", w, way="stay")
    assert_close(own.image, network.of("caricature").synthesis(w))
    assert [tuple(x.shape) for x in own.before] == [(2, 8, 4, 4), (2, 8, 8, 8), (2, 8, 16, 16)]
    there, back = network("photo", w, w), network("photo", w, way="back")
    block, other = network.block("photo", 0), network.block("caricature", 0)
    assert_close(there.after[0], block(there.before[0]))
    assert_close(back.after[0], other(block(back.before[0])))
    x = there.before[0]
    assert_close(block(x, torch.full((2, 1, 1, 1), 2.0).double()), 2 * block(x) - x)


def test_the_features_discriminator_begins_where_pictures_have_been():
    torch.manual_seed(0)
    assert FeatureDiscriminator(16, 8, 8)(torch.randn(2, 8, 16, 16)).shape == (2, 1)


class Given(nn.Module):
    """Makes pictures and features of one value for each way."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()).double())
        self.real = StyleCariGenerator(8, side=32, width=4, widest=8, layers=2).double()
        self.of = self.real.of

    def block(self, source, level):
        return lambda x: x + (0.5 if source == "photo" else 0.25)

    def forward(self, source, w, fine=None, way="there", times=1.0):
        value = {"stay": 0.0, "there": 1.0, "back": 0.5}[way] + (0.25 if source == "photo" else 0.0)

        def full(value, *shape):
            return self.one * torch.full((len(w), *shape), value).double()

        before, after = ([full(one, 8, 4, 4)] * 3 for one in (value, value + 1))
        return Made(full(value, 3, 32, 32), before, after)


class Mean(nn.Module):
    """Scores, logits and features that are the mean."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor).double())

    def forward(self, image):
        return self.factor * image.mean((1, 2, 3))[:, None]


class Classify(Mean):
    """The same as a classifier has it."""

    def forward(self, image):
        return Classified(super().forward(image), image)


def test_one_step_in_numbers(tmp_path):
    system = TINY.bare(tmp_path, recognition=100.0, penalty=10.0).double()
    system.generator = Given()
    for side in SIDES:
        setattr(system, f"discriminator_{side}", Mean())
        setattr(system, f"discriminator_{side}_features", Mean(0.5))
    system.attributes = nn.ModuleDict({"photo": Classify(), "caricature": Classify(2.0)})
    system.identity = Classify()
    batch = {name: value.double() for name, value in system.data().batch(0).items()}
    (first, d), (second, r1), (third, g) = system.step(batch, 0)
    assert (first, second, third) == ("D", "D", "G")

    def softplus(x):
        return math.log1p(math.exp(x))

    # Photo: own .25, caricature made of it 1.25. Caricature: own 0, photo made of it 1.
    assert d["photo"].item() == pytest.approx(softplus(-0.25) + softplus(1))
    assert d["caricature"].item() == pytest.approx(softplus(0) + softplus(1.25))
    assert d["photo_features"].item() == pytest.approx(softplus(-0.125) + softplus(0.5 * 2))
    assert d["caricature_features"].item() == pytest.approx(softplus(0) + softplus(0.5 * 2.25))
    assert r1["r1_photo"].item() == pytest.approx(160 / 2 / (3 * 32 * 32))
    assert g["adversarial"].item() == pytest.approx(10 * (softplus(-1) + softplus(-1.25)) / 2)
    assert g["features"].item() == pytest.approx(2 * (softplus(-1) + softplus(-1.125)) / 2)
    # After a block 1 more, after the way back of photos .25 more, of caricatures .5
    assert g["cycle"].item() == pytest.approx(10 * 3 * (1.25**2 + 1.5**2) / 2)

    def cross(logit, target):
        p = 1 / (1 + math.exp(-target))
        return p * softplus(-logit) + (1 - p) * softplus(logit)

    assert g["attributes"].item() == pytest.approx(10 * (cross(2 * 1.25, 0.25) + cross(1.0, 2 * 0.0)) / 2)
    assert g["recognition"].item() == pytest.approx(100 * 0.5**2)
    assert len(list(system.step(batch, 1))) == 2


def test_runs_are_taken_over_and_only_blocks_move(tmp_path):
    data = make_data(tmp_path / "data")
    system = TINY.build(data)
    state = load(data / "stylecari" / "photo")
    assert_close(dict(system.discriminator_photo.state_dict()), dict(state["networks"]["discriminator"]))
    own = {name: value.clone() for name, value in system.generator.of("photo").state_dict().items()}
    assert_close(own, dict(state["finished"]["generator"]))
    trainer = Trainer(system, tmp_path / "run")
    trainer.one_step(trainer.batch(0))
    for name, value in system.generator.of("photo").state_dict().items():
        assert torch.equal(value, own[name])
    found = TINY.bare(data, noise=0)
    assert (found.config.noise, found.config.widest, found.config.crop) == (8, 8, 32)
    trainer.save()
    drawn = Caricaturist(build(tmp_path / "run").generator.eval())
    z, one = torch.randn(1, 8), torch.ones(1)
    made = [drawn(z, z, times * one, one) for times in (0.0, 1.0, 2.0)]
    assert not torch.equal(made[0], made[1])
    assert not torch.equal(made[1], made[2])


def test_what_is_missing(tmp_path):
    data = make_data(tmp_path / "data")
    with pytest.raises(UsageError, match="--photo-run is missing: name a run of `sakuga train stylegan2` on photos"):
        TINY.build(data, photo_run=None)
    with pytest.raises(UsageError, match=r"--caricature-run .* holds no checkpoint"):
        TINY.build(data, caricature_run=tmp_path)
    with pytest.raises(UsageError, match=r"--photo-run .* is a run of cam_classifier: name one of"):
        TINY.build(data, photo_run=data / "stylecari" / "attributes")
    with pytest.raises(UsageError, match=r"--photo-run .* has networks of other sizes"):
        TINY.build(data, width=2)
    with pytest.warns(UserWarning, match="no run of cam_classifier for identity"):
        TINY.build(data, identity=None)
