"""Landmark Assisted CycleGAN: its networks, its two stages in numbers, patches, regressors that were trained before."""

import pytest
import torch
from test_system_landmarks import POINTS, mark
from test_system_landmarks import TINY as REGRESSOR
from tiny import Tiny, make_data
from torch import nn
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.networks.landmarks import Assisted, cut_patches, draw_heatmaps
from sakuga.runs import build
from sakuga.systems.landmark_cyclegan import SIDES, LandmarkCycleGAN
from sakuga.training.trainer import Trainer

TINY = Tiny(
    LandmarkCycleGAN,
    lambda folder: {
        **{
            "style": (folder / "style",),
            "landmarks": mark(folder) / "photos",
            "style_landmarks": mark(folder) / "style",
        },
        **{"crop": 64, "load": 64, "width": 8, "blocks": 1, "lr": 2e-3, "first": 50, "pool": 4},
        **{"regressor_width": 4, "regressor_levels": 4},
    },
    falls=("G/cycle", 0.9),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


def count(*networks):
    return sum(p.numel() for network in networks for p in network.parameters())


def test_parameters():
    """CycleGAN's with six blocks and PatchGAN's, and five heat maps more at the first layer."""
    with torch.device("meta"):
        system = LandmarkCycleGAN(LandmarkCycleGAN.Config())
    assert count(system.generator) == 7_837_699 + 5 * 49 * 64 == 7_853_379
    assert count(system.discriminator_style) == 2_764_737
    assert count(system.conditional_photo) == 2_764_737 + 5 * 16 * 64 == 2_769_857
    assert len(system.players["D_local"]) == 6


def test_patches_lie_around_the_landmarks():
    """A picture whose channels are its coordinates shows where its patches are from."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    image = torch.stack([x, y, x])[None].repeat(2, 1, 1, 1)
    points = torch.tensor(
        [[[40, 50], [88, 50], [64, 70], [50, 92], [78, 92]], [[2, 3], [120, 50], [64, 70], [50, 120], [78, 126]]]
    )
    patches = cut_patches(image, points.float())
    shapes = {part: tuple(patch.shape) for part, patch in patches.items()}
    assert shapes == {"eyes": (4, 3, 32, 32), "nose": (2, 3, 28, 24), "mouth": (2, 3, 23, 40)}
    middles = {part: patch.mean((2, 3))[:, :2] for part, patch in patches.items()}
    inside = torch.tensor(
        [[40.0, 50], [15.5, 15.5], [88, 50], [111.5, 50]]
    )  # the left eye of the second lies in the corner
    assert_close(middles["eyes"], inside, atol=0.51, rtol=0)
    assert_close(middles["nose"], torch.tensor([[64.0, 70]] * 2), atol=0.51, rtol=0)
    assert_close(middles["mouth"], torch.tensor([[64.0, 92], [64, 116]]), atol=0.51, rtol=0)


class Constant(nn.Module):
    def __init__(self, value, shape=None):
        super().__init__()
        self.value, self.shape = nn.Parameter(torch.tensor(value)), shape

    def forward(self, x):
        return self.value.expand(len(x), *(self.shape or (3, *x.shape[2:])))


def test_one_step_in_numbers(data):
    system = TINY.build(data)
    system.generator, system.inverse = Constant(0.5), Constant(-0.25)
    for side in SIDES:
        setattr(system, f"regressor_{side}", Constant(0.0, (5, 64, 64)))
        for kind in ("discriminator", "conditional", "eyes", "nose", "mouth"):
            setattr(system, f"{kind}_{side}", Constant(0.25, (1, 2, 2)))
    points = torch.tensor([POINTS, POINTS]).float()
    ones = torch.ones(2, 3, 64, 64)
    batch = {"photo": ones, "style": ones, "photo_points": points, "style_points": points}
    square = draw_heatmaps(points, (64, 64), sigma=2.5).square().mean().item()
    early, late = (dict(system.step(batch, t)) for t in (49, 50))
    assert list(early) == ["R", "G", "D"]
    assert list(late) == ["R", "G", "D", "D_local"]
    assert late["R"]["photo"].item() == pytest.approx(square)
    fool, tell = 0.75**2, (0.75**2 + 0.25**2) / 2
    expected = {
        "adversarial": 0.5 * 2 * fool,
        "conditional": 0.5 * 2 * fool,
        "cycle": 10 * (1.25 + 0.5),
        "landmarks": 100 * 2 * square,
        "local": 0.3 * 6 * fool,
    }
    assert {name: term.item() for name, term in late["G"].items()} == pytest.approx(expected)
    assert set(early["G"]) == set(expected) - {"local"}
    assert all(term.item() == pytest.approx(tell) for player in ("D", "D_local") for term in late[player].values())
    assert (len(late["D"]), len(late["D_local"])) == (4, 6)


def test_the_generators_are_told_whose_landmarks_a_fake_shall_have(data):
    """The way back gets the same ones: they are the photo's, and the fake's are to be."""
    system, told = TINY.build(data), []
    for name in ("generator", "inverse"):
        network = system.get_submodule(name)
        network.register_forward_hook(lambda _, given, __, name=name: told.append((name, given[0][:, 3:])))
    batch = system.batch(0, 0, 1)
    list(system.step(batch, 0))
    maps = {side: draw_heatmaps(batch[f"{side}_points"], (64, 64), sigma=2.5) for side in SIDES}
    wanted = [("generator", "photo"), ("inverse", "style"), ("inverse", "photo"), ("generator", "style")]
    assert [name for name, _ in told] == [name for name, _ in wanted]
    for (_, found), (_, side) in zip(told, wanted, strict=True):
        assert_close(found, maps[side])


def test_regressors_that_were_trained_rest_and_go_into_the_style(data, tmp_path):
    runs = {}
    for kind in ("photos", "style"):
        torch.manual_seed(len(runs))
        fields = {"photos": (data / kind,), "landmarks": mark(data) / kind, "crop": 64, "load": 64, "levels": 4}
        trainer = Trainer(REGRESSOR.build(data, **fields), tmp_path / kind)
        trainer.fit(1)
        runs[kind] = trainer.averages["regressor"].state_dict()
    given = {"regressor": tmp_path / "photos", "style_regressor": tmp_path / "style"}
    system = TINY.build(data, **given)
    assert set(system.players) == {"G", "D", "D_local"}
    trainer = Trainer(system, tmp_path / "run")
    trainer.fit(2)
    again = build(tmp_path / "run")
    for side, kind in (("photo", "photos"), ("style", "style")):
        for name, value in runs[kind].items():
            assert torch.equal(again.of("regressor", side).state_dict()[name], value)
    style = export(again, tmp_path / "style.onnx", name="style")
    assert len(style.card.frame.template) == 5
    assert style.card.frame.side == 64
    with pytest.raises(UsageError, match=r"regressor .* learned crops of 64 pixels with --sigma 2\.5, not of 80"):
        TINY.build(data, **given, crop=80)
    with pytest.raises(UsageError, match=r"regressor .* has networks of --width 4 --levels 4 for 5 landmarks"):
        TINY.build(data, **given, regressor_width=8)
    with pytest.raises(UsageError, match=r"--regressor .*marks holds no checkpoint: name a run of `sakuga train landm"):
        TINY.build(data, regressor=data / "marks")
    with pytest.raises(UsageError, match=r"--regressor .*run is a run of landmark_cyclegan"):
        TINY.build(data, regressor=tmp_path / "run")


def test_users_give_a_picture_alone():
    """The maps that the generator gets are drawn anew where the regressor sees landmarks, sharp as in training."""
    points = torch.tensor([POINTS]).float()

    class Faint(nn.Module):
        def forward(self, image):
            return 0.3 * draw_heatmaps(points, (64, 64), sigma=3.5)

    class Maps(nn.Module):
        def forward(self, x):
            return x[:, 3:]

    assert_close(
        Assisted(Maps(), Faint(), 2.5)(torch.zeros(1, 3, 64, 64)),
        draw_heatmaps(points, (64, 64), sigma=2.5),
        atol=0.02,
        rtol=0,
    )


def test_crops_that_are_too_small_are_refused(tmp_path):
    for crop, least in ((48, "64 or more"), (72, "a multiple of 16 with --regressor-levels 4")):
        with pytest.raises(UsageError, match=f"--crop {crop} must be {least}"):
            TINY.bare(tmp_path, crop=crop)
