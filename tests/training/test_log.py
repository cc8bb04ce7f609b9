"""A log never stops a run and never changes it; samples are judged, and the best weights are kept."""

import csv

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing import event_accumulator
from torchmetrics.image.kid import poly_mmd
from toy import Toy, ToyConfig

from sakuga import runs
from sakuga.metrics.kid import kid, mmd2
from sakuga.systems.base import Preview
from sakuga.training.kid_monitor import KIDMonitor, crops
from sakuga.training.log import Log, read_metrics
from sakuga.training.trainer import Trainer


@pytest.fixture(autouse=True)
def nothing_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("SAKUGA_CACHE", str(tmp_path / "cache"))


class Styled(Toy):
    """It has photos to show and a style to be judged by; its batch is chance's, as dropout's would be."""

    def preview(self):
        photos = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
        return Preview({"image": photos}, -photos)

    def step(self, batch, t):
        yield from super().step({"photo": batch["photo"] + 0.1 * torch.rand(4, 3, 8, 8)}, t)


def fit(run, until, every=2, system=Styled):
    torch.manual_seed(0)
    trainer = Trainer(system(), run)
    trainer.resume()
    record = Log(run, every=1, total=until)
    record.forget_after(trainer.steps)
    trainer.fit(until, save_every=every, log=record)
    record.close()
    return trainer


def metrics(run):
    with (run / "metrics.csv").open() as file:
        return [(int(row["step"]), row["term"], float(row["value"])) for row in csv.DictReader(file)]


class TestNothingStopsARun:
    @pytest.mark.parametrize(
        ("place", "part"),
        [
            ("sakuga.training.preview.export", "samples"),
            ("sakuga.training.log.KIDMonitor", "quality"),
            ("sakuga.training.log.KIDMonitor.__call__", "quality"),
            ("sakuga.training.log.runs.finished", "quality"),
            ("sakuga.training.log.Health.terms", "health"),
            ("sakuga.training.log.Health.samples", "health"),
            ("sakuga.training.log.csv.writer", "metrics.csv"),
            ("torch.utils.tensorboard.SummaryWriter", "TensorBoard"),
            ("torch.utils.tensorboard.SummaryWriter.add_scalar", "TensorBoard"),
            ("torch.utils.tensorboard.SummaryWriter.add_image", "TensorBoard"),
            ("torch.utils.tensorboard.SummaryWriter.close", "TensorBoard"),
        ],
    )
    def test_what_fails_is_announced_once(self, place, part, tmp_path, monkeypatch, capsys):
        def fail(*_args, **_options):
            raise RuntimeError("no luck")

        if place.endswith("finished"):  # the trainer's own saves must go on

            def fail_for_best(state, run, name="last.pt", *, real=runs.save, **options):
                fail() if name == "best.pt" else real(state, run, name, **options)

            monkeypatch.setattr(runs, "save", fail_for_best)
        else:
            monkeypatch.setattr(place, fail)
        assert fit(tmp_path / "run", 4).steps == 4
        said = capsys.readouterr().err
        assert said.count(f"The log is without {part} (no luck); training goes on.") == 1
        assert said.count("The log is without") == 1

    def test_a_table_that_was_cut_short(self, tmp_path):
        fit(tmp_path, 2)
        path = tmp_path / "metrics.csv"
        path.write_text(path.read_text() + "2,G/con")
        fit(tmp_path, 4)
        assert [step for step, term, _ in metrics(tmp_path) if term == "G/content"] == [1, 2, 3, 4]

    def test_an_empty_table(self, tmp_path):
        (tmp_path / "metrics.csv").touch()
        fit(tmp_path, 2)
        assert [step for step, term, _ in metrics(tmp_path) if term == "G/content"] == [1, 2]


def test_steps_that_are_done_again_are_shown_once(tmp_path):
    """A run that was killed after step 4 goes on from its checkpoint of step 2."""
    for begin, end in ((0, 4), (2, 3)):
        log = Log(tmp_path, every=1)
        log.forget_after(begin)
        for step in range(begin, end):
            log.step(step + 1, {"G/content": float(step)})
        log.close()
    board = event_accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [event.step for event in board.Scalars("G/content")] == [1, 2, 3]
    assert [step for step, _, _ in metrics(tmp_path)] == [1, 2, 3]


