"""Conditional GAN: what is special about it, and what systems with classes refuse."""

import math
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import Tiny, make_data

from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.stylizer.generate import Generator
from sakuga.systems.cgan import CGAN

TINY = Tiny(
    CGAN,
    lambda folder: {"photos": (folder / "domains",), "width": 4, "noise": 6, "batch": 4, "lr": 2e-3, "dropout": 0.0},
    falls=("D/cgan", 0.9),
    batch_statistics="batch norm in both networks",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


def test_both_networks_are_told_the_class(data):
    system = TINY.build(data).double()
    batch = {name: v.double() if v.is_floating_point() else v for name, v in system.batch(0, 0, 1).items()}
    batch["asked"] = torch.tensor([0.1, 0.9, 0.4, 0.6]).double()
    seen = []

    def score(image, label):
        seen.append(label.argmax(1).tolist())
        return (label[:, :1] * 3 - 1) * (1 if image is batch["real"] else 0.5)

    system.discriminator.forward = score
    (first, d), (second, g) = system.step(batch, 0)
    assert (first, second) == ("D", "G")
    assert seen == [batch["label"].tolist(), [0, 1, 0, 1], [0, 1, 0, 1]]

    def softplus(value):
        return math.log1p(math.exp(value))

    on_real = sum(softplus(-(2 if label == 0 else -1)) for label in batch["label"].tolist()) / 4
    assert d["cgan"].item() == pytest.approx(on_real + (softplus(1.0) + softplus(-0.5)) / 2, rel=1e-12)
    assert g["cgan"].item() == pytest.approx((softplus(-1.0) + softplus(0.5)) / 2, rel=1e-12)


@pytest.mark.parametrize(
    "fields", [{"condition": "concat"}, {"condition": "channel"}, {"condition": "projection"}, {"body": "mlp"}]
)
def test_the_class_changes_picture_and_score(fields, data):
    torch.manual_seed(0)
    system = TINY.bare(data, **fields).eval()
    classes, noise = torch.eye(2), torch.randn(1, 6).expand(2, -1)
    picture = system.generator(noise, classes)
    assert picture.shape == (2, 3, 32, 32)
    assert not torch.equal(picture[0], picture[1])
    # Not by a mere shift: the difference of the two scores depends on the picture.
    other = torch.rand(1, 3, 32, 32).expand(2, -1, -1, -1) * 2 - 1
    first, second = (system.discriminator(x * 3, classes).flatten() for x in (picture[:1].expand(2, -1, -1, -1), other))
    assert abs((first[0] - first[1]) - (second[0] - second[1])) > 1e-7


def test_a_style_is_asked_for_a_class(data, tmp_path):
    torch.manual_seed(0)
    style = export(TINY.build(data), tmp_path / "style.onnx", name="style")
    assert [(one.name, one.kind, one.names) for one in style.card.inputs[1:]] == [
        ("class", "choice", ("plain", "rough"))
    ]
    pictures = [Generator(style, {"class": name})(0) for name in ("plain", "rough")]
    assert not np.array_equal(*pictures)
    np.testing.assert_array_equal(Generator(style)(0), pictures[0])  # every class has its turn
    np.testing.assert_array_equal(Generator(style)(1), Generator(style, {"class": "rough"})(1))
    with pytest.raises(UsageError, match="class must be one of plain, rough, not 'odd'"):
        Generator(style, {"class": "odd"})


def test_every_class_is_drawn_as_often(tmp_path):
    data = make_data(tmp_path)
    for i in range(12):
        shutil.copy(data / "domains" / "rough" / "0.png", data / "domains" / "rough" / f"more{i}.png")
    system = TINY.build(data)
    labels = torch.cat([system.batch(t, 0, 1)["label"] for t in range(100)])
    assert 0.4 < labels.float().mean() < 0.6
    asked = torch.cat([system.labels_of(system.batch(t, 0, 1)["asked"]) for t in range(100)])
    assert 0.4 < asked.float().mean() < 0.6


def test_labels_of_a_table(data, tmp_path):
    table = tmp_path / "labels.csv"
    lines = ["file,kind", *(f"{place}/{i}.png,{place}" for place in ("rough", "plain") for i in range(4))]
    table.write_text("\n".join(lines), encoding="utf-8")
    system = TINY.build(data, labels=str(table), classes=("rough", "plain"))
    assert system.config.classes == ("rough", "plain")
    assert system.dataset["label"].values.tolist() == [1] * 4 + [0] * 4  # in the order of the pictures


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"labels": ""}, "--labels is missing"),
        ({"labels": "nowhere.csv"}, "nowhere.csv cannot be read"),
        ({"classes": ("plain", "odd")}, "has the class rough, which is not among plain, odd"),
        ({"photos": "one"}, "all pictures are of one class, plain: at least two are needed"),
        ({"body": "mlp", "condition": "channel"}, "--condition channel is for --body dcgan"),
        ({"crop": 48}, "--crop 48 must be a power of two"),
    ],
)
def test_what_cannot_be(fields, said, data, tmp_path):
    if "photos" in fields:
        (tmp_path / "plain").mkdir()
        Image.new("RGB", (32, 32)).save(tmp_path / "plain" / "0.png")
        fields = {"photos": (tmp_path,)}
    with pytest.raises(UsageError, match=said):
        TINY.build(data, **fields)


def test_attributes_are_no_classes(data):
    with pytest.raises(UsageError, match=r"labels.csv holds 3 attributes: name a table with one column, the class"):
        TINY.build(data, photos=(data / "photos",), labels=str(data / "labels.csv"))


def test_dropout_changes_no_name_of_a_weight(data):
    """Runs of before it go on."""
    config = {"photos": (data / "domains",), "width": 4, "noise": 6}
    plain, dropped = (CGAN(CGAN.Config(**config, dropout=share)).discriminator for share in (0.0, 0.5))
    assert list(plain.state_dict()) == list(dropped.state_dict())
    dropped.load_state_dict(plain.state_dict())
    image, label = torch.rand(3, 3, 64, 64), torch.eye(2)[[0, 1, 1]]
    assert torch.equal(plain.eval()(image, label), dropped.eval()(image, label))
    assert not torch.equal(dropped.train()(image, label), dropped(image, label))
