"""CariGAN: weak pairs, drawings of landmarks, masks, one step in numbers."""

import json
import math
import shutil

import numpy as np
import pytest
import torch
from tiny import Tiny, make_data
from torch import nn
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.networks.cariganet import DRAWN, draw_points
from sakuga.stylizer import Stylizer
from sakuga.systems.cariganet import CariGAN
from sakuga.systems.parts.people import part_mask


def face(width, height):
    """Sixty-eight points with eyes, nose and mouth where they belong."""
    points = np.random.default_rng(0).uniform(0.1, 0.9, (68, 2))
    for part, x, y in ((range(17, 22), 0.3, 0.3), (range(36, 42), 0.3, 0.4), (range(22, 27), 0.7, 0.3)):
        points[part] = [x, y] + 0.08 * np.stack([np.cos(np.arange(len(part))), np.sin(np.arange(len(part)))], 1)
    for part, x, y in ((range(42, 48), 0.7, 0.4), (range(27, 36), 0.5, 0.55), (range(48, 60), 0.5, 0.8)):
        points[part] = [x, y] + 0.08 * np.stack([np.cos(np.arange(len(part))), np.sin(np.arange(len(part)))], 1)
    return points * [width, height]


def fields(folder):
    """Two people with two photos and two caricatures each."""
    weak = folder / "weak"
    if folder.exists() and not weak.exists():
        for kind in ("photos", "style"):
            for i, path in enumerate(sorted((folder / kind).glob("*.png"))):
                target = weak / kind / f"person{i // 2}"
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
                if kind == "style":
                    found = {"width": 48, "height": 40, "points": (face(48, 40) + 2 * i).tolist()}
                    (target / f"{path.stem}.landmarks.json").write_text(json.dumps(found))
    sizes = {"load": 36, "width": 4, "levels": 4, "noise": 2, "poses": 3, "lr": 2e-3}
    return {"photos": (weak / "photos",), "style": (weak / "style",), **sizes}


TINY = Tiny(CariGAN, fields, falls=("D/whole", 0.95))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("weak") / "data")


def test_seventeen_landmarks_are_drawn():
    assert len(set(DRAWN)) == 17
    points = torch.full((1, 68, 2), -100.0)
    points[0, 8] = torch.tensor([10.0, 20.0])  # the chin
    points[0, 9] = torch.tensor([50.0, 50.0])  # not drawn
    drawn = draw_points(points, 64)
    assert drawn.shape == (1, 1, 64, 64)
    assert drawn[0, 0, 20, 10] == 1
    assert drawn[0, 0, 20, 11].item() == pytest.approx(2 * math.exp(-0.5) - 1)
    assert drawn[0, 0, 50, 50] == -1


def test_the_mask_has_the_parts_of_a_face():
    points = face(64, 64)
    mask = part_mask(points, 64)[0]
    assert all(mask[y, x] == 1 for x, y in ((19, 25), (45, 25), (32, 35), (32, 51)))
    assert mask[2, 2] == mask[60, 60] == mask[42, 10] == 0
    points[27:36] = 5.0
    assert part_mask(points, 64)[0, 35, 32] == 0  # a part without extent is left out


def test_photos_are_of_the_person_and_change_every_time(data):
    system = TINY.build(data, mirror=False, crop=32, load=40)
    people = {path: path.parent.name for path in system.photos.paths}
    chosen = set()
    for t in range(8):
        batch = system.batch(t, 0, 1)
        for photo, style in zip(batch["photo"], batch["style"], strict=True):
            places = []
            for pictures in (system.photos, system.dataset["style"]):
                target = photo if pictures is system.photos else style
                found = [i for i, picture in enumerate(pictures) if contains(picture, target)]
                assert len(found) == 1
                places.append(pictures.paths[found[0]])
            assert people[places[0]] == places[1].parent.name
            chosen.add(tuple(places))
    assert len(chosen) > 4


