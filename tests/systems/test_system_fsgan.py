"""FSGAN: its networks, one step of each stage in numbers, frames of people, what users are given."""

import numpy as np
import pytest
import torch
from known import Known
from PIL import Image
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve
from test_system_landmarks import mark
from tiny import Tiny, make_data
from torch import nn
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.networks.fsgan import FSGANGenerator, MultiScaleDiscriminator
from sakuga.networks.landmarks import draw_heatmaps
from sakuga.networks.poisson import poisson_blend
from sakuga.networks.resnet18 import ResNet18
from sakuga.runs import build
from sakuga.systems.fsgan import FSGAN
from sakuga.systems.parts.domain_features import LAYER_WEIGHTS, VGG_LAYERS
from sakuga.systems.parts.frames import cut_ellipses, hull_mask
from sakuga.systems.parts.swapping import Blended, Completed, Reenacted
from sakuga.training.trainer import Trainer

KINDS = ("domains/plain", "domains/rough")


def fields(folder):
    """Two people, whose frames are those of `domains`."""
    marks = mark(folder, KINDS) / "domains"
    sizes = {"points": 5, "width": 4, "regressor_width": 4, "regressor_levels": 3}
    return {
        "photos": (folder / "domains",),
        "landmarks": marks,
        **sizes,
        "features_weights": "random:0",
        "lr": 2e-3,
    }


TINY = Tiny(FSGAN, fields, falls=("G/perceptual", 0.85), batch_statistics="batch norm", least=2)
STAGES = {"completion": {}, "blending": {"adversarial": 0.1}}

pytestmark = pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_the_papers_networks():
    """The official code has 256 x 3 weights of 7x7 more, the last convolution of the U-Net alone."""
    with torch.device("meta"):
        counts = [count(FSGANGenerator(channels)) + 256 * 3 * 49 for channels in (101, 7, 4)]
        assert counts == [76_003_840, 74_235_136, 74_178_688]
        assert count(MultiScaleDiscriminator()) == 5_533_058


def test_shapes():
    assert FSGANGenerator(5, width=2)(torch.rand(2, 5, 40, 56)).shape == (2, 3, 40, 56)
    assert [s.shape for s in MultiScaleDiscriminator(width=2)(torch.rand(2, 3, 64, 64))] == [
        (2, 1, 11, 11),
        (2, 1, 7, 7),
    ]


def test_a_blend_is_the_sparse_solution():
    """Masks inside, at the border and around a known island, each channel by scipy's solver; one over everything."""
    rng = torch.Generator().manual_seed(0)
    source, target = torch.rand(2, 3, 2, 20, 27, generator=rng).double() * 2 - 1
    mask = torch.zeros(3, 1, 20, 27).double()
    mask[0, :, 4:15, 6:20] = mask[1, :, :12, :] = mask[2, :, 2:18, 2:25] = 1
    mask[2, :, 8:11, 9:14] = 0
    blend = poisson_blend(source, target, mask, tolerance=1e-10)
    height, width = 20, 27
    for s, t, m, found in zip(source, target, mask[:, 0], blend, strict=True):
        equations, right = lil_matrix((height * width, height * width)), np.zeros((height * width, 2))
        for y in range(height):
            for x in range(width):
                row = y * width + x
                if not m[y, x]:
                    equations[row, row], right[row] = 1, t[:, y, x]
                    continue
                for i, j in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                    if 0 <= i < height and 0 <= j < width:
                        equations[row, row] += 1
                        equations[row, i * width + j] -= 1
                        right[row] += (s[:, y, x] - s[:, i, j]).numpy()
        solution = spsolve(equations.tocsr(), right).reshape(height, width, 2).transpose(2, 0, 1)
        assert_close(found, torch.from_numpy(solution), atol=1e-7, rtol=0)
    assert_close(poisson_blend(source, target, torch.ones_like(mask)), source)
    assert_close(poisson_blend(target + 0.3, target, mask), target)  # a constant offset is blended away
    assert_close(poisson_blend(source.float(), target.float(), mask.float()), blend.float(), atol=1e-4, rtol=0)


def test_holes_and_hulls():
    mask = torch.ones(1, 1, 64, 64).double()
    left = cut_ellipses(mask, torch.tensor([[[0.5, 0.5, 0.5, 0.5, 0.2]]]))  # a circle of a quarter of the side
    assert 1 - left.mean().item() == pytest.approx(np.pi / 16, rel=0.01)
    assert left[0, 0, 32, 32] == 0 != left[0, 0, 32, 50]
    upright = cut_ellipses(mask, torch.tensor([[[0.5, 0.5, 0.0, 0.999, 0.0]]]))
    assert upright[0, 0, 52, 32] == 0 != upright[0, 0, 32, 44]
    found = hull_mask(40, np.array([[12, 14], [26, 13], [20, 20], [14, 28], [27, 29]], np.float32))
    assert found.shape == (1, 40, 40)
    assert set(np.unique(found)) == {0, 1}
    assert found[0, 20, 20] == 1 != found[0, 1, 1]
    assert not hull_mask(40, np.array([[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]], np.float32)).any()


