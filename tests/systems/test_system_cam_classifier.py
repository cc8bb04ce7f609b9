"""CAM-loss: what its terms are, what the fully connected layer learns from, what users see."""

import numpy as np
import pytest
import torch
from known import Known
from PIL import Image
from tiny import Tiny, make_data
from torch import nn

from sakuga.export.onnx import export
from sakuga.networks.resnet18 import Classified, ResNet18
from sakuga.stylizer import Stylizer
from sakuga.systems.cam_classifier import CAMClassifier

TINY = Tiny(
    CAMClassifier,
    lambda folder: {"labels": str(folder / "labels.csv"), "width": 4, "warmup": 0, "lr": 0.01},
    falls=("C/classes", 0.8),
    batch_statistics="batch norm",
)


@pytest.mark.parametrize(("small", "parameters"), [(False, 11_689_512), (True, 11_689_512 - 64 * 3 * 49 + 64 * 3 * 9)])
def test_parameters(small, parameters):
    with torch.device("meta"):
        network = ResNet18(1000, small=small)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert list(network.state_dict())[:3] == ["conv1.weight", "bn1.weight", "bn1.bias"]
    assert "layer2.0.downsample.0.weight" in network.state_dict()


@pytest.mark.parametrize("attributes", [False, True])
def test_one_step_in_numbers(tmp_path, attributes):
    """The sum is (2, 1, 1.25), scaled (1, 0, 0.25); class 0's map is (0, 1, 0.25), class 1's scaled (1, 0, 0.5)."""
    system = TINY.bare(tmp_path, classes=("a", "b"), attributes=attributes, warmup=5, cam=3.0).double()
    maps = torch.tensor([[[0.0, 1.0, 0.25]], [[2.0, 0.0, 1.0]]], dtype=torch.double, requires_grad=True)

    def classified(gain, image):
        features = maps.expand(len(image), -1, -1, -1)
        return Classified(system.classifier.fc(features.mean((2, 3))), features)

    system.classifier = Known(classified)
    system.classifier.fc = nn.Linear(2, 2, bias=False).double()
    system.classifier.fc.weight.data = torch.eye(2).double()
    label = torch.tensor([[1.0, 1.0], [0.0, 0.0]]).double() if attributes else torch.tensor([0, 1])
    batch = {"photo": torch.zeros(2, 3, 32, 32).double(), "label": label}
    (_, early), (_, late) = (next(system.step(batch, t)) for t in (4, 5))
    soft = nn.functional.softplus
    logits = torch.tensor([1.25 / 3, 1.0])
    expected = (
        (soft(-logits).sum() + soft(logits).sum()) / 2 if attributes else torch.logsumexp(logits, 0) - logits.mean()
    )
    assert set(early) == {"classes"}
    assert late["classes"].item() == pytest.approx(expected.item())
    assert late["cam"].item() == pytest.approx(3 * (2 / 3 + 0.25 / 3) / 2)
    gradients = torch.autograd.grad(late["cam"], [system.classifier.fc.weight, maps], allow_unused=True)
    assert gradients[0] is None
    assert gradients[1].abs().sum() > 0


def test_no_attribute_set_costs_nothing(tmp_path):
    system = TINY.bare(tmp_path, classes=("a", "b"), attributes=True)
    _, terms = next(system.step({"photo": torch.rand(2, 3, 32, 32), "label": torch.zeros(2, 2)}, 50))
    assert terms["cam"].item() == 0


def test_the_map_shows_where(tmp_path):
    """A classifier of whether a white square is in the picture: its map is warmest on it."""
    folder = tmp_path / "photos"
    rng = np.random.default_rng(0)
    for number in range(40):
        picture = rng.integers(0, 120, (32, 32, 3), np.uint8)
        if number % 2:
            top, left = rng.integers(0, 22, 2)
            picture[top : top + 10, left : left + 10] = 250
        place = folder / ("square" if number % 2 else "none")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{number}.png")
    torch.manual_seed(0)
    system = CAMClassifier(
        CAMClassifier.Config(photos=(folder,), labels="folders", crop=32, batch=8, width=4, lr=5e-3, warmup=20)
    )
    system.load()
    from sakuga.training.trainer import Trainer

    Trainer(system, tmp_path / "run").fit(60)
    style = export(system, tmp_path / "map.onnx", name="map")
    photo = np.full((64, 64, 3), 60, np.uint8)
    photo[36:60, 36:60] = 250
    shown = Stylizer(style, inputs={"of": "square"}, precision="fp32").array(photo).astype(int)
    warmth = shown[..., 0] - shown[..., 2]
    assert warmth[40:56, 40:56].mean() > warmth[8:24, 8:24].mean() + 60


def test_classes_of_folders(tmp_path):
    data = make_data(tmp_path)
    system = TINY.build(data, labels="folders", photos=(data / "domains",))
    assert system.config.classes == ("plain", "rough")
    assert not system.config.attributes
    assert system.batch(0, 0, 1)["label"].dtype == torch.int64
