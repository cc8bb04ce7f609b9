"""RelGAN: its losses in numbers, the sign of its sliders, and what is said of labels that cannot be."""

import pytest
import torch
from tiny import Tiny, make_data
from torch import nn
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.networks.layers import kernels
from sakuga.systems.relgan import RelGAN

TINY = Tiny(
    RelGAN,
    lambda folder: {"labels": str(folder / "labels.csv"), "lr": 0.01, "width": 2, "blocks": 1, "layers": 3, "batch": 4},
    falls=("G/same", 0.9),
    batch_statistics="switchable norm's third part, in the generator",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


class Linear(nn.Module):
    """Scores <k, x>, degrees <l, x> and x itself; triplets are matched by mean(x) + 2 Σv + 4 mean(x')."""

    def __init__(self, k, degree):
        super().__init__()
        self.k, self.degree = nn.Parameter(k), degree

    def forward(self, image):
        return (image * self.k).sum((1, 2, 3), keepdim=True), (image * self.degree).sum((1, 2, 3)), image

    def match(self, source, vector, target):
        return matched(source, vector, target)[:, None, None, None]


def matched(source, vector, target):
    return source.mean((1, 2, 3)) + 2 * vector.sum(1) + 4 * target.mean((1, 2, 3))


def test_one_step_in_numbers(data):
    """Linear heads, and a generator that adds a tenth of its vector's sum: every term is known."""
    torch.manual_seed(0)
    weights = {"match": 2.0, "interpolation": 3.0, "penalty": 5.0, "cycle": 7.0, "same": 11.0, "orthogonal": 0.0}
    system = TINY.build(data, **weights).double()
    x = {p: torch.rand(2, 3, 4, 4).double() for p in "abc"}
    a = {p: torch.randint(2, (2, 3)).double() for p in "abc"}
    alpha = torch.tensor([0.3, 0.8], dtype=torch.double)
    k, degree = (torch.rand(1, 3, 4, 4).double() / 10 for _ in range(2))
    system.discriminator = Linear(k, degree)
    system.generator.forward = lambda image, vector: image + 0.1 * vector.sum(1)[:, None, None, None]
    batch = {**x, **{f"label_{p}": label for p, label in a.items()}, "alpha": alpha, "mix": torch.rand(2).double()}
    (_, d), (_, g) = system.step(batch, 0)

    v = a["b"] - a["a"]
    move = 0.1 * v.sum(1)[:, None, None, None]
    fake, part = x["a"] + move, x["a"] + alpha.view(-1, 1, 1, 1) * move
    score, end = ((fake * one).sum((1, 2, 3)) for one in (k, degree))
    middle, start = ((image * degree).sum((1, 2, 3)) for image in (part, x["a"]))
    assert_close(d["real"], ((x["b"] * k).sum((1, 2, 3)) - 1).square().mean() + score.square().mean())
    wrong = [
        matched(x["c"], v, x["b"]),
        matched(x["a"], v, x["c"]),
        matched(x["a"], a["c"] - a["a"], x["b"]),
        matched(x["a"], a["b"] - a["c"], x["b"]),
    ]
    lies = torch.stack([matched(x["a"], v, fake), *wrong]).square().mean(1).sum()
    assert_close(d["match"], 2 * ((matched(x["a"], v, x["b"]) - 1).square().mean() + lies))
    ends = torch.stack([start[0], end[1]]).square()  # α is below a half, then above
    target = torch.tensor([0.3, 0.2], dtype=torch.double)
    assert_close(d["interpolation"], 3 * ((middle - target).square() + ends).mean())
    assert_close(d["penalty"], 5 * (k.norm() - 1).square())
    assert_close(g["real"], (score - 1).square().mean())
    assert_close(g["match"], 2 * (matched(x["a"], v, fake) - 1).square().mean())
    assert_close(g["interpolation"], 3 * middle.square().mean())
    assert_close(g["cycle"], torch.zeros(()).double(), atol=1e-12, rtol=0)
    assert_close(g["same"], torch.zeros(()).double(), atol=1e-12, rtol=0)


def test_kernels_with_orthogonal_rows_cost_nothing(data):
    system = TINY.build(data, orthogonal=1.0)
    found = list(kernels(system.generator))
    assert [kernel.shape[2] for kernel in found] == [7, 4, 4, 3, 3, 4, 4, 7]
    assert [kernel.shape[:2] for kernel in found][-3:] == [(4, 8), (2, 4), (3, 2)]  # transposed ones are turned
    with torch.no_grad():
        for kernel in found:
            eye = torch.eye(*kernel.shape[:2]) if kernel.shape[0] <= kernel.shape[1] else torch.zeros(kernel.shape[:2])
            kernel.copy_(3 * eye[:, :, None, None].expand_as(kernel))
    (_, _), (_, g) = system.step(system.batch(0, 0, 1), 0)
    assert g["orthogonal"].item() == 0
    with torch.no_grad():
        found[1].fill_(1.0)  # (4, 2, 4, 4): rows meet in 12 places of 16 taps, each with 1 + 1
    (_, _), (_, g) = system.step(system.batch(0, 0, 1), 0)
    assert g["orthogonal"].item() == 12 * 16 * 4


def test_a_slider_for_each_attribute_from_source_to_target(data):
    system = TINY.build(data)
    sliders = system.artefact()
    assert [(one.name, one.kind, one.minimum, one.maximum, one.default) for one in sliders.inputs[1:]] == [
        *((name, "number", -1, 1, 0) for name in ("dark_hair", "fair_hair", "hat")),
        ("strength", "number", 0, 1, 1),
    ]
    system.generator.forward = lambda image, vector: image + vector[:, 2, None, None, None]
    image = torch.zeros(1, 3, 4, 4)
    numbers = [torch.tensor([value]) for value in (1.0, 1.0, 0.8)]
    assert_close(sliders.module(image, *numbers, torch.tensor([0.5])), image + 0.4)


def test_what_cannot_be_trained_on(data):
    for changes, said in (
        ({"labels": ""}, "--labels is missing"),
        ({"labels": "folders", "photos": (data / "domains",)}, "has domains, and relgan learns attributes"),
        ({"crop": 36}, "--crop 36 must be a multiple of 8 with --layers 3"),
    ):
        with pytest.raises(UsageError, match=said):
            TINY.build(data, **changes)
