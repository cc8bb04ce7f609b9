"""StarGAN: its losses in numbers, its labels, what users set, and what is said of labels that cannot be."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import Tiny, make_data
from torch import nn

from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.runs import build
from sakuga.stylizer import Stylizer
from sakuga.systems.parts.editing import Editor, editor_inputs
from sakuga.systems.stargan import StarGAN
from sakuga.training.trainer import Trainer

SMALL = {"width": 2, "blocks": 1, "layers": 3}
TINY = Tiny(
    StarGAN,
    lambda folder: {"labels": str(folder / "labels.csv"), "lr": 0.01, **SMALL},
    falls=("G/reconstruction", 0.95),
    at=99,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


class Critic(nn.Module):
    """Scores <k, x> and the logits `logits`, whatever the picture."""

    def __init__(self, k, logits):
        super().__init__()
        self.k, self.logits = nn.Parameter(k), logits

    def forward(self, image):
        return (image * self.k).sum((1, 2, 3), keepdim=True), self.logits.expand(len(image), -1) + 0 * image.sum()


@pytest.mark.parametrize("domains", [False, True])
def test_one_step_in_numbers(domains, data):
    """A linear critic and a generator that adds a tenth of its labels' sum: every term is known."""
    torch.manual_seed(0)
    labels = {"labels": "folders", "photos": (data / "domains",)} if domains else {}
    system = TINY.build(data, penalty=7.0, reconstruction=3.0, classes=0.5, **labels).double()
    x = torch.rand(2, 3, 4, 4).double()
    own, target = ([0, 1], [1, 1]) if domains else ([[1, 0, 0], [0, 1, 1]], [[0, 1, 0], [0, 1, 1]])
    batch = {"photo": x, "label": torch.tensor(own), "target": torch.tensor(target), "mix": torch.rand(2).double()}
    if not domains:
        batch |= {name: batch[name].double() for name in ("label", "target")}
    k, logits = (
        torch.rand(1, 3, 4, 4).double() - 0.5,
        torch.tensor([[0.3, -0.2, 0.7]], dtype=torch.double)[:, : 2 if domains else 3],
    )
    system.discriminator = Critic(k, logits)
    system.generator.forward = lambda image, label: image + 0.1 * label.double().sum(1)[:, None, None, None]
    (_, d), (_, g) = system.step(batch, 4)
    moved = torch.tensor([0.1, 0.1 if domains else 0.2], dtype=torch.double)
    fake = x + moved[:, None, None, None]
    score, p = [(k * image).sum((1, 2, 3)).mean().item() for image in (x, fake)], logits[0].sigmoid()

    def classes(rows):
        if domains:
            return -np.mean([math.log(logits[0].softmax(0)[row]) for row in rows])
        return -np.mean([sum(math.log(p[i] if set_ else 1 - p[i]) for i, set_ in enumerate(row)) for row in rows])

    assert d["adversarial"].item() == pytest.approx(score[1] - score[0], abs=1e-12)
    assert d["classes"].item() == pytest.approx(0.5 * classes(own), rel=1e-7)
    assert d["penalty"].item() == pytest.approx(7 * (k.norm().item() - 1) ** 2, rel=1e-9)
    assert g["adversarial"].item() == pytest.approx(-score[1], abs=1e-12)
    assert g["classes"].item() == pytest.approx(0.5 * classes(target), rel=1e-7)
    back = moved + torch.tensor([0.1, 0.1 if domains else 0.2], dtype=torch.double)  # as many labels are set in both
    assert g["reconstruction"].item() == pytest.approx(3 * back.mean().item(), rel=1e-7)


def test_the_generator_moves_in_every_fifth_step_and_the_rate_falls_in_the_second_half(data):
    system = TINY.build(data)
    turns = [[player for player, _ in system.step(system.batch(t, 0, 1), t)] for t in range(10)]
    assert turns == ([["D"]] * 4 + [["D", "G"]]) * 2
    assert [system.rate(t, "G") for t in (0, 49, 75)] == [1, 1, 0.5]


