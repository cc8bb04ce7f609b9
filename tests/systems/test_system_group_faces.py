"""Groups of faces: what each update moves, what begins as a copy, its terms in numbers, and which folders it takes."""

import copy
import math
import shutil

import pytest
import torch
from PIL import Image
from tiny import Tiny, make_data
from torch import nn
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.networks.mobilefacenet import MobileFaceNet, cut_face
from sakuga.networks.photo2cartoon import GroupDiscriminator, GroupGenerator
from sakuga.systems.group_faces import DISCRIMINATORS, GroupFaces
from sakuga.training.trainer import Trainer

TINY = Tiny(
    GroupFaces,
    lambda folder: {
        "photos": (folder / "domains",),
        "style": (folder / "drawn",),
        "load": 32,
        "width": 4,
        "layers": (4, 3),
        "hourglass": 1,
        "lr": 1e-3,
        "first": 2,
    },
    falls=("G/identity", 0.95),
)


def count(*networks):
    return sum(p.numel() for network in networks for p in network.parameters())


def test_parameters():
    """Of the official code, without the projections that it never uses."""
    with torch.device("meta"):
        light, full = (GroupGenerator(["women"], light=light) for light in (True, False))
        four = GroupGenerator(["women", "men", "kids", "old"])
        discriminators = [GroupDiscriminator(4, layers=layers) for layers in (7, 5)]
        recogniser = MobileFaceNet()
    assert (count(light), count(full), count(four)) == (3_773_735, 70_866_215, 4_331_684)
    assert (count(light.entry, light.exit), count(light.shared)) == (185_983, 3_587_752)
    assert list(map(count, discriminators)) == [13_298_144, 827_104]
    assert count(recogniser) == 1_200_512


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


def test_the_second_stage_begins_with_copies_and_moves_ends_alone(data, tmp_path):
    torch.manual_seed(0)
    system = TINY.build(data)
    assert (system.config.groups, system.config.base, system.others) == (("plain", "rough"), "plain", ["rough"])
    network = system.generator
    before = {name: value.clone() for name, value in network.state_dict().items()}
    step = system.step(system.batch(2, 0, 1), 2)
    _, terms = next(step)
    assert set(terms) == {"style", "style_local", "photo", "photo_local", "groups"}
    for ends in (network.entry, network.exit):
        for name, value in ends["rough"].state_dict().items():
            assert torch.equal(value, ends["plain"].state_dict()[name])
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items() if "rough" not in name)
    assert system.fresh(2) == ("D", "G", "S")
    moved = {part.split(".", 1)[1] for part in system.players["S"]}
    assert moved == {"entry.rough", "exit.rough"}


def test_before_that_the_others_rest(data, tmp_path):
    torch.manual_seed(0)
    system = TINY.build(data, first=50)
    before = copy.deepcopy(system.generator.entry["rough"].state_dict())
    terms = Trainer(system, tmp_path).one_step(system.batch(0, 0, 1))
    assert {name.partition("/")[0] for name in terms} == {"D", "G"}
    assert all(torch.equal(value, before[name]) for name, value in system.generator.entry["rough"].state_dict().items())


class Constant(nn.Module):
    """Returns pictures of one value and logits of another, with a gradient."""

    def __init__(self, *values):
        super().__init__()
        self.values = nn.Parameter(torch.tensor(values, dtype=torch.double))


class Painter(Constant):
    def forward(self, image, group):
        return torch.zeros_like(image) + self.values[0], self.values[1].expand(len(image), 2)


class Discriminator(Constant):
    def forward(self, image):
        score, cam, own = self.values
        logits = torch.stack([own, torch.zeros_like(own)]).expand(len(image), 2)
        return score.expand(len(image), 1, 2, 2), cam.expand(len(image), 2), logits


