"""What a step may be: players on one loss, averages of any networks, rates of their own, parts of any length."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from toy import Toy, ToyConfig, equal, moved, trainer, weights

from sakuga import runs
from sakuga.errors import UsageError
from sakuga.losses import l1
from sakuga.systems.base import swapped
from sakuga.training.trainer import Trainer


class Trio(Toy):
    """An encoder and a generator that learn on one loss, and a discriminator that moves in every second step."""

    players = {"G": ["generator"], "E": ["encoder"], "D": ["discriminator"]}  # noqa: RUF012
    averaged = ("generator", "discriminator")

    def __init__(self, config=None):
        super().__init__(config)
        self.encoder = nn.Conv2d(3, 3, 1)

    def step(self, batch, t):
        photo = batch["photo"]
        if t % 2:
            yield "D", {"score": self.discriminator(photo).square().mean()}
        yield ("G", "E"), {"content": l1(self.generator(self.encoder(photo)), -photo)}


class TestPlayers:
    def test_several_move_on_one_loss(self, tmp_path):
        t = Trainer(Trio(), tmp_path)
        batch, before = t.system.batch(0, 0, 1), weights(t.system)
        plain = Trio()
        loss = l1(plain.generator(plain.encoder(batch["photo"])), -batch["photo"])
        loss.backward()
        assert t.one_step(batch) == {"G+E/content": pytest.approx(loss.item())}
        assert moved(before, t.system) == {"generator", "encoder"}
        assert_close(t.system.encoder.weight.grad, plain.encoder.weight.grad)
        assert {"rate/G", "rate/E", "gradient/G", "gradient/E"} == set(t.gauges)

    def test_none_moves_where_one_gradient_is_not_finite(self, tmp_path):
        class Steep(Trio):
            def step(self, batch, t):
                root = (self.encoder(batch["photo"]) * 0).square().sum().sqrt()
                yield ("G", "E"), {"root": root + self.generator(batch["photo"]).mean()}

        t = Trainer(Steep(), tmp_path)
        before = weights(t.system)
        with pytest.raises(FloatingPointError, match="the gradient of E is not finite"):
            t.one_step(t.system.batch(0, 0, 1))
        assert not moved(before, t.system)

    def test_each_has_its_rate(self, tmp_path):
        class Rated(Trio):
            def rate(self, t, player):
                return {"G": 1.0, "E": 0.5, "D": 1 / (1 + t)}[player]

        t = Trainer(Rated(), tmp_path)
        for step in range(2):
            t.one_step(t.system.batch(step, 0, 1))
        rates = {player: optimizer.param_groups[0]["lr"] for player, optimizer in t.optimizers.items()}
        assert rates == pytest.approx({"G": 1e-2, "E": 5e-3, "D": 5e-3})

    def test_an_optimizer_starts_anew(self, tmp_path):
        """Its step is the first one of a new Adam: as long as the rate, whatever the moments were."""

        class Anew(Toy):
            def fresh(self, t):
                return ("G",) if t == 3 else ()

        through = Trainer(Anew(ToyConfig(warmup=9)), tmp_path / "through")
        through.fit(3)
        before = weights(through.system)
        through.one_step(through.system.batch(3, 0, 1))
        steps = [(v - before[n]).abs().max() for n, v in through.system.state_dict().items() if "generator" in n]
        assert torch.stack(steps).max().item() == pytest.approx(1e-2, rel=1e-3)
        assert {int(state["step"]) for state in through.optimizers["G"].state.values()} == {1}

        Trainer(Anew(ToyConfig(warmup=9)), tmp_path / "resumed").fit(3)
        resumed = Trainer(Anew(ToyConfig(warmup=9)), tmp_path / "resumed")
        assert resumed.resume()
        resumed.one_step(resumed.system.batch(3, 0, 1))
        assert equal(through.system, resumed.system)

    def test_two_updates_of_one_player_are_one_mean_in_the_log(self, tmp_path):
        class Twice(Toy):
            def step(self, batch, t):
                yield "D", {"a": 0 * self.discriminator(batch["photo"]).mean() + 1}
                yield "D", {"a": 0 * self.discriminator(batch["photo"]).mean() + 3, "b": self.discriminator.bias.sum()}

        found = Trainer(Twice(), tmp_path, accumulate=2).one_step(Toy().batch(0, 0, 1))
        assert found["D/a"] == 2


class TestAverages:
    def test_each_moves_after_an_update_of_its_player_alone(self, tmp_path):
        t = Trainer(Trio(), tmp_path)
        first = weights(t.averages["discriminator"])
        t.one_step(t.system.batch(0, 0, 1))
        assert all(torch.equal(v, first[n]) for n, v in t.averages["discriminator"].state_dict().items())
        before = weights(t.averages["generator"])
        t.one_step(t.system.batch(1, 0, 1))
        decay = 2 / 11
        for name, network in (("generator", before), ("discriminator", first)):
            now = t.system.get_submodule(name).state_dict()
            for key, value in t.averages[name].state_dict().items():
                assert_close(value, decay * network[key] + (1 - decay) * now[key])

    def test_the_decay_is_a_function_of_the_step(self, tmp_path):
        class Halved(Toy):
            def decay(self, t):
                return 0.5 ** (t + 1)

        t = Trainer(Halved(), tmp_path)
        for step, decay in enumerate((0.5, 0.25)):
            before = weights(t.averages["generator"])
            t.one_step(t.system.batch(step, 0, 1))
            now = t.system.generator.state_dict()
            for name, value in t.averages["generator"].state_dict().items():
                assert_close(value, decay * before[name] + (1 - decay) * now[name])

    def test_none_at_all(self, tmp_path):
        """What users get is then the network itself, which goes into what best.pt holds."""

        class Plain(Toy):
            averaged = ()

        t = Trainer(Plain(), tmp_path)
        t.fit(2)
        kept = runs.load(tmp_path)["finished"]
        assert set(kept) == {"generator"}
        assert all(torch.equal(v, kept["generator"][n]) for n, v in t.system.generator.state_dict().items())
        again = Trainer(Plain(), tmp_path)
        assert again.resume()
        again.fit(3)
        other = Trainer(Plain(), tmp_path / "other")
        other.start_from(tmp_path)
        assert equal(other.system.generator, again.system.generator)

    def test_they_stand_in_the_networks_places_for_a_while(self, tmp_path):
        t = Trainer(Trio(), tmp_path)
        own = t.system.generator
        with swapped(t.system, t.averages):
            assert t.system.generator is t.averages["generator"]
        assert t.system.generator is own

    def test_a_start_from_another_run_takes_what_it_has(self, tmp_path):
        trainer(tmp_path / "toy").fit(2)
        t = Trainer(Trio(), tmp_path / "trio")
        t.start_from(tmp_path / "toy")
        kept = runs.load(tmp_path / "toy")["finished"]["generator"]
        for network in (t.system.generator, t.averages["generator"]):
            assert all(torch.equal(v, kept[n]) for n, v in network.state_dict().items())

        class Other(Toy):
            averaged = ("discriminator",)
            players = {"D": ["discriminator"]}  # noqa: RUF012

        with pytest.raises(UsageError, match="holds none of toy's networks"):
            Trainer(Other(), tmp_path / "other").start_from(tmp_path / "toy")


class Lengths(Toy):
    """Two parts of a batch that differ in length, and steps whose batches do."""

    def batch(self, step, rank, world):
        size = 4 * (1 + step)
        rng = torch.Generator().manual_seed(step)
        return {"style": torch.rand(2, 3, 8, 8, generator=rng), "photo": torch.rand(size, 3, 8, 8, generator=rng)}

    def step(self, batch, t):
        self.seen = [len(part) for part in batch.values()]
        yield (
            "G",
            {"a": l1(self.generator(batch["photo"]), -batch["photo"]), "b": self.generator(batch["style"]).mean()},
        )


class TestBatches:
    @pytest.mark.parametrize(("accumulate", "lengths"), [(1, [2, 4]), (2, [1, 2])])
    def test_parts_of_any_length_are_whole(self, accumulate, lengths, tmp_path):
        whole, parts = (Trainer(Lengths(), tmp_path, accumulate=n) for n in (1, accumulate))
        a, b = (t.one_step(t.system.batch(0, 0, 1)) for t in (whole, parts))
        assert parts.system.seen == lengths
        assert a == pytest.approx(b, rel=1e-5)

    def test_their_size_may_change_with_the_step(self, tmp_path):
        t = Trainer(Lengths(), tmp_path, accumulate=2)
        t.fit(3)
        assert t.system.seen == [1, 6]

    def test_parts_that_disagree_whose_turn_it_is_are_no_step(self, tmp_path):
        class Torn(Toy):
            def step(self, batch, t):
                if batch["photo"].mean() > 0:
                    yield "D", {"a": self.discriminator(batch["photo"]).mean()}
                yield "G", {"a": self.generator(batch["photo"]).mean()}

        batch = {"photo": torch.cat([torch.full((2, 3, 8, 8), value) for value in (-1.0, 1.0)])}
        with pytest.raises(RuntimeError, match="differ in whose turn it is"):
            Trainer(Torn(), tmp_path, accumulate=2).one_step(batch)


class Counter(nn.Module):
    """A stateful module that is no image pool: a running mean, and random numbers of its own."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.rng = torch.Generator().manual_seed(0)

    def forward(self, value):
        self.mean.mul_(0.9).add_(0.1 * value.detach())
        return self.mean + torch.rand((), generator=self.rng)

    def get_extra_state(self):
        return self.rng.get_state()

    def set_extra_state(self, state):
        self.rng.set_state(state)


