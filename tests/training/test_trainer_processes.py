"""Processes that are killed, and several that must agree: on the weights, and on when to stop."""

import subprocess
import sys
import time
from pathlib import Path

import torch
from lightning_fabric import Fabric
from PIL import Image
from processes import SECONDS, launch, start, torchrun
from torch.testing import assert_close
from toy import equal, trainer

from sakuga import runs

CHILD = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
import torch
torch.set_num_threads(1)
from toy import Toy, Trainer
Trainer(Toy(), Path({run!r})).fit(100000, save_every=1)
"""


def test_a_kill_while_saving_leaves_a_run_that_goes_on(tmp_path):
    """The child saves at every step, so the kill falls into or beside a save; the run equals the uninterrupted one."""
    text = CHILD.format(tests=str(Path(__file__).parent), run=str(tmp_path / "run"))
    child = start(tmp_path / "child.py", text)
    deadline = time.monotonic() + SECONDS
    while not (tmp_path / "run" / runs.LAST).exists():
        assert time.monotonic() < deadline
        assert child.is_alive()
        time.sleep(0.02)
    time.sleep(0.37)
    child.kill()
    child.join()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        again, through = trainer(tmp_path / "run"), trainer(tmp_path / "through")
        assert again.resume()
        until = again.steps + 2
        assert again.steps > 1
        again.fit(until)
        through.fit(until)
    finally:
        torch.set_num_threads(threads)
    assert equal(through.system, again.system)


PROCESS = """
import signal, sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
import torch
from lightning_fabric import Fabric
from toy import Toy, Trainer
from sakuga.errors import SakugaError
from sakuga import runs
torch.set_num_threads(1)
fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp", precision={precision!r})
fabric.launch()
trainer = Trainer(Toy(), Path({run!r}), fabric=fabric)
def say(text):
    sys.stdout.write(text + chr(10))  # one write: the other process prints into the same pipe
{body}
torch.distributed.destroy_process_group()
"""


def of_two_processes(folder, body, precision="32-true", by=launch):
    """What two processes print that run `body` with a trainer each, and the checkpoint that they leave."""
    folder.mkdir()
    text = PROCESS.format(tests=str(Path(__file__).parent), run=str(folder / "run"), body=body, precision=precision)
    return by(folder / "two.py", text), runs.load(folder / "run")


def test_two_processes_refuse_in_one_sentence(tmp_path):
    """Each finds the same fault; one says it, and neither launcher nor library has anything to add."""
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "photos" / "a.png")
    command = "train cyclegan --photos photos --style nowhere --run run --devices 2 --batch 2 --accelerator cpu"
    done = subprocess.run(
        [sys.executable, "-m", "sakuga", *command.split()], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["sakuga: nowhere does not exist: name a folder of pictures"]
    assert not (tmp_path / "run").exists()


def test_two_processes_train_to_the_weights_of_one(tmp_path):
    one = trainer(tmp_path / "one")
    one.fit(4)
    _, two = of_two_processes(tmp_path / "two", "trainer.fit(4)", by=torchrun)
    assert two["steps"] == 4
    for name, network in one.system.networks.items():
        for key, value in network.state_dict().items():
            assert_close(two["networks"][name][key], value, atol=1e-5, rtol=0)


def test_two_processes_in_16_bits_move_each_weight_by_its_own_gradient(tmp_path):
    """The mean of the gradients must lie in memory as the weights do, or Adam moves each weight by another's."""
    one = trainer(tmp_path / "one", fabric=Fabric(accelerator="cpu", devices=1, precision="bf16-mixed"))
    one.fit(4)
    _, two = of_two_processes(tmp_path / "two", "trainer.fit(4)", precision="bf16-mixed")
    apart = [
        (two["networks"][name][key] - value).abs().flatten()
        for name, network in one.system.networks.items()
        for key, value in network.state_dict().items()
    ]
    assert torch.cat(apart).mean() < 1e-3


def test_a_gradient_that_one_process_lacks_is_zero_there(tmp_path):
    """Its share of the batch reaches other weights than the other's; those that neither reaches stay where they are."""
    body = """
trainer.system.step = lambda batch, t: iter([("D", {{
    "a": trainer.system.discriminator.bias.sum() if fabric.global_rank else trainer.system.discriminator.weight.sum()
}})])
del trainer.system.discriminator.weight
trainer.system.discriminator.weight = torch.nn.Parameter(torch.zeros(1, 3, 3, 3))
trainer.system.discriminator.spare = torch.nn.Parameter(torch.ones(5))
trainer.optimizers["D"] = torch.optim.SGD(trainer.system.weights("D"), lr=1.0)
trainer.settings["D"] = [{{"lr": 1.0}}]
with torch.no_grad():
    trainer.system.discriminator.bias.zero_()
trainer.averages.clear()
trainer.one_step({{"photo": torch.zeros(1)}})
found = trainer.system.discriminator
assert found.spare.grad is None
say(f"moved {{found.weight.min().item()}} {{found.weight.max().item()}} {{found.bias.item()}}")
trainer.save()
""".replace("{{", "{").replace("}}", "}")
    said, _ = of_two_processes(tmp_path / "two", body)
    assert said.count("moved -0.5 -0.5 -0.5") == 2


def test_one_process_that_is_interrupted_stops_both_after_the_same_step(tmp_path):
    body = """
take = trainer.one_step
def step(batch):
    if fabric.global_rank == 1 and trainer.steps == 2:
        signal.raise_signal(signal.SIGINT)
    return take(batch)
trainer.one_step = step
try:
    trainer.fit(1000)
except KeyboardInterrupt as stop:
    say(str(stop))
"""
    said, two = of_two_processes(tmp_path / "two", body)
    assert said.count("saved at step 3; the same command goes on") == 2
    assert two["steps"] == 3


def test_a_loss_that_one_process_finds_not_finite_stops_both(tmp_path):
    body = """
trainer.save()
batch = trainer.system.batch
if fabric.global_rank == 1:
    trainer.system.batch = lambda step, *which: {
        name: value * (torch.nan if step == 2 else 1) for name, value in batch(step, *which).items()
    }
try:
    trainer.fit(1000)
except FloatingPointError as error:
    say(str(error))
"""
    said, _ = of_two_processes(tmp_path / "two", body)
    assert said.count("step 2: the loss of D is not finite: hinge=nan") == 1
    assert said.count("step 2: the loss of D is not finite in another process") == 1


def test_a_full_disk_stops_both(tmp_path):
    body = """
trainer.save()
def full(*_, **__):
    raise SakugaError("the disk is full")
runs.save = full
try:
    trainer.fit(1000, save_every=2)
except SakugaError as error:
    say(f"{trainer.steps} {error}")
"""
    said, kept = of_two_processes(tmp_path / "two", body)
    assert "2 the disk is full" in said
    assert "2 the first process could not save" in said
    assert kept["steps"] == 0