def test_a_log_changes_nothing(tmp_path):
    """Judging draws chance, and so does exporting; the next step must not feel it."""
    logged = fit(tmp_path / "logged", 4)
    torch.manual_seed(0)
    silent = Trainer(Styled(), tmp_path / "silent")
    silent.fit(4)
    assert all(
        torch.equal(v, logged.averages["generator"].state_dict()[k])
        for k, v in silent.averages["generator"].state_dict().items()
    )


def test_what_is_no_row_is_left_out(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"garbage \xff\n,,\n1,G/x,0.5\n2,G/x,oops\n2,G/x,0.25\n3,G/x")
    assert read_metrics(path) == [(1, "G/x", 0.5), (2, "G/x", 0.25)]
    Log(tmp_path).forget_after(1)
    assert path.read_text() == "step,term,value\n1,G/x,0.5\n"


class TestBest:
    def test_the_best_is_kept(self, tmp_path, monkeypatch, capsys):
        figures = iter([3.0, 1.0, 2.0, 1.5])
        kept = {}
        real = Log.sample

        def sample(self, step, system):
            kept[step] = {name: value.clone() for name, value in system.generator.state_dict().items()}
            real(self, step, system)

        monkeypatch.setattr(Log, "sample", sample)
        monkeypatch.setattr(KIDMonitor, "__call__", lambda *_: next(figures))
        fit(tmp_path, 6)
        fit(tmp_path, 8)  # resumed: 1.5 is no better than the 1.0 before
        best = runs.load(tmp_path, runs.BEST)
        assert (best["steps"], best["quality"]) == (4, 1.0)
        assert all(torch.equal(value, kept[4][name]) for name, value in best["finished"]["generator"].items())
        term = "quality/kid[alexnet-random]"
        assert [row for row in metrics(tmp_path) if row[1] == term] == [
            (2, term, 3.0),
            (4, term, 1.0),
            (6, term, 2.0),
            (8, term, 1.5),
        ]
        assert "samples are measured by KID on alexnet with random weights, seed 0" in capsys.readouterr().err

    def test_a_training_begun_anew_forgets_the_old_best(self, tmp_path, monkeypatch):
        monkeypatch.setattr(KIDMonitor, "__call__", lambda *_: 1.0)
        fit(tmp_path, 4, every=4)
        (tmp_path / "last.pt").unlink()
        monkeypatch.setattr(KIDMonitor, "__call__", lambda *_: 2.0)
        fit(tmp_path, 2)
        assert runs.load(tmp_path, runs.BEST)["quality"] == 2.0

    def test_what_a_warm_up_made_is_shown_but_not_judged(self, tmp_path, monkeypatch):
        """It repeats the photo, which is no fault, and must not be kept as the best of a style."""
        monkeypatch.setattr(KIDMonitor, "__call__", lambda *_: 1.0)
        monkeypatch.setattr("sakuga.training.log.Health.samples", lambda *_: 1 / 0)
        fit(tmp_path, 4, system=lambda: Styled(ToyConfig(warmup=4)))
        assert (tmp_path / "samples" / "0000004.png").exists()
        assert not (tmp_path / "best.pt").exists()
        monkeypatch.undo()
        monkeypatch.setattr(KIDMonitor, "__call__", lambda *_: 1.0)
        fit(tmp_path, 6, system=lambda: Styled(ToyConfig(warmup=4)))
        assert runs.load(tmp_path, runs.BEST)["steps"] == 6

    def test_without_pictures_of_the_style(self, tmp_path):
        class Plain(Styled):
            def preview(self):
                return Preview(super().preview().inputs)

        fit(tmp_path, 2, system=Plain)
        assert not (tmp_path / "best.pt").exists()
        assert not any(term.startswith("quality") for _, term, _ in metrics(tmp_path))


class TestJudge:
    def test_nearer_to_the_style_is_smaller(self):
        rng = np.random.default_rng(0)

        def pictures(flat):
            areas = np.kron(rng.integers(0, 256, (4, 16, 16, 3)), np.ones((1, 8, 8, 1)))
            noise = rng.integers(-120, 121, areas.shape)
            return (areas + (1 - flat) * noise).clip(0, 255).astype(np.uint8)

        style = torch.from_numpy(pictures(1.0)).permute(0, 3, 1, 2) / 127.5 - 1
        judge = KIDMonitor(style)
        figures = [judge(pictures(flat)) for flat in (0.0, 0.5, 1.0)]
        assert figures[0] > figures[1] > figures[2]
        assert judge(pictures(0.0)) != figures[0]  # other pictures
        same = pictures(0.5)
        assert judge(same) == judge(same)  # no chance

    @pytest.mark.parametrize(
        ("shape", "wanted"),
        [
            ((4, 3, 284, 284), (36, 3, 128, 128)),  # 3 x 3 squares at steps of 64 from each of 4
            ((64, 3, 284, 284), (64, 3, 128, 128)),
            ((2, 3, 60, 90), (4, 3, 60, 60)),  # 0 and 30
        ],
    )
    def test_crops(self, shape, wanted):
        assert crops(torch.zeros(shape)).shape == wanted