def contains(picture, crop):
    """Whether a picture (H, W, 3) holds a crop (3, S, S) in [-1, 1]."""
    wanted = ((crop.permute(1, 2, 0) + 1) * 127.5).round().to(torch.uint8).numpy()
    height, width = (a - b + 1 for a, b in zip(picture.shape[:2], wanted.shape[:2], strict=True))
    places = ((y, x) for y in range(height) for x in range(width))
    return any(np.array_equal(picture[y : y + len(wanted), x : x + len(wanted)], wanted) for y, x in places)


class Shift(nn.Module):
    """Adds the first number of the noise to the photo."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()).double())

    def forward(self, image, points, noise):
        return self.one * image + noise[:, :1, None, None]


class Mean(nn.Module):
    """Scores a picture by the mean of what stands for the caricature, beside photo and drawing."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()).double())

    def forward(self, image):
        assert image.shape[1] == 7
        return self.one * image[:, 4:].mean((1, 2, 3), keepdim=True)


def test_one_step_in_numbers(tmp_path):
    system = TINY.bare(tmp_path, pixel=10.0, diversity=2.0, alpha=0.5).double()
    system.generator, system.discriminator = Shift(), Mean()
    mask = torch.zeros(2, 1, 32, 32).double()
    mask[..., :8] = 1
    batch = {
        "photo": torch.full((2, 3, 32, 32), 0.25).double(),
        "style": torch.full((2, 3, 32, 32), -0.5).double(),
        "points": torch.zeros(2, 68, 2).double(),
        "mask": mask,
        "noise": torch.tensor([[0.25, 1.0]] * 2).double(),
        "other": torch.tensor([[0.5, 3.0]] * 2).double(),
    }
    (first, d), (second, g) = system.step(batch, 0)
    assert (first, second) == ("D", "G")

    def softplus(x):
        return math.log1p(math.exp(x))

    made, fused = 0.5, 0.5 * 0.25 - 0.5 * 0.75
    assert d["whole"].item() == pytest.approx((softplus(0.5) + softplus(made)) / 2)
    assert d["fused"].item() == pytest.approx((softplus(0.5) + softplus(fused)) / 2)
    assert g["whole"].item() == pytest.approx(softplus(-made))
    assert g["fused"].item() == pytest.approx(softplus(-fused))
    assert g["pixel"].item() == pytest.approx(10 * 1.0 * 0.25)
    # pictures .25 apart, noises (.25 + 2) / 2
    assert g["diversity"].item() == pytest.approx(2 * abs(0.25 - 0.5 * 1.125))


def test_poses_and_seeds_of_the_finished_style(data, tmp_path):
    torch.manual_seed(0)
    system = TINY.build(data)
    points = system.dataset["points"].points[0] - [(43 - 32) / 2, (36 - 32) / 2]
    assert_close(system.generator.poses[0] * 32 - 0.5, torch.from_numpy(points).float(), atol=0.02, rtol=0)
    with torch.no_grad():
        system.generator.unet.last[1].weight.mul_(50)  # untrained, it would be gray whatever it is told
    style = export(system, tmp_path / "weak.onnx", name="weak")
    assert [one.name for one in style.card.settings] == ["pose", "noise"]
    photo = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    values = ({}, {"pose": "1", "noise": 0}, {"pose": "3"}, {"noise": 5})
    usual, first, pose, seed = (Stylizer(style, inputs=inputs).array(photo) for inputs in values)
    assert np.array_equal(usual, first)
    assert not np.array_equal(usual, pose)
    assert not np.array_equal(usual, seed)


def test_what_is_missing(data, tmp_path):
    with pytest.raises(UsageError, match="--crop 40 must be a multiple of 16 for --levels 4"):
        TINY.bare(tmp_path, crop=40)
    with pytest.raises(UsageError, match="lies in no person's folder: move it into one"):
        TINY.build(data, photos=(data / "photos",))
    other = shutil.copytree(data / "weak" / "photos", tmp_path / "photos")
    (other / "person1").rename(other / "someone")
    with pytest.raises(UsageError, match="--photos has no folder person1, of whom --style has caricatures"):
        TINY.build(data, photos=(other,))
    with pytest.raises(UsageError, match="has no landmarks in"):
        TINY.build(data, style_landmarks=tmp_path)
