"""XGAN: its losses in numbers, its shared middle, its way back."""

import math

import numpy as np
import pytest
import torch
from tiny import Tiny, make_data
from torch import nn
from torch.testing import assert_close

from sakuga.errors import UsageError
from sakuga.export.onnx import export
from sakuga.networks.xgan import DomainClassifier, Encoded, XGANDiscriminator, XGANGenerator
from sakuga.stylizer import Stylizer
from sakuga.systems.xgan import XGAN

TINY = Tiny(
    XGAN,
    lambda folder: {
        "style": (folder / "style",),
        "load": 32,
        "width": 4,
        "embedding": 16,
        "lr": 0.01,
        "both": True,
        "teacher": 1.0,
        "features_weights": "random:0",
    },
    falls=("D/style", 0.9),
    batch_statistics="batch norm",
)


def test_parameters():
    """17.8 million in all, at 64 pixels."""
    with torch.device("meta"):
        networks = XGANGenerator(), XGANDiscriminator(), DomainClassifier()
    assert sum(p.numel() for network in networks for p in network.parameters()) == 17_833_752


def test_the_middle_is_shared_and_the_ends_are_not():
    torch.manual_seed(0)
    network = XGANGenerator(width=2, embedding=8, side=32).eval()
    x = torch.rand(1, 3, 32, 32)
    first, second = network(x, "photo"), network(x, "style")
    assert not torch.equal(first.embedding, second.embedding)
    assert_close(first.embedding.norm(dim=1), torch.ones(1))
    network.encoders["style"], network.decoders["style"] = network.encoders["photo"], network.decoders["photo"]
    same = network(x, "style")
    assert_close((same.embedding, same.photo, same.style), (first.embedding, first.photo, first.photo))


class Shift(nn.Module):
    """Embeds a photo as its mean, one of the style as twice that, and decodes by adding 1 (photo) or 2 (style)."""

    def __init__(self):
        super().__init__()
        self.zero = nn.Parameter(torch.zeros((), dtype=torch.double))

    def forward(self, image, side):
        mean = image.mean((1, 2, 3), keepdim=True)[:, :, 0, 0] * (1 if side == "photo" else 2)
        return Encoded(mean + self.zero, image + 1 + self.zero, image + 2 + self.zero)


def test_one_step_in_numbers(tmp_path):
    system = TINY.bare(
        tmp_path, reconstruction=2.0, domain=3.0, semantic=5.0, adversarial=7.0, teacher=0.0, embedding=1
    ).double()
    system.generator = Shift()
    for network in (system.classifier, system.discriminator_style, system.discriminator_photo):
        for weight in network.parameters():
            nn.init.zeros_(weight)
    x, y = torch.full((2, 3, 32, 32), 0.5).double(), torch.full((2, 3, 32, 32), 0.25).double()
    (player, g), (_, d) = system.step({"photo": x, "style": y}, 0)
    assert player == ("G", "D_domain")
    # x: embedded as 0.5; 1.5 as a photo, 2.5 in the style and there embedded as 5. y: as 0.5; 2.25, 1.25, as 1.25.
    assert g["reconstruction"].item() == pytest.approx(2 * (1 + 4))
    assert g["domain"].item() == pytest.approx(3 * 2 * math.log(2))
    assert g["semantic"].item() == pytest.approx(5 * (4.5 + 0.75))
    assert g["adversarial"].item() == pytest.approx(7 * 2 * math.log(2))
    assert [d[side].item() for side in ("style", "photo")] == pytest.approx([2 * math.log(2)] * 2)


def test_embeddings_go_against_the_classifier(tmp_path):
    """The same term teaches the classifier one way and the encoder the other."""
    torch.manual_seed(0)
    system = TINY.bare(tmp_path, teacher=0.0).double()
    batch = {name: torch.rand(2, 3, 32, 32).double() for name in ("photo", "style")}
    embeddings = []
    system.generator.register_forward_hook(lambda module, args, out: embeddings.append(out.embedding))
    _, terms = next(system.step(batch, 0))
    x, y = embeddings[:2]
    (reversed_,) = torch.autograd.grad(terms["domain"], x, retain_graph=True)
    x_, y_ = x.detach().requires_grad_(), y.detach()
    plain = (nn.functional.softplus(-system.classifier(x_)) + nn.functional.softplus(system.classifier(y_))).mean()
    assert_close(reversed_, -torch.autograd.grad(plain, x_)[0])


def test_the_way_back(tmp_path):
    torch.manual_seed(0)
    system = TINY.build(make_data(tmp_path / "data"))
    style = export(system, tmp_path / "xgan.onnx", name="xgan")
    photo = np.random.default_rng(0).integers(0, 256, (50, 40, 3), np.uint8)
    there, default, back = (
        Stylizer(style, inputs=inputs).array(photo) for inputs in ({"to": "style"}, {}, {"to": "photo"})
    )
    assert np.array_equal(there, default)
    assert not np.array_equal(there, back)


def test_a_crop_that_cannot_be_halved_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--crop 40 must be a multiple of 16"):
        TINY.bare(tmp_path, crop=40)
