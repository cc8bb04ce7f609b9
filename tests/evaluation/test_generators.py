"""`sakuga evaluate` of styles that make their pictures of noise."""

import json

import numpy as np
import pytest
import torch
from artefacts import ToySystem, from_noise
from made import SMALL, fill
from PIL import Image
from torch import nn

from sakuga.cli import main
from sakuga.errors import SakugaError
from sakuga.evaluation.classifier import SIDE, train_classifier
from sakuga.export.onnx import export
from sakuga.style.inputs import Input

pytestmark = pytest.mark.usefixtures("empty_cache")

COLORS = {"red": (200, 30, 30), "green": (30, 180, 30), "blue": (20, 20, 210)}


class Plain(nn.Module):
    """A plane of the class's colour, or, where it does not listen, of a mixture that noise chooses."""

    def __init__(self, listens):
        super().__init__()
        self.listens = listens
        self.colors = nn.Parameter(torch.tensor(list(COLORS.values())) / 127.5 - 1)

    def forward(self, z, color):
        """Generate."""
        mixed = color if self.listens else torch.softmax(20 * z[:, :3] + 0 * color, 1)
        return (mixed @ self.colors)[:, :, None, None].expand(-1, -1, 16, 16) + 0.1 * z[:, :1, None, None]


def plain(folder, listens):
    inputs = Input("z", "noise", size=4), Input("color", "choice", names=tuple(COLORS))
    return export(ToySystem(Plain(listens), inputs), folder / f"{listens}.onnx", name=str(listens)).path


def colored(folder):
    rng = np.random.default_rng(0)
    for name, color in COLORS.items():
        (folder / name).mkdir(parents=True)
        for i in range(10):
            levels = np.clip(np.array(color) + rng.integers(-20, 21), 0, 255).astype(np.uint8)
            Image.fromarray(np.tile(levels, (20, 20, 1))).save(folder / name / f"{i}.png")
    return folder


def measured(style, pictures, target, *more):
    command = ["evaluate", str(style), "--style-images", str(pictures), "--json", str(target), *SMALL, *more]
    assert main(command) == 0
    return json.loads(target.read_text())


def test_its_own_pictures_are_no_distance_away(tmp_path, capsys):
    style = export(from_noise(default=None), tmp_path / "toy.onnx", name="toy").path
    for kind, seeds in (("a", (0, 3)), ("b", (1, 4)), ("c", (2, 5))):
        for seed in map(str, seeds):
            one = ["--set", f"kind={kind}", "--seed", seed, "-n", "1", "-o", str(tmp_path / "own" / f"{seed}.png")]
            assert main(["generate", str(style), *one]) == 0
    facts = measured(style, tmp_path / "own", tmp_path / "own.json", "--count", "6")
    other = measured(style, fill(tmp_path / "other", 6), tmp_path / "other.json", "--count", "6")
    name = "FID[alexnet-random]"
    assert facts["styles"]["toy"][name] == pytest.approx(0, abs=1e-6)
    assert other["styles"]["toy"][name] > 1e-3
    assert facts["styles"]["toy"]["seconds/picture"] > 0
    assert "class accuracy" not in facts["styles"]["toy"]
    assert (facts["settings"]["results"], facts["settings"]["seeds"]) == (facts["settings"]["style_images"], [0, 5])
    shown = capsys.readouterr()
    assert "KID[alexnet-random]" in shown.out
    assert "photo" not in shown.out.splitlines()[-5]


def test_results_of_the_class_that_was_asked_for_are_counted(tmp_path, capsys):
    pictures = colored(tmp_path / "pictures")
    found = measured(plain(tmp_path, True), pictures, tmp_path / "t.json", "--count", "30")["styles"]["True"]
    assert found["class accuracy"] == found["classifier's own accuracy"] == 1.0
    found = measured(plain(tmp_path, False), pictures, tmp_path / "f.json", "--count", "90")["styles"]["False"]
    assert 0.15 < found["class accuracy"] < 0.55  # a third by luck
    assert "class accuracy" in capsys.readouterr().out


def test_one_result_is_judged_by_a_classifier_that_learned_from_more(tmp_path):
    found = measured(plain(tmp_path, True), colored(tmp_path / "pictures"), tmp_path / "t.json", "--count", "1")
    assert found["styles"]["True"]["class accuracy"] in (0, 1)


def test_the_classifier_is_measured_on_what_it_has_not_learned():
    """Labels by luck are learned by heart and guessed elsewhere."""
    rng = np.random.default_rng(0)
    noise = [[rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8) for _ in range(40)] for _ in range(2)]
    classify, own = train_classifier(noise)
    assert (classify(noise[0][:1] + noise[0][2:6]) == 0).mean() > 0.9
    assert own < 0.85
    with pytest.raises(SakugaError, match="fewer than two pictures"):
        train_classifier([noise[0], noise[1][:1]])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "toy makes pictures of its own: name folders of the like with --style-images"),
        (("--style-images", "{}", "--photos", "{}"), "toy is given no photo: leave out --photos"),
        (("--style-images", "{}", "--clip", "x.mp4"), "toy is given no photo: leave out --clip"),
    ],
)
def test_what_cannot_be(tmp_path, capsys, more, said):
    style = export(from_noise(), tmp_path / "toy.onnx", name="toy").path
    folder = fill(tmp_path / "pictures", 2)
    assert main(["evaluate", str(style), *(word.format(folder) for word in more), *SMALL]) == 2
    assert said in capsys.readouterr().err