class Counting(Toy):
    stateful = ("counter",)

    def __init__(self, config=None):
        super().__init__(config)
        self.counter = Counter()

    def step(self, batch, t):
        fake = self.generator(batch["photo"])
        yield "G", {"a": l1(fake, -batch["photo"]) * self.counter(fake.mean())}


def test_stateful_modules_go_on_where_they_were(tmp_path):
    through = Trainer(Counting(), tmp_path / "through")
    through.fit(4)
    Trainer(Counting(), tmp_path / "resumed").fit(2)
    resumed = Trainer(Counting(), tmp_path / "resumed")
    assert resumed.resume()
    resumed.fit(4)
    assert through.system.counter.mean != 0
    assert equal(through.system.generator, resumed.system.generator)
    assert torch.equal(through.system.counter.mean, resumed.system.counter.mean)
    assert torch.equal(through.system.counter.rng.get_state(), resumed.system.counter.rng.get_state())


def test_checkpoints_of_earlier_versions(tmp_path):
    """They held one average, without its name, and called accumulation otherwise."""
    trainer(tmp_path, ToyConfig(ema=0.9), accumulate=2).fit(3)
    state = torch.load(tmp_path / runs.LAST, weights_only=True)
    state["average"] = state.pop("finished")["generator"]
    state["options"] |= {"ema": state["config"].pop("ema"), "micro": state["options"].pop("accumulate")}
    torch.save(state, tmp_path / runs.LAST)
    again = trainer(tmp_path, ToyConfig(ema=0.99), accumulate=1)
    assert again.resume()
    assert sorted(again.changed) == ["accumulate: 2 -> 1", "ema: 0.9 -> 0.99"]
    for name, value in again.averages["generator"].state_dict().items():
        assert torch.equal(value, state["average"][name])
    assert not equal(again.averages["generator"], again.system.generator)
