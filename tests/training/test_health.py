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
        assert "the discriminator D has stopped telling pictures apart: D/a, D/b stands still at" in said

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
    assert (
        told.count("warning: the discriminator D has stopped telling pictures apart: D/hinge stands still at 2") == said
    )
    assert told.count("warning") == said


class TestRunaway:
    @pytest.mark.parametrize(
        "values",
        [
            [1.0, 2.0, 101.0],
            [0.01, 500.0],
            [-1.0, *[0.5] * LONG, 150.0],  # a score, whose size the first ten tell
            [-1.0, *[0.5] * LONG, -150.0],
        ],
    )
    def test_a_term_a_hundred_times_its_first_value(self, values):
        health = Health()
        said = [sentence for value in values for sentence in health.terms({"G/cycle": value})]
        (sentence,) = said
        assert sentence.startswith(f"G/cycle is at {values[-1]:.4g}, 100 times what it was at first")

    @pytest.mark.parametrize(("first", "later"), [(3.0, 6e7), (-0.01, -6e7), (0.0, 150.0)])
    def test_a_term_that_ran_away_within_the_first_record(self, first, later):
        health = Health()
        health.begin({"G/score": first})
        (said,) = health.terms({"G/score": later})
        assert said.startswith(f"G/score is at {later:.4g}, 100 times what it was at first")
        assert health.terms({"G/score": 2 * later}) == []  # told once

    def test_a_score_that_begins_near_zero_is_well(self):
        health = Health()
        health.begin({"G/score": 0.001, "D/loss": 0.7})
        assert [said for value in (2.0, 30.0, 90.0) for said in health.terms({"G/score": value, "D/loss": 1.4})] == []

    @pytest.mark.parametrize(
        "records",
        [
            [{"G/cycle": value} for value in (1.0, 50.0, 99.0)],
            [{"G/content": value, "G/style": 5.0} for value in (0.0, 0.5, 4.0)],  # the network begins as the identity
            [{"G/score": value} for value in (-0.01, *range(LONG), 30.0)],
            [{"rate/G": value, "gradient/G": value, "quality/kid[x]": value} for value in (0.001, 1.0)],
        ],
    )
    def test_a_term_that_is_well(self, records):
        health = Health()
        assert [said for record in records for said in health.terms(record)] == []


class TestGenerated:
    """Pictures of noise have no photos to be compared with; what they are to look like is at hand."""

    rng = np.random.default_rng(0)
    real = rng.integers(0, 256, (32, 8, 8, 3), dtype=np.uint8)

    def pictures(self, kinds, grain=2):
        centres = self.rng.integers(30, 220, (kinds, 8, 8, 3))
        return (centres[np.arange(32) % kinds] + self.rng.integers(-grain, grain + 1, (32, 8, 8, 3))).astype(np.uint8)

    def test_all_alike(self):
        (said,) = Health().generated(self.pictures(1), self.real)
        assert said.startswith("the generated pictures are all alike")

    def test_collapsed(self):
        (said,) = Health().generated(self.pictures(4), self.real)
        assert said.startswith("the generator has collapsed: 100% of its pictures have a twin")

    @pytest.mark.parametrize(("level", "word"), [(0, "black"), (247, "white")])
    def test_saturated(self, level, word):
        empty = (level + self.rng.integers(0, 9, (32, 8, 8, 3))).astype(np.uint8)
        assert any(f"the samples are nearly {word}" in said for said in Health().generated(empty, self.real))
        assert Health().generated(empty, empty.copy()) == []  # drawings on paper are

    def test_saturated_photos(self):
        photos = TestSamples.photos
        (said,) = Health().samples(photos, (self.rng.integers(0, 14, photos.shape)).astype(np.uint8))
        assert "the samples are nearly black" in said

    def test_a_variety(self):
        assert Health().generated(self.pictures(32), self.real) == []