def test_attributes_that_exclude_each_other_are_one_choice(data):
    system = TINY.build(data)
    assert (system.config.attributes, system.config.groups) == (
        ("dark_hair", "fair_hair", "hat"),
        ("hair=dark_hair,fair_hair",),
    )
    assert [(one.name, one.names, one.default) for one in system.inputs] == [
        ("hair", ("keep", "dark", "fair"), "keep"),
        ("hat", ("keep", "off", "on"), "keep"),
    ]


def test_what_is_not_set_stays_as_the_classifier_finds_it():
    inputs, columns = editor_inputs(("a_hair", "hat", "b_hair"), (), ("hair=a_hair,b_hair",), keep=True)
    assert columns == ((0, 2), (1,))
    found = []
    editor = Editor(nn.Identity(), nn.Identity(), columns, keep=True)
    editor.generator.forward = lambda image, label: found.append(label.tolist()) or image
    editor.classifier.forward = lambda image: (image, torch.tensor([[-2.0, 0.5, 3.0]]))

    def choose(**names):
        editor(torch.zeros(1, 3, 4, 4), *(torch.tensor([[float(n == names[i.name]) for n in i.names]]) for i in inputs))
        return found[-1]

    assert choose(hair="keep", hat="keep") == [[0, 1, 1]]
    assert choose(hair="a", hat="keep") == [[1, 1, 0]]
    assert choose(hair="keep", hat="off") == [[0, 0, 1]]


def test_the_style_is_asked_as_on_the_command_line(data, tmp_path):
    system = TINY.build(data)
    trainer = Trainer(system, tmp_path / "run")
    trainer.fit(1)
    style = export(build(tmp_path / "run"), tmp_path / "star.onnx", name="star")
    photo = np.random.default_rng(0).integers(0, 256, (50, 40, 3), np.uint8)
    kept, fair = (Stylizer(style, inputs=inputs).array(photo) for inputs in ({}, {"hair": "fair", "hat": "on"}))
    assert kept.shape == fair.shape == photo.shape
    with pytest.raises(UsageError, match="hair must be one of keep, dark, fair, not 'green'"):
        Stylizer(style, inputs={"hair": "green"})
    plain = export(build(tmp_path / "run", changes=["keep=false"]), tmp_path / "plain.onnx", name="plain")
    assert plain.path.stat().st_size < style.path.stat().st_size
    with pytest.raises(UsageError, match="style plain needs hair, one of dark, fair"):
        Stylizer(plain)


def test_domains_of_folders_are_one_choice_that_must_be_made(data):
    system = TINY.build(data, labels="folders", photos=(data / "domains",))
    assert (system.config.domains, system.config.attributes) == (("plain", "rough"), ())
    assert [(one.name, one.names, one.required) for one in system.inputs] == [("domain", ("plain", "rough"), True)]
    assert [player for player, _ in system.step(system.batch(0, 0, 1), 4)] == ["D", "G"]


def test_a_sheet_has_a_row_for_each_change(data):
    preview = TINY.build(data).preview()
    assert preview.rows == 3
    assert {name: value.shape[0] for name, value in preview.inputs.items()} == {"image": 12, "hair": 12, "hat": 12}
    assert preview.inputs["hair"][::4].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": ""}, "--labels is missing"),
        ({"batch": 16}, "--batch 16 is more than the 4 pictures given: lower it"),
        ({"groups": ("hair=dark_hair,grey_hair",)}, "--groups hair=dark_hair,grey_hair must be NAME=A,B"),
        ({"crop": 36}, "--crop 36 must be a multiple of 8 with --layers 3"),
        ({"attributes": ("hat", "shoes")}, "has no column shoes"),
        ({"labels": "folders"}, "lies in no class's folder"),
    ],
)
def test_what_cannot_be_trained_on(changes, said, data):
    with pytest.raises(UsageError, match=said):
        TINY.build(data, **changes)


def test_pictures_of_other_sizes_are_told_of_once(data, tmp_path):
    make_data(tmp_path)
    Image.new("RGB", (32, 32)).save(tmp_path / "photos" / "0.png")
    with pytest.warns(UserWarning, match="3 of 4 photos are not 32x32: they are scaled") as told:
        TINY.build(tmp_path)
    assert len(told) == 1
