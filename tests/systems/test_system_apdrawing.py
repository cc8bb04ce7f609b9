"""APDrawingGAN: its networks, where parts lie and what is put together, one step in numbers, what users are given."""

import math

import pytest
import torch
from PIL import Image, ImageOps
from test_system_landmarks import POINTS, mark
from tiny import Tiny, make_data
from torch import nn
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.losses import exact_distance_transform
from sakuga.networks.apdrawing import (
    PARTS,
    SIZES,
    APDrawingGenerator,
    Drawing,
    cut,
    guess_foreground,
    patch_sizes,
    place_patches,
    split_outside,
)
from sakuga.systems.apdrawing import TEMPLATE, APDrawingGAN


def fields(folder):
    """Squares of the photos, drawings of two tones made of them, landmarks, and masks."""
    place = folder / "pen"
    if folder.exists() and not place.exists():
        for kind in ("photo", "target", "mask"):
            (place / kind).mkdir(parents=True)
        for path in sorted((folder / "photos").glob("*.png")):
            square = Image.open(path).crop((0, 0, 40, 40))
            square.save(place / "photo" / path.name)
            square.convert("L").point(lambda value: 255 * (value > 96)).save(place / "target" / path.name)
            Image.new("L", (32, 40), 255).save(place / "mask" / path.name)
            ImageOps.expand(Image.open(place / "mask" / path.name), (4, 0)).save(place / "mask" / path.name)
    return {
        **{"photos": (place / "photo",), "targets": place / "target", "masks": place / "mask"},
        **{"landmarks": mark(folder, ("pen/photo",)) / "pen/photo", "crop": 64, "lr": 2e-3},
        **{"width": 4, "levels": 4, "segmenter_width": 4},
    }


TINY = Tiny(APDrawingGAN, fields, falls=("G/l1", 0.95), batch_statistics="batch norm")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


def count(*networks):
    return sum(p.numel() for network in networks for p in network.parameters())


def test_the_papers_networks():
    with torch.device("meta"):
        system = APDrawingGAN(APDrawingGAN.Config())
        generator = system.generator
        assert count(generator.whole) == 54_409_857
        assert [count(generator.parts[part]) for part in SIZES] == [1_447_553] * 4
        assert [count(generator.parts[part]) for part in ("hair", "background")] == [1_710_209] * 2
        assert count(generator.fusion) == 157_505
        assert [count(system.get_submodule(name)) for name in system.players["D"]] == [2_766_657] * 7


def test_parts_lie_at_the_landmarks():
    points = torch.tensor([TEMPLATE, [(5.0, 3), (500, 3), (256, 260), (4, 508), (500, 508)]])
    first, second = place_patches(points, 512)
    assert patch_sizes(512) == SIZES
    middle = {part: (p.left + (p.width - 1) / 2, p.top + (p.height - 1) / 2) for part, p in first.items()}
    wanted = {
        **{"eye_left": (201.1, 238.9), "eye_right": (310.9, 238.9), "nose": (256, 295.8)},
        **{"mouth": (256, 370.8)},
    }
    for part, (x, y) in wanted.items():
        assert middle[part] == pytest.approx((x, y), abs=0.5)
    assert (second["eye_left"].top, second["eye_left"].left) == (0, 0)
    assert (second["mouth"].top, second["eye_right"].left) == (512 - 80, 512 - 112)
    ramp = torch.arange(512.0).expand(2, 1, 512, 512)
    assert_close(cut(ramp, [first, second], "nose")[:, 0, 5, 0], torch.tensor([first["nose"].left, 208.0]))
    person = guess_foreground(points[:1], 512)
    masks = split_outside(person, [first])
    for part in SIZES:
        assert cut(masks["hair"], [first], part).sum() == 0
    assert 0.9 < (person.sum() - masks["hair"].sum()) / 32_912 < 1.1  # of 37,376; nose and eyes share some
    assert_close(masks["background"], 1 - person)
    assert [person[0, 0, y, x].item() for y, x in ((247, 256), (500, 256), (20, 20), (500, 20))] == [1, 1, 0, 0]


class Constant(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value, dtype=torch.double))

    def forward(self, x):
        return self.value.expand(len(x), 1, *x.shape[2:])


class Second(nn.Module):
    def forward(self, x):
        return x[:, 1:]


def test_the_darkest_part_counts_and_paper_is_white():
    generator = APDrawingGenerator(width=2, levels=4).double()
    generator.fusion = Second()
    grays = dict(zip(PARTS, (-0.5, 0.5, -0.25, 0.0, 0.25, -0.75), strict=True))
    for part, gray in grays.items():
        generator.parts[part] = Constant(gray)
    points = torch.tensor([TEMPLATE]).double() / 4
    places, person = place_patches(points, 128), guess_foreground(points, 128)
    drawing = generator(torch.zeros(1, 3, 128, 128).double(), person, places)
    hair = split_outside(person, places)["hair"].bool()
    assert (drawing.fused[hair] == 0.25).all()
    assert (drawing.fused[person == 0] == -0.75).all()
    assert (drawing.parts["hair"][~hair] == 1).all()
    eye = places[0]["eye_left"]
    assert (drawing.fused[..., eye.top : eye.top + eye.height, eye.left : eye.left + eye.width] == -0.5).all()


