"""The spine: one step, resuming, accumulation, what is refused."""

import math
import os
import stat
import threading

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.testing import assert_close
from toy import Toy, ToyConfig, equal, moved, trainer, weights

from sakuga import runs
from sakuga.errors import SakugaError
from sakuga.losses import hinge
from sakuga.systems.base import frozen
from sakuga.training.prefetch import prefetch
from sakuga.training.trainer import Trainer


def test_a_step_moves_exactly_the_players_that_were_yielded(tmp_path):
    t = trainer(tmp_path)
    before = weights(t.system)
    assert set(t.one_step(t.system.batch(0, 0, 1))) == {"G/content", "G/adversarial"}
    assert moved(before, t.system) == {"generator"}
    before = weights(t.system)
    assert set(t.one_step(t.system.batch(1, 0, 1))) == {"G/content", "G/adversarial", "D/hinge"}
    assert moved(before, t.system) == {"generator", "discriminator"}


def test_gauges_are_each_player_s_rate_and_its_gradient_before_it_is_clipped(tmp_path):
    t, plain = trainer(tmp_path, clip=1e-3), trainer(tmp_path)
    batch = t.system.batch(0, 0, 1)
    t.one_step(batch)
    _, terms = next(plain.system.step(batch, 0))
    sum(terms.values()).backward()
    norm = torch.stack([p.grad.square().sum() for p in plain.system.generator.parameters()]).sum().sqrt()
    assert t.gauges == {
        "rate/G": t.settings["G"][0]["lr"] * t.system.rate(0, "G"),
        "gradient/G": pytest.approx(norm.item()),
    }


def test_every_yield_is_an_update(tmp_path):
    """Two critic steps move the critic as one critic step from where one critic step led."""
    both, single = trainer(tmp_path, ToyConfig(warmup=0)), trainer(tmp_path, ToyConfig(warmup=0, critic_steps=1))
    batch = both.system.batch(0, 0, 1)
    fake = both.system.generator(batch["photo"]).detach()
    both.one_step(batch)
    single.one_step(batch)
    optimizer = single.optimizers["D"]
    optimizer.zero_grad()
    hinge.d(single.system.discriminator(batch["photo"]), single.system.discriminator(fake)).backward()
    nn.utils.clip_grad_norm_(single.system.discriminator.parameters(), 1.0)
    optimizer.step()
    assert_close(both.system.discriminator.weight, single.system.discriminator.weight)


def test_it_learns_one_batch(tmp_path):
    t = trainer(tmp_path)
    batch = t.system.batch(0, 0, 1)
    first = t.one_step(batch)["G/content"]
    for _ in range(60):
        last = t.one_step(batch)["G/content"]
    assert last < 0.7 * first


def test_a_resumed_run_is_the_same_run(tmp_path):
    through = trainer(tmp_path / "one")
    through.fit(7)
    trainer(tmp_path / "two").fit(3)
    again = trainer(tmp_path / "two")
    assert again.resume()
    assert again.steps == 3
    again.fit(7)
    assert equal(through.system, again.system)
    assert equal(through.averages["generator"], again.averages["generator"])


