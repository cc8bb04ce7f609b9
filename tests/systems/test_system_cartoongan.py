"""CartoonGAN: what is special about it."""

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.systems.cartoongan import CartoonGAN

TINY = Tiny(
    CartoonGAN,
    lambda folder: {
        "style": (folder / "style",),
        "load": 40,
        "width": 8,
        "blocks": 1,
        "warmup": 3,
        "warmup_lr": 1e-3,
        "features_weights": "random:0",
    },
    falls=("warmup/content", 0.95),
    at=0,
)


@pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")
def test_first_content_alone_then_edges(tmp_path):
    system = TINY.build(make_data(tmp_path))
    batch = system.batch(0, 0, 1)
    assert [(player, set(terms)) for player, terms in system.step(batch, 2)] == [("warmup", {"content"})]
    assert [(player, set(terms)) for player, terms in system.step(batch, 3)] == [
        ("G", {"content", "adversarial"}),
        ("D", {"edges"}),
    ]


def test_rates(tmp_path):
    system = TINY.bare(tmp_path, warmup=10, warmup_lr=2e-4, lr=1e-5, steps=110)
    assert [o.param_groups[0]["lr"] for o in system.optimizers().values()] == [2e-4, 1e-5, 1e-5]
    assert system.rate(9, "G") == system.rate(10, "G") == system.rate(59, "G") == 1
    # 100 steps after the warm-up, of which the last 50 fall: a quarter is left when 12.5 remain.
    assert system.rate(85, "G") == pytest.approx(0.5)
    assert system.rate(109, "G") == pytest.approx(0.02)


@pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")
def test_the_edges_are_those_of_the_style_crops(tmp_path):
    system = TINY.build(make_data(tmp_path))
    batch = system.batch(0, 0, 1)
    change = (batch["edges"] - batch["style"]).abs().amax(1)
    assert (change > 0.05).any()
    assert (change < 1e-6).any()
    assert torch.equal(system.batch(0, 0, 1)["edges"], batch["edges"])


def test_weights_begin_as_the_official_codes(tmp_path):
    """N(0, 0.02), biases zero, gains one."""
    system = TINY.bare(tmp_path, width=32)
    for network in (system.generator, system.discriminator):
        for name, value in network.named_parameters():
            if value.ndim == 4 and value.numel() > 5000:
                assert value.std().item() == pytest.approx(0.02, rel=0.1), name
            elif name.endswith("bias"):
                assert not value.any(), name