class Fake(nn.Module):
    """Draws known grays of all parts."""

    def __init__(self, gray):
        super().__init__()
        self.gray = nn.Parameter(torch.tensor(gray, dtype=torch.double))

    def forward(self, image, foreground, places):
        sizes = patch_sizes(64) | dict.fromkeys(("hair", "background"), (64, 64))
        parts = {part: self.gray.expand(len(image), 1, *size) for part, size in sizes.items()}
        return Drawing(self.gray.expand(len(image), 1, 64, 64), parts)


def test_one_step_in_numbers(tmp_path):
    """A white portrait and drawing, a fake of one gray: L1 is ½ everywhere, all distances 1, all scores 0.25."""
    system = TINY.bare(tmp_path, masks=None).double()
    system.generator = Fake(0.5)
    for name in system.players["D"]:
        setattr(system, name, Constant(0.25))
    ones = torch.ones(2, 3, 64, 64).double()
    points = torch.tensor([POINTS, POINTS]).double() * 64 / 40
    batch = {"photo": ones, "target": ones, "points": points}
    steps = dict(system.step(batch, 0))
    assert list(steps) == ["D", "G"]
    fool, tell = math.log1p(math.exp(-0.25)), (math.log1p(math.exp(-0.25)) + math.log1p(math.exp(0.25))) / 2
    assert {name: term.item() for name, term in steps["D"].items()} == pytest.approx(
        dict.fromkeys(("whole", *PARTS), tell)
    )
    # Both drawings are white: nothing is black, so distances to black are 1 where the soft mask says black, to white 0.
    black = [1 / (1 + math.exp(10 * gray)) for gray in (1.0, 0.5)]
    expected = {
        **{"adversarial": fool, "adversarial_local": 0.25 * 6 * fool, "l1": 100 * 0.5, "l1_local": 25 * 6 * 0.5},
        "distance": 0.1 * 64 * 64 * sum(black),
    }
    assert {name: term.item() for name, term in steps["G"].items()} == pytest.approx(expected)
    system.config.distance = 0.0
    assert "distance" not in dict(system.step(batch, 0))["G"]


def test_equal_drawings_are_no_distance_apart_and_others_are_pulled(data):
    system = TINY.build(data, masks=None).double()
    batch = {k: v.double() for k, v in system.batch(0, 0, 1).items()}
    drawn = batch["target"][:, :1].sign()
    batch["target"] = drawn.expand(-1, 3, -1, -1)

    class Given(Fake):
        def forward(self, image, foreground, places):
            drawing = super().forward(image, foreground, places)
            return Drawing(drawn + 0 * self.gray if self.same else self.gray * torch.ones_like(drawn), drawing.parts)

    system.generator = Given(0.5)
    found = []
    for same in (True, False):
        system.generator.same = same
        found.append(dict(system.step(batch, 0))["G"]["distance"])
    total = sum(exact_distance_transform(drawn).sum((1, 2, 3)).mean() for _ in range(2))
    assert found[0] <= 0.1 * total * 1 / (1 + math.exp(10)) * 1.01
    assert found[1] > 100 * found[0]
    (slope,) = torch.autograd.grad(found[1], system.generator.gray)
    assert slope.abs() > 0


def test_users_give_a_face_alone(data, tmp_path):
    for fields, masks in (({}, True), ({"masks": None, "batch": 1}, False)):
        system = TINY.bare(data, **fields).eval()
        artefact = system.artefact()
        assert (artefact.module.segmenter is not None) == masks
        assert any(isinstance(one, nn.BatchNorm2d) for one in artefact.module.modules()) == masks
        assert (artefact.frame.side, artefact.size) == (64, (64, 64))
        assert artefact.frame.template[0] == pytest.approx((201.1 / 8, 246.9 / 8))
        drawing = artefact.module.eval()(torch.zeros(1, 3, 64, 64))
        assert drawing.shape == (1, 3, 64, 64)
        assert torch.equal(drawing[:, 0], drawing[:, 2])


def test_bad_input_is_named(data, tmp_path):
    with pytest.raises(UsageError, match="--crop 64 must be a multiple of 128 with --levels 7"):
        TINY.bare(tmp_path, levels=7)
    with pytest.raises(UsageError, match=r"has no landmarks in .*target"):
        TINY.build(data, landmarks=data / "pen" / "target")
    Image.new("L", (40, 40)).save(tmp_path / "0.png")
    with pytest.raises(UsageError, match=r"1\.png has no partner in .* \(3 such pictures\): add it"):
        TINY.build(data, masks=tmp_path)
