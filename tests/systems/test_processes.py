"""Several processes, and processes that are killed, lead to the weights of one that is left alone."""

import random
import time
from pathlib import Path

import pytest
import test_system_animegan
import test_system_cyclegan
import torch
from processes import SECONDS, launch, start
from tiny import make_data
from torch.testing import assert_close

from sakuga import runs
from sakuga.training.trainer import Trainer

HERE = str(Path(__file__).parent)
TESTS = str(Path(__file__).parents[1])

# In double precision, for Adam turns gradients that are zero but for rounding, such as those of a bias before an
# instance norm, into steps of full length.
PROCESS = """
import sys
from pathlib import Path
sys.path[:0] = [{here!r}, {tests!r}]
import torch
from lightning_fabric import Fabric
from test_processes import double
import {module}
from sakuga.training.trainer import Trainer
torch.set_num_threads(1)
fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
fabric.launch()
for until in {stops}:
    trainer = Trainer(double({module}.TINY, Path({data!r}), **{fields}), Path({run!r}), fabric=fabric)
    trainer.resume()
    trainer.fit(until)
torch.distributed.destroy_process_group()
"""


def double(tiny, data, **fields):
    """A system in double precision; its data stay what they are."""
    torch.manual_seed(0)
    system = tiny.build(data, **fields).double()
    single = system.batch
    system.batch = lambda *which: {name: value.double() for name, value in single(*which).items()}
    return system


def of_two_processes(run, module, data, *stops, **fields):
    """The checkpoint of two processes that begin anew after every stop but the last."""
    known = {"here": HERE, "tests": TESTS, "module": module.__name__, "data": str(data), "run": str(run)}
    launch(run.with_suffix(".py"), PROCESS.format(**known, stops=stops, fields=fields))
    return runs.load(run)


@pytest.mark.filterwarnings("ignore:feature losses use:UserWarning")
@pytest.mark.parametrize("module", [test_system_cyclegan, test_system_animegan], ids=["cyclegan", "animegan"])
def test_two_processes_train_to_the_weights_of_one(module, tmp_path):
    data = make_data(tmp_path / "data")
    one = Trainer(double(module.TINY, data), tmp_path / "one")
    start = {name: value.clone() for name, value in one.system.generator.state_dict().items()}
    one.fit(5)
    assert any((value - start[name]).abs().max() > 1e-3 for name, value in one.system.generator.state_dict().items())
    two = of_two_processes(tmp_path / "two", module, data, 5)
    for player in one.system.players:
        for name in one.system.players[player]:
            for key, value in one.system.get_submodule(name).state_dict().items():
                assert_close(two["networks"][name][key], value, atol=1e-5, rtol=0)


def test_two_processes_go_on_as_if_they_had_not_stopped(tmp_path):
    """Each with pools of its own, of which some pictures have been exchanged by the stop."""
    data = make_data(tmp_path / "data")
    through = of_two_processes(tmp_path / "through", test_system_cyclegan, data, 14, pool=3)
    resumed = of_two_processes(tmp_path / "resumed", test_system_cyclegan, data, 10, 14, pool=3)
    first, second = (part["stateful"]["pool_style"]["_extra_state"] for part in through["ranks"])
    assert not torch.equal(first["images"][0], second["images"][0])
    for part in ("networks", "finished", "optimizers", "ranks"):
        assert_close(resumed[part], through[part], rtol=0, atol=0)


CHILD = """
import sys
from pathlib import Path
sys.path[:0] = [{here!r}]
import torch
from test_system_cyclegan import TINY
from sakuga.training.trainer import Trainer
torch.set_num_threads(1)
torch.manual_seed(0)
trainer = Trainer(TINY.build(Path({data!r}), pool=3), Path({run!r}))
trainer.resume()
trainer.fit({until}, save_every=1)
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_and_called_again_it_ends_where_it_would_have(seed, tmp_path):
    """CycleGAN with full pools, killed without warning somewhere between or within its steps and saves."""
    data = make_data(tmp_path / "data")

    def begin(run):
        text = CHILD.format(here=HERE, data=str(data), run=str(tmp_path / run), until=12)
        return start(tmp_path / f"{run}.py", text)

    killed = begin("killed")
    deadline = time.monotonic() + SECONDS
    while not (tmp_path / "killed" / runs.LAST).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(random.Random(seed).uniform(0, 0.5))
    killed.kill()
    killed.join()
    for run in ("killed", "through"):
        child = begin(run)
        child.join()
        assert child.exitcode == 0
    killed, through = (runs.load(tmp_path / run) for run in ("killed", "through"))
    assert killed["steps"] == through["steps"] == 12
    for part in ("networks", "finished", "optimizers", "ranks"):
        assert_close(killed[part], through[part], rtol=0, atol=0)
