"""A run that goes bad is told so, once, in words; a healthy one is left in peace."""

import numpy as np
import pytest
from toy import Toy

from sakuga.losses import hinge
from sakuga.training.health import LONG, Health
from sakuga.training.log import Log
from sakuga.training.trainer import Trainer


def records(values):
    """What is said over records in which the discriminator's loss, of two terms, has these values."""
    health = Health()
    return [said for v in values for said in health.terms({"G/cycle": 1.0, "D/a": v / 4, "D/b": 3 * v / 4})]


def noisy(level, count, spread=0.03):
    return level * (1 + spread * np.random.default_rng(0).standard_normal(count))


class TestDiscriminator:
    def test_it_has_won(self):
        (said,) = records([1.0, 0.5, *noisy(0.005, 3 * LONG, 0.3)])
        assert said.startswith("the discriminator D has won: D/a, D/b at 0.00")

    @pytest.mark.parametrize("chance", [0.5, 1.386, 2.0, 300.0])
    def test_it_has_lost(self, chance):
        (said,) = records([*noisy(chance, 5), *[chance] * 2 * LONG])
        assert "the discriminator D has stopped to judge: D/a, D/b stands still at" in said

    @pytest.mark.parametrize(
        "values",
        [
            noisy(0.5, 100),  # an even match
            [1.0, *noisy(0.05, 100, 0.2)],  # it leads
            [1.0, *([0.3, *noisy(0.001, LONG - 1)] * 5)],  # it wins for a while only
            noisy(-0.5, 100),  # Wasserstein's
            np.linspace(2, 1, 100),
            [1.0] * (LONG - 1),  # too early to say
        ],
    )
    def test_it_is_well(self, values):
        assert records(values) == []

    def test_told_again_after_it_had_passed(self):
        bad = [0.001, 0.0015] * LONG
        assert len(records([1.0, *bad, 0.5, *bad])) == 2

    def test_a_generator_whose_terms_vanish_is_no_discriminator(self):
        health = Health()
        assert not any(health.terms({"G/adversarial": 0.0}) for _ in range(3 * LONG))


class TestSamples:
    photos = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)

    def test_the_output_is_the_input(self):
        near = np.where(self.photos < 255, self.photos + (np.arange(16) % 2 == 0)[:, None].astype(np.uint8), 255)
        (said,) = Health().samples(self.photos, near.astype(np.uint8))
        assert said.startswith("the output is the input: they differ by 0.50 of 255")

    def test_outputs_are_alike(self):
        one = np.broadcast_to(self.photos[:1], self.photos.shape).copy()
        one[1, 0, 0] = 0
        (said,) = Health().samples(self.photos, one)
        assert said.startswith("the outputs are all alike: they differ by 0.")

    @pytest.mark.parametrize("after", [255 - photos, photos // 8 * 8 + 4, photos.repeat(2, 1).repeat(2, 2)])
    def test_a_style(self, after):
        assert Health().samples(self.photos, after) == []

    def test_one_photo(self):
        assert Health().samples(self.photos[:1], 255 - self.photos[:1]) == []


class Dead(Toy):
    """Its discriminator gives every picture the score 0, so the hinge stands at 2."""

    def step(self, batch, t):
        yield "D", {"hinge": hinge.d(*(0 * self.discriminator(x) for x in (batch["photo"], -batch["photo"])))}


@pytest.mark.parametrize(("system", "said"), [(Dead, 1), (Toy, 0)])
def test_a_run_is_told_once_even_if_it_is_resumed(system, said, tmp_path, capsys):
    for until in (15, 30):
        trainer = Trainer(system(), tmp_path)
        trainer.resume()
        log = Log(tmp_path, every=1, total=30)
        log.forget_after(trainer.steps)
        trainer.fit(until, log=log)
        log.close()
    told = capsys.readouterr().err
    assert told.count("warning: the discriminator D has stopped to judge: D/hinge stands still at 2") == said
    assert told.count("warning") == said