def test_a_resumed_run_in_16_bits_is_the_same_run(tmp_path):
    half = {"fabric": Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")}
    through = trainer(tmp_path / "one", **half)
    assert through.system.discriminator.weight.is_contiguous(memory_format=torch.channels_last)
    through.fit(5)
    trainer(tmp_path / "two", **half).fit(2)
    again = trainer(tmp_path / "two", **half)
    again.resume()
    again.fit(5)
    assert equal(through.system, again.system)
    assert equal(through.averages["generator"], again.averages["generator"])


def test_moments_follow_their_weights_into_another_precision(tmp_path):
    """In 16 bits weights lie in memory channels last, in 32 as ever; a fused step does not look where."""
    full = trainer(tmp_path)
    full.fit(2)
    half = trainer(tmp_path, fabric=Fabric(accelerator="cpu", devices=1, precision="bf16-mixed"))
    half.resume()
    for player, optimizer in half.optimizers.items():
        before = full.optimizers[player]
        for weight, same in zip(half.system.weights(player), full.system.weights(player), strict=True):
            for name in ("exp_avg", "exp_avg_sq"):
                moment = optimizer.state[weight][name]
                assert torch.equal(moment, before.state[same][name])
                assert moment.stride() == weight.stride()


def test_two_halves_make_the_step_of_the_whole(tmp_path):
    whole, halves = trainer(tmp_path), trainer(tmp_path, accumulate=2)
    for step in range(3):
        batch = whole.system.batch(step, 0, 1)
        a, b = whole.one_step(batch), halves.one_step(batch)
        assert a == pytest.approx(b, rel=1e-4)
    for name, value in whole.system.state_dict().items():
        assert_close(value, halves.system.state_dict()[name], atol=1e-5, rtol=1e-4)


def test_a_batch_that_does_not_divide_is_refused(tmp_path):
    t = trainer(tmp_path, accumulate=3)
    with pytest.raises(SakugaError, match="the batch's photo, 4 long, does not divide by --accumulate 3"):
        t.one_step(t.system.batch(0, 0, 1))


def test_a_term_that_is_not_finite_is_named_and_moves_nothing(tmp_path):
    t = trainer(tmp_path, ToyConfig(content=math.nan))
    before = weights(t.system)
    with pytest.raises(FloatingPointError, match=r"loss of G is not finite: content=nan, adversarial=0\.\d+"):
        t.one_step(t.system.batch(0, 0, 1))
    assert not moved(before, t.system)


def test_a_gradient_that_is_not_finite_moves_nothing(tmp_path):
    class Steep(Toy):
        def step(self, batch, t):
            # The root of zero: the loss is finite, its gradient is not.
            yield "G", {"root": (self.generator(batch["photo"]) * 0).square().sum().sqrt()}

    t = Trainer(Steep(), tmp_path)
    before = weights(t.system)
    with pytest.raises(FloatingPointError, match="the gradient of G is not finite"):
        t.one_step(t.system.batch(0, 0, 1))
    assert not moved(before, t.system)


def test_the_gradient_is_clipped(tmp_path):
    free, tight = (trainer(tmp_path, ToyConfig(content=1000.0), clip=c) for c in (None, 0.5))
    for t in (free, tight):
        t.one_step(t.system.batch(0, 0, 1))

    def norm(t):
        return torch.cat([p.grad.flatten() for p in t.system.weights("G")]).norm().item()

    assert norm(free) > 1
    assert norm(tight) == pytest.approx(0.5, rel=1e-3)


def test_the_average_follows(tmp_path):
    t = trainer(tmp_path, ToyConfig(ema=0.5))
    average = t.averages["generator"]
    start = weights(average)
    t.one_step(t.system.batch(0, 0, 1))
    # The first step's decay is min(0.5, 1/10): a tenth of the start, nine tenths of now.
    for name, value in average.state_dict().items():
        assert_close(value, 0.1 * start[name] + 0.9 * t.system.generator.state_dict()[name])


def test_rates_are_functions_of_the_step(tmp_path):
    class Falling(Toy):
        def rate(self, t, player):
            return 1 / (1 + t)

    t = Trainer(Falling(), tmp_path)
    seen = []
    for step in range(3):
        t.one_step(t.system.batch(step, 0, 1))
        seen.append(t.optimizers["G"].param_groups[0]["lr"])
    assert seen == pytest.approx([1e-2, 5e-3, 1e-2 / 3])


def test_frozen_restores_what_was(tmp_path):
    network = nn.Linear(2, 2)
    network.bias.requires_grad_(False)
    with frozen(network):
        assert not network.weight.requires_grad
    assert network.weight.requires_grad
    assert not network.bias.requires_grad


def test_each_batch_is_made_once_and_none_for_nothing(tmp_path):
    made = []

    class Counting(Toy):
        def batch(self, step, rank, world):
            made.append(step)
            return super().batch(step, rank, world)

    Trainer(Counting(), tmp_path).fit(3)
    assert made == [0, 1, 2]


def test_an_error_of_a_batch_comes_when_its_step_is_due_and_says_what_is_saved(tmp_path):
    class Broken(Toy):
        def batch(self, step, rank, world):
            if step == 2:
                raise SakugaError("photo.jpg is not a readable picture")
            return super().batch(step, rank, world)

    t = Trainer(Broken(), tmp_path)
    with pytest.raises(SakugaError, match=r"photo\.jpg is not a readable picture; saved at step 2$"):
        t.fit(5)
    assert t.steps == 2
    assert runs.load(tmp_path)["steps"] == 2


def test_several_threads_make_batches_in_order():
    """Each of three batches waits for the other two, so this ends only if they are made at the same time."""
    together = threading.Barrier(3)

    def make(step):
        together.wait(10)
        return step

    assert list(prefetch(make, range(6), threads=3)) == [*range(6)]


def test_the_next_batch_is_made_meanwhile():
    """Both sides wait for each other, so this ends only if they run at the same time; one batch ahead, no more."""
    begun = [threading.Event() for _ in range(5)]

    def make(step):
        begun[step].set()
        return step

    for step in (batches := prefetch(make, range(4))):
        if step < 3:
            assert begun[step + 1].wait(10)
            assert not begun[step + 2].is_set()
    assert list(batches) == []


class TestCheckpoint:
    def test_a_run_of_another_system_is_refused(self, tmp_path):
        trainer(tmp_path).save()

        class Other(Toy):
            name = "other"

        with pytest.raises(SakugaError, match="is a run of toy, not of other"):
            Trainer(Other(), tmp_path).resume()

    def test_a_damaged_file_is_named(self, tmp_path):
        trainer(tmp_path).save()
        path = tmp_path / runs.LAST
        path.write_bytes(path.read_bytes()[:-500])
        with pytest.raises(SakugaError, match=r"last\.pt is damaged"):
            trainer(tmp_path).resume()

    def test_a_full_disk_keeps_the_earlier_one(self, tmp_path, monkeypatch):
        t = trainer(tmp_path)
        t.save()
        before = (tmp_path / runs.LAST).read_bytes()

        def full(state, file):
            file.write(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(torch, "save", full)
        t.one_step(t.system.batch(0, 0, 1))
        with pytest.raises(SakugaError, match=r"No space left on device\); the earlier one is whole"):
            t.save()
        assert (tmp_path / runs.LAST).read_bytes() == before
        assert sorted(p.name for p in tmp_path.iterdir()) == [runs.LAST]

    def test_it_is_on_the_disk_with_its_name(self, tmp_path, monkeypatch):
        """The file before the rename, the folder after it: a power cut leaves one or the other."""
        synced, real = [], os.fsync

        def fsync(descriptor):
            kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
            synced.append((kind, (tmp_path / runs.LAST).exists()))
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        trainer(tmp_path).save()
        assert synced == [("file", False), ("folder", True)]

    def test_what_changed_is_told_and_holds(self, tmp_path):
        trainer(tmp_path, ToyConfig(lr=1e-2)).fit(2)
        again = trainer(tmp_path, ToyConfig(lr=5e-3, warmup=4, ema=0.9))
        assert again.resume()
        assert again.changed == ["lr: 0.01 -> 0.005", "ema: 0.999 -> 0.9", "warmup: 1 -> 4"]
        again.fit(3)
        assert again.optimizers["G"].param_groups[0]["lr"] == 5e-3

    def test_betas_are_those_of_now(self, tmp_path):
        class Slow(Toy):
            def optimizers(self):
                return {p: torch.optim.Adam(self.weights(p), 1e-2, betas=(0.5, 0.9)) for p in self.players}

        trainer(tmp_path).fit(1)
        again = Trainer(Slow(), tmp_path)
        again.resume()
        assert again.optimizers["G"].param_groups[0]["betas"] == (0.5, 0.9)

    def test_nothing_to_resume(self, tmp_path):
        assert not trainer(tmp_path).resume()