class KnownFeatures(nn.Module):
    weights = {"a": 0.25, "b": 1.0}  # noqa: RUF012

    def forward(self, image):
        return {"a": 2 * image, "b": image[:, :1]}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def known(data, **other):
    """A system whose generator halves the first three channels, and whose discriminator scores 1 and -1 by scale."""
    system = TINY.bare(data, **other).double()
    system.generator = Known(lambda gain, x: 0.5 * gain * x[:, :3])
    system.discriminator = Known(lambda gain, x: [gain * torch.ones(len(x), 1, 2, 2).double() * k for k in (1, -1)])
    system.features = KnownFeatures()
    return system


FOOL = sum((sigmoid(k) - 1) ** 2 for k in (1, -1))
TELL = sum((sigmoid(k) - 1) ** 2 + sigmoid(k) ** 2 for k in (1, -1)) / 2


def test_one_step_of_a_reenactment_in_numbers(data):
    system, told = known(data), []
    system.generator.register_forward_hook(lambda _, given, __: told.append(given[0][:, 3:]))
    system.regressor = Known(lambda gain, x: gain * torch.zeros(len(x), 5, 32, 32).double())
    ones = torch.ones(2, 3, 32, 32).double()
    before, after = torch.full((2, 5, 2), 8.0), torch.full((2, 5, 2), 16.0)
    batch = {"target": ones, "source": 0.5 * ones, "points": after, "source_points": before}
    early, middle, late = (dict(system.step(batch, t)) for t in (0, 25, 50))
    assert list(early) == list(late) == ["R", "G", "D"]
    maps = [draw_heatmaps(points.double(), (32, 32), sigma=2.5) for points in (after, (before + after) / 2)]
    assert late["R"]["heatmaps"].item() == pytest.approx(maps[0].square().mean().item())
    # 0.25 where 1 is wanted; features of 2 by 1/4, of 1 by 1. After two steps 0.125.
    pixel, perceptual, walked = 0.75, 0.75 * (0.25 * 2 + 1), 0.875
    expected = {"adversarial": 0.001 * FOOL, "pixel": 0.1 * pixel, "perceptual": perceptual}
    stepwise = 0.1 * walked + walked * 1.5
    for found, weight in ((early, None), (middle, 0.5), (late, 1.0)):
        terms = expected | ({"stepwise": weight * stepwise} if weight else {})
        assert {name: term.item() for name, term in found["G"].items()} == pytest.approx(terms)
        assert found["D"]["adversarial"].item() == pytest.approx(TELL)
    assert_close(told[-3:], [maps[0], maps[1], maps[0]])  # at once; then midway first


def test_one_step_of_completion_and_blending_in_numbers(data):
    ones, mask = torch.ones(2, 3, 32, 32).double(), torch.zeros(2, 1, 32, 32).double()
    mask[:, :, 8:24, 8:24] = 1
    holes = torch.tensor([[[0.5, 0.5, 0.0, 0.0, 0.0]] * 2] * 2)  # a circle of an eighth
    batch = {"target": ones, "points": torch.zeros(2, 5, 2), "mask": mask}
    system = known(data, stage="completion")
    steps = dict(system.step(batch | {"holes": holes}, 99))
    assert list(steps) == ["G", "D"]
    hole = 1 - cut_ellipses(torch.ones_like(mask), holes).mean().item()
    # Halved: black becomes -0.5, white 0.5; in the hole black has become -0.5 where white is wanted.
    pixel = 0.5 * (1 - hole) + 1.5 * hole
    found = {name: term.item() for name, term in steps["G"].items()}
    assert found == pytest.approx({"adversarial": 0.001 * FOOL, "pixel": 0.1 * pixel, "perceptual": 1.5 * pixel})

    system = known(data, stage="blending", adversarial=0.1)
    steps = dict(system.step(batch | {"source": -0.5 * ones, "source_points": torch.zeros(2, 5, 2)}, 99))
    # The blend of something flat is the target, all white; of the face on black half is made.
    pixel = 1.5 * 0.75 + 1.25 * 0.25
    found = {name: term.item() for name, term in steps["G"].items()}
    assert found == pytest.approx({"adversarial": 0.1 * FOOL, "pixel": 0.1 * pixel, "perceptual": 1.5 * pixel})
    assert steps["D"]["adversarial"].item() == pytest.approx(TELL)