def by_hand(x, y):
    """MMD² by its definition, one pair after the other."""
    m, d = x.shape

    def k(a, b):
        return (sum(float(p) * float(q) for p, q in zip(a, b, strict=True)) / d + 1) ** 3

    pairs = [(i, j) for i in range(m) for j in range(m)]
    within = sum(k(z[i], z[j]) for z in (x, y) for i, j in pairs if i != j) / (m * (m - 1))
    return within - 2 * sum(k(x[i], y[j]) for i, j in pairs) / m**2


class TestKID:
    x = np.random.default_rng(0).normal(size=(9, 5))
    y = np.random.default_rng(1).normal(0.5, size=(7, 5))

    def test_by_hand(self):
        # k((1, 1), (1, 1)) = (2/2 + 1)³ = 8; k((1, 1), (0, 0)) = 1: 8 + 1 - 2 * 1 = 7.
        ones, zeros = torch.ones(3, 2), torch.zeros(3, 2)
        assert mmd2(ones, zeros).item() == 7
        assert [v.item() for v in kid(ones, zeros, subsets=4, subset_size=2)] == [7, 0]

    def test_by_its_definition(self):
        assert mmd2(torch.from_numpy(self.x[:7]), torch.from_numpy(self.y)).item() == pytest.approx(
            by_hand(self.x[:7], self.y), rel=1e-12
        )

    def test_subsets(self):
        mean, std = kid(
            *map(torch.from_numpy, (self.x, self.y)),
            subsets=3,
            subset_size=4,
            generator=torch.Generator().manual_seed(2),
        )
        generator = torch.Generator().manual_seed(2)
        values = []
        for _ in range(3):
            x, y = (z[torch.randperm(len(z), generator=generator)[:4].numpy()] for z in (self.x, self.y))
            values.append(by_hand(x, y))
        assert (mean.item(), std.item()) == pytest.approx((np.mean(values), np.std(values)), rel=1e-12)

    def test_a_peer(self):
        x, y = (torch.from_numpy(z[:7]) for z in (self.x, self.y))
        assert mmd2(x, y).item() == pytest.approx(poly_mmd(x, y).item(), rel=1e-9)

    def test_refusals(self):
        x = torch.zeros(4, 3)
        with pytest.raises(ValueError, match="must be from 2 to the 4 pictures there are, not 5"):
            kid(x, x, subset_size=5)
        with pytest.raises(ValueError, match=r"not \[4, 3\] and \[4, 2\]"):
            kid(x, x[:, :2])


def test_the_end_of_a_run_is_recorded(tmp_path):
    record = Log(tmp_path, every=10, total=3)
    for step in (1, 2, 3):
        record.step(step, {"G/x": float(step)})
    assert metrics(tmp_path) == [(3, "G/x", 2.0)]  # the last step is written though it is no multiple of ten


def test_gauges_are_written_but_not_said(tmp_path, capsys):
    record = Log(tmp_path, every=2)
    record.step(1, {"warmup/x": 1.0}, {"gradient/warmup": 4.0})
    record.step(2, {"G/x": 1.0}, {"gradient/G": 6.0})
    assert {term: value for _, term, value in metrics(tmp_path)} == {
        "warmup/x": 1,
        "gradient/warmup": 4,
        "G/x": 1,
        "gradient/G": 6,
    }
    said = capsys.readouterr().err
    assert "warmup/x 1.0000  G/x 1.0000" in said
    assert "gradient" not in said


def test_a_line_tells_how_long_it_will_still_take(tmp_path, monkeypatch, capsys):
    """100 of 7,300 steps in 50 s: two a second, so the other 7,200 take an hour."""
    clock = iter([1000.0, 1050.0])
    monkeypatch.setattr("sakuga.training.log.time.monotonic", lambda: next(clock))
    record = Log(tmp_path, every=100, total=7300)
    for step in range(1, 101):
        record.step(step, {"G/content": 0.5})
    record.close()
    assert "step 100/7300  2.00/s  1:00:00 left  G/content 0.5000" in capsys.readouterr().err
