"""U-GAT-IT: what is special about it."""

import pytest
import torch
from tiny import Tiny, make_data

from sakuga.errors import UsageError
from sakuga.networks.ugatit import LIN, AdaLIN
from sakuga.systems.ugatit import UGATIT
from sakuga.training.trainer import Trainer

TINY = Tiny(
    UGATIT,
    lambda folder: {
        "style": (folder / "style",),
        "load": 40,
        "width": 8,
        "blocks": 1,
        "layers": (4, 3),
        "lr": 1e-3,
    },
    falls=("G/cam", 0.9),
)


def test_rho_stays_between_the_two_norms(tmp_path):
    system = TINY.build(make_data(tmp_path), lr=0.5)
    trainer = Trainer(system, tmp_path)
    rhos = [m.rho for m in system.modules() if isinstance(m, (AdaLIN, LIN))]
    trainer.one_step(system.batch(0, 0, 1))
    assert len(rhos) >= 8
    assert all((rho >= 0).all() and (rho <= 1).all() for rho in rhos)
    # A step of Adam at this rate moves every weight by half: without the clipping some would be outside.
    assert any((rho == 0).any() or (rho == 1).any() for rho in rhos)


def test_the_generators_classify_what_they_are_given(tmp_path):
    """The CAM term is 1000 · 2 · 2 ln 2 for logits of zero: two inputs of each of two generators."""
    system = TINY.build(make_data(tmp_path))
    for network in (system.generator, system.inverse):
        run = network.forward
        network.forward = lambda x, attention=False, run=run: (
            (run(x), torch.zeros(len(x), 2), None) if attention else run(x)
        )
    steps = dict(system.step(system.batch(0, 0, 1), 0))
    torch.testing.assert_close(steps["G"]["cam"].item(), 1000 * 4 * 0.6931472, rtol=1e-5, atol=0)


def test_every_network_is_called_as_a_whole(tmp_path):
    """Not a method of it: `--compile` compiles calls."""
    system = TINY.build(make_data(tmp_path))
    called = set()
    for names in system.players.values():
        for name in names:
            system.get_submodule(name).register_forward_hook(lambda *_, name=name: called.add(name))
    list(system.step(system.batch(0, 0, 1), 0))
    assert called == set(system.networks)


@pytest.mark.parametrize(("layers", "least"), [((5, 3), 24), ((6, 4), 48)])
def test_a_crop_that_the_discriminators_cannot_halve_is_refused(tmp_path, layers, least):
    with pytest.raises(UsageError, match=f"must be {least} or more with --layers {layers[0]}"):
        TINY.bare(tmp_path, crop=least - 4, layers=layers)
    system = TINY.bare(tmp_path, crop=least, layers=layers)
    list(system.step({side: torch.rand(1, 3, least, least) for side in ("photo", "style")}, 0))