def test_a_frame_comes_with_another_of_the_same_person_or_of_someone_else(tmp_path):
    """One person is dark and one is bright; frame i of either has landmarks and a brightness of its own."""
    for person, base in (("dark", 40), ("bright", 200)):
        (tmp_path / "films" / person).mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", (32, 32), (base + 10 * i,) * 3).save(tmp_path / "films" / person / f"{i}.png")
    marks = mark(tmp_path / "films", ("dark", "bright"))
    data = {"photos": (tmp_path / "films",), "landmarks": marks, "mirror": False, "batch": 12}
    for stage, same in (("reenactment", True), ("blending", False)):
        system = TINY.build(tmp_path / "nothing", **data, stage=stage)
        batch = system.batch(0, 0, 1)
        target, source = (((batch[name][:, 0, 0, 0] + 1) * 127.5).round() for name in ("target", "source"))
        assert ((target > 100) == (source > 100)).all() == same
        assert (target != source).all()
        assert_close(batch["source_points"][:, 0, 0], 12 + (source % 40) / 10)
    (tmp_path / "films" / "bright").rename(tmp_path / "bright")
    with pytest.raises(UsageError, match="has frames of dark only: add the folder of another person"):
        system.data()
    with pytest.raises(UsageError, match="lies in no person's folder"):
        TINY.build(tmp_path, **data | {"photos": (tmp_path / "films" / "dark",), "landmarks": marks / "dark"})
    for i in (1, 2):
        (tmp_path / "films" / "dark" / f"{i}.png").unlink()
    with pytest.raises(UsageError, match="has one frame only of dark: add another"):
        TINY.build(tmp_path, **data)
    with pytest.raises(UsageError, match="--crop 40 must be a multiple of 32 with --regressor-levels 5"):
        TINY.build(tmp_path, **data, crop=40, regressor_levels=5)


@pytest.mark.parametrize("stage", STAGES)
def test_the_other_stages_learn_and_are_exported(data, tmp_path, stage):
    torch.manual_seed(0)
    run = None
    if stage == "blending":
        trainer = Trainer(TINY.build(data), tmp_path / "reenactment")
        trainer.fit(1)
        run = tmp_path / "reenactment"
    system = TINY.build(data, stage=stage, reenactment=run, **STAGES[stage])
    trainer = Trainer(system, tmp_path / "run")
    batch = system.batch(0, 0, 1)
    first = trainer.one_step(batch)["G/pixel"]
    for _ in range(10):
        last = trainer.one_step(batch)["G/pixel"]
    assert last < first
    trainer.fit(trainer.steps + 1)
    style = export(build(tmp_path / "run"), tmp_path / "style.onnx", name="style")
    second = {"completion": "mask", "blending": "face"}[stage]
    assert [one.name for one in style.card.settings] == [second]
    assert set(system.preview().inputs) == {"image", second}
    with pytest.raises(UsageError, match=r"--reenactment .*run has networks of other sizes"):
        TINY.build(data, stage="blending", reenactment=tmp_path / "run")


def test_what_users_run():
    """Two steps of a reenactment, by the landmarks that a regressor finds; black is a hole, and where no face lies."""
    maps = {
        value: draw_heatmaps(torch.full((1, 5, 2), at), (32, 32), sigma=2.5) for value, at in ((0.0, 8.0), (1.0, 24.0))
    }

    class Regressor(nn.Module):
        def forward(self, image):
            return maps[image.mean().item()]

    told = []

    def generator(x):
        told.append(x[:, 3:])
        return x[:, :3]

    image, other = torch.zeros(1, 3, 32, 32), torch.ones(1, 3, 32, 32)
    Reenacted(generator, Regressor(), sigma=2.5, iterations=2)(image, other)
    middle = draw_heatmaps(torch.full((1, 5, 2), 16.0), (32, 32), sigma=2.5)
    assert_close(told, [middle, maps[1.0]], atol=0.05, rtol=0)
    mask = torch.full((1, 3, 32, 32), -1.0)
    mask[..., :16] = 1
    assert_close(Completed(lambda x: x)(image, mask), torch.cat([mask.clamp_max(0), (mask[:, :1] + 1) / 2], 1))
    face = torch.where(mask > 0, 0.25, -0.97)
    assert_close(Blended(lambda x: x)(image, face)[:, 3:], torch.cat([image, (mask[:, :1] + 1) / 2], 1))


def test_networks_trained_on_faces_take_the_place_of_vgg(data, tmp_path, capsys):
    from test_system_cam_classifier import TINY as CLASSIFIER

    trainer = Trainer(CLASSIFIER.build(data), tmp_path / "people")
    trainer.fit(1)
    system = TINY.build(data, identity=tmp_path / "people")
    assert (
        "features of VGG-19, trained on objects, stand in for those of faces: --attributes names no"
        in capsys.readouterr().err
    )
    classifier, vgg = system.features.networks
    assert isinstance(classifier, ResNet18)
    assert vgg.layers == VGG_LAYERS
    halves = [[system.features.weights[f"{i}.{depth}"] for depth in range(5)] for i in (0, 1)]
    assert halves == [[weight / 2 for weight in LAYER_WEIGHTS]] * 2
    system.train()
    picture = torch.rand(2, 3, 32, 32)
    found = system.features(picture)
    assert found.keys() == system.features.weights.keys()
    assert_close(found["0.4"], trainer.averages["classifier"].eval()(picture).features)
    both = TINY.build(data, identity=tmp_path / "people", attributes=tmp_path / "people")
    assert len(both.features.networks) == 2
    assert sum(both.features.weights.values()) == pytest.approx(sum(LAYER_WEIGHTS))