@pytest.mark.parametrize("objective", ["ce", "mse"])
def test_one_step_in_numbers(data, objective):
    system = TINY.build(data, cycle=2.0, identity=3.0, cam=4.0, group=5.0, first=1, objective=objective).double()
    shared = system.generator.shared, system.inverse.shared
    system.generator, system.inverse = Painter(0.5, 0.3), Painter(-0.5, 0.2)
    system.generator.shared, system.inverse.shared = shared
    for name in DISCRIMINATORS:
        setattr(system, name, Discriminator(0.25, 0.75, 0.4))
    ones = torch.ones(2, 3, 32, 32).double()
    batch = {f"{side}_{group}": ones for side in ("photo", "style") for group in ("plain", "rough")}
    (_, d), (_, g), (_, s) = system.step(batch, 5)
    squares = (0.75**2 + 0.25**2) + (0.25**2 + 0.75**2)
    assert d["style"].item() == pytest.approx(2 * squares)  # two groups
    ce = [math.log(1 + math.exp(-0.4)), math.log(1 + math.exp(0.4))]
    mse = [(0.6**2) / 2, (0.4**2 + 1) / 2]
    own = ce if objective == "ce" else mse
    assert d["groups"].item() == pytest.approx(5 * 4 * sum(own))
    assert s["groups"].item() == pytest.approx(5 * own[1])
    assert g["adversarial"].item() == pytest.approx(4 * (0.75**2 + 0.25**2))
    assert g["cycle"].item() == pytest.approx(2 * (1.5 + 0.5))
    assert g["identity"].item() == pytest.approx(3 * (0.5 + 1.5))
    soft = [math.log(1 + math.exp(-z)) + math.log(1 + math.exp(z)) for z in (0.3, 0.2)]
    assert g["cam"].item() == pytest.approx(4 / 2 * sum(soft))
    assert "groups" not in g
    assert "face" not in g


def test_the_person_is_kept_where_there_is_a_recogniser(data, tmp_path):
    torch.manual_seed(0)
    torch.save(MobileFaceNet().state_dict(), tmp_path / "faces.pth")
    system = TINY.build(data, recogniser=tmp_path / "faces.pth")
    steps = dict(system.step(system.batch(0, 0, 1), 0))
    assert 0 <= steps["G"]["face"].item() <= 4
    assert not any(p.requires_grad for p in system.recogniser.parameters())
    portrait = torch.zeros(1, 3, 210, 210)
    portrait[:, :, 47:180, 38:171] = 1
    assert_close(cut_face(portrait), torch.ones(1, 3, 112, 112))


def test_users_choose_the_group(data):
    torch.manual_seed(0)
    system = TINY.build(data)
    artefact, image = system.artefact(), torch.rand(1, 3, 32, 32)
    assert artefact.inputs[1].names == ("plain", "rough")
    assert artefact.inputs[1].default == "plain"
    for chosen, group in zip(torch.eye(2), artefact.inputs[1].names, strict=True):
        assert_close(artefact.module(image, chosen[None]), system.generator(image, group)[0])
    assert not torch.equal(*(system.generator(image, group)[0] for group in ("plain", "rough")))


def test_groups_that_are_missing(data, tmp_path):
    shutil.copytree(data / "domains", tmp_path / "style")
    (tmp_path / "style" / "men").mkdir()
    Image.new("RGB", (40, 40)).save(tmp_path / "style" / "men" / "a.png")
    with pytest.raises(UsageError, match="--photos has no folder men, which --style has"):
        TINY.build(data, style=(tmp_path / "style",))
    with pytest.raises(UsageError, match="holds no folders"):
        TINY.build(data, photos=(data / "photos",), style=(data / "style",))
    with pytest.raises(UsageError, match="--base men is no group: choose one of plain, rough"):
        TINY.build(data, base="men")
    with pytest.raises(
        UsageError, match="--crop 40 must be a multiple of 16, at least 32, with --hourglass 4 --layers 4 3"
    ):
        TINY.build(data, crop=40, hourglass=4)
