"""ACGAN: what is special about it."""

import math

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.errors import UsageError
from sakuga.losses import auxiliary_classifier
from sakuga.systems.acgan import ACGAN

TINY = Tiny(
    ACGAN,
    lambda folder: {"photos": (folder / "domains",), "width": 4, "noise": 6, "batch": 4, "lr": 2e-3},
    falls=("D/class", 0.9),
    batch_statistics="batch norm in both networks",
)


def test_the_paper_s_terms(tmp_path):
    system = TINY.build(make_data(tmp_path), auxiliary=0.5).double()
    batch = {name: v.double() if v.is_floating_point() else v for name, v in system.batch(0, 0, 1).items()}
    batch["label"], batch["asked"] = torch.tensor([0, 1, 0, 1]), torch.tensor([0.1, 0.2, 0.9, 0.6]).double()
    real, fake = torch.tensor([1.0, 3.0]).double(), torch.tensor([-2.0, 0.5]).double()

    def outputs(image):
        logits = (real if image is batch["real"] else fake).expand(4, 2)
        return image.flatten(1), logits[:, :1], logits

    system.discriminator.forward = outputs
    (first, d), (second, g) = system.step(batch, 0)
    assert (first, second) == ("D", "G")

    def softplus(value):
        return math.log1p(math.exp(value))

    # Two of each class: the cross-entropy is the mean of those of both classes.
    on_real = (softplus(2) + softplus(-2)) / 2
    on_fake = (softplus(2.5) + softplus(-2.5)) / 2
    assert d["gan"].item() == pytest.approx(softplus(-1) + softplus(-2), rel=1e-12)
    assert d["class"].item() == pytest.approx(0.5 * (on_real + on_fake), rel=1e-12)
    assert g["gan"].item() == pytest.approx(softplus(2), rel=1e-12)
    assert g["class"].item() == pytest.approx(0.5 * on_fake, rel=1e-12)
    scores, logits, labels = zip(
        *((out.expand(4, 2)[:, :1], out.expand(4, 2), batch["label"]) for out in (real, fake)), strict=True
    )
    whole = auxiliary_classifier.d(*scores, logits[0], labels[0], logits[1], labels[1])
    assert (d["gan"] + 2 * d["class"]).item() == pytest.approx(whole.item(), rel=1e-12)
    whole = auxiliary_classifier.g(scores[1], logits[1], labels[1])
    assert (g["gan"] + 2 * g["class"]).item() == pytest.approx(whole.item(), rel=1e-12)


def test_the_teaching_code_s_bodies(tmp_path):
    data = make_data(tmp_path)
    system = TINY.bare(data, body="resize", crop=48).eval()
    noise = torch.randn(2, 6)
    picture = system.generator(noise, torch.eye(2))
    assert picture.shape == (2, 3, 48, 48)
    embedded = system.generator.embedding.weight * noise
    torch.testing.assert_close(picture, system.generator.body(embedded))
    features, score, logits = system.discriminator(picture)
    assert (features.shape[0], score.shape, logits.shape) == (2, (2, 1), (2, 2))
    with pytest.raises(UsageError, match="--crop 40 must be a multiple of 16"):
        TINY.bare(data, body="resize", crop=40)
