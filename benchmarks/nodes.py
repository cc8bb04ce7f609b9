"""Does a training on two machines lead where one process leads? With two hosts that share nothing but the disk.

    python benchmarks/nodes.py [--systems cyclegan starganv2 stylegan2] [--steps 6] [--only same time kill elastic]

As root on Linux the hosts are two network namespaces with a cable between them and no way around it; otherwise two
processes that meet at 127.0.0.1. torchrun begins one process on each, gloo carries the gradients, networks are small.

    same     Each system's weights after some steps, against one process with the whole batch. In 64 bits: the largest
             difference of a weight, and of those whose gradient is zero but for rounding, such as biases before an
             instance norm (`idle`), which Adam moves all the same and which change nothing. In 32 bits it moves them by
             its whole rate, so no two orders of adding stay together (`whole`); but against one process that works
             through the same halves (`halves`, --accumulate 2) not a bit may differ.
    time     Seconds a step of a larger CycleGAN of one thread a process: one with the whole batch, two with half each.
    kill     `sakuga train cyclegan`: one host is killed, the other must end within a minute in a sentence, and the same
             command must lead to what an undisturbed run leads to, bit for bit: weights, optimisers, pools, chance.
    elastic  `torchrun --nnodes 1:2`: one host is killed, the other goes on alone from the last checkpoint to the end.

StyleGAN 2's processes have minibatch deviations, noise and a mean path length of their own, as in the official code.
Here its batch is of eight, so that the strided groups of four whose deviation is measured are the halves, every sample
has the same noise, and path lengths no memory.
Ends with 1 if anything is not as it must be. Figures are of this machine, whose name is printed.
"""

import argparse
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from losses import machine
from PIL import Image

from sakuga import runs
from sakuga.systems import load_system, stylegan2
from sakuga.training.trainer import Trainer

SIZES: dict[str, dict[str, Any]] = {
    "cyclegan": {"width": 4, "blocks": 1},
    "starganv2": {"width": 4, "most": 8, "hidden": 8, "numbers": 4, "noise": 3},
    "stylegan2": {"batch": 8, "noise": 8, "width": 4, "widest": 8, "layers": 2, "path_every": 2, "penalty_every": 3},
}
TOLERANCE = 1e-9
IDLE_TOLERANCE = 1e-5
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def make_pictures(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for place in ("photos/rough", "photos/plain", "style"):
        (folder / place).mkdir(parents=True)
        for i in range(4):
            areas = np.kron(rng.integers(0, 256, (5, 6, 3)), np.ones((8, 8, 1))).astype(np.uint8)
            Image.fromarray(areas).save(folder / place / f"{i}.png")


# One process.


def same_noise(like: torch.Tensor) -> torch.Tensor:
    """Noise that is the same for every sample, whichever process has it."""
    one = torch.randn(like.shape[1:], generator=torch.Generator().manual_seed(like.shape[-1]))
    return one.to(like).expand_as(like)


def idle(trainer: Trainer) -> list[str]:
    """Weights whose gradient never was more than rounding."""
    found = []
    for player, names in trainer.system.players.items():
        for name in names:
            for key, weight in trainer.system.get_submodule(name).named_parameters():
                state = trainer.optimizers[player].state.get(weight)
                if state and float(state["exp_avg_sq"].max()) ** 0.5 < 1e-10:
                    found.append(f"{name} {key}")
    return found


def work(options: argparse.Namespace) -> None:
    """Train in this process, alone or as one of those that torchrun began; print the seconds of a step."""
    torch.set_num_threads(1)
    hosts = int(os.environ.get("WORLD_SIZE", "1"))
    fabric = Fabric(accelerator="cpu", devices=1, num_nodes=hosts, strategy="ddp" if hosts > 1 else "auto")
    fabric.launch()
    torch.manual_seed(0)
    name, folder = options.worker, Path(options.folder)
    kind = load_system(name)
    fields: dict[str, Any] = {"crop": 32, "batch": 4, "steps": 100, **SIZES[name], "photos": (folder / "photos",)}
    if name == "cyclegan":
        fields |= {"style": (folder / "style",)}
    if options.large:
        fields |= {"crop": 128, "width": 32, "blocks": 3}
    if name == "stylegan2":
        torch.randn_like = same_noise  # type: ignore[assignment]
        stylegan2.path_length = functools.partial(stylegan2.path_length, decay=0)  # type: ignore[assignment]
    system = kind(kind.Config(**fields))
    system.load()
    order = range(system.config.batch)
    halves = [*order[::2], *order[1::2]] if options.parts == 2 else slice(None)  # as two processes divide a batch
    plain = system.batch
    if options.double:
        system.double()
    kinds = {torch.float32: torch.float64} if options.double else {}
    system.batch = lambda *which: {  # type: ignore[method-assign]
        key: value[halves].to(kinds.get(value.dtype, value.dtype)) for key, value in plain(*which).items()
    }
    trainer = Trainer(system, Path(options.run), fabric=fabric, accumulate=options.parts)
    trainer.fit(1)
    begun = time.perf_counter()
    trainer.fit(options.steps)
    if fabric.is_global_zero:
        (Path(options.run) / "idle.json").write_text(json.dumps(idle(trainer)))
        print((time.perf_counter() - begun) / (options.steps - 1))
    if hosts > 1:
        torch.distributed.destroy_process_group()


# The hosts.


@contextmanager
def hosts() -> Iterator[list[tuple[list[str], dict[str, str], str]]]:
    """Yield for either host what comes before a command, its environment, and its address."""
    if os.name != "posix" or os.geteuid() or not shutil.which("ip"):
        yield [([], {}, "127.0.0.1")] * 2
        return
    names, cables = ("sakuga1", "sakuga2"), ("skg1", "skg2")

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True)

    try:
        for name in names:
            ip("netns", "add", name)
        ip("link", "add", cables[0], "netns", names[0], "type", "veth", "peer", "name", cables[1], "netns", names[1])
        for i, (name, cable) in enumerate(zip(names, cables, strict=True), 1):
            ip("-n", name, "addr", "add", f"10.77.0.{i}/24", "dev", cable)
            ip("-n", name, "link", "set", cable, "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield [
            (["ip", "netns", "exec", name], {"GLOO_SOCKET_IFNAME": cable}, f"10.77.0.{i}")
            for i, (name, cable) in enumerate(zip(names, cables, strict=True), 1)
        ]
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


def port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        found: int = one.getsockname()[1]
        return found


def launch(both: list, log: Path, command: list[str], *, elastic: bool = False) -> list[subprocess.Popen]:
    """Begin a command (what follows torchrun's own options) on both hosts."""
    begun, where = [], (both[0][2], port())
    for rank, (before, environment, address) in enumerate(both):
        if elastic:
            meet = ["--nnodes", "1:2", "--max-restarts", "3", "--rdzv-backend", "c10d", "--rdzv-id", "sakuga"]
            meet += ["--rdzv-endpoint", f"{where[0]}:{where[1]}", "--local-addr", address]
            meet += ["--rdzv-conf", f"is_host={int(not rank)},last_call_timeout=5"]
        else:
            meet = ["--nnodes", "2", "--node-rank", str(rank)]
            meet += ["--master-addr", where[0], "--master-port", str(where[1])]
        with log.with_suffix(f".{rank}.log").open("w") as file:
            begun.append(
                subprocess.Popen(
                    [*before, *TORCHRUN, *meet, "--nproc-per-node", "1", *command],
                    env=ENVIRONMENT | environment,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,
                )
            )
    return begun


def wait(processes: list[subprocess.Popen], log: Path) -> str:
    """What the first host printed; a failure ends the program."""
    for rank, process in enumerate(processes):
        if process.wait(timeout=600):
            sys.exit(f"host {rank + 1} ended with {process.returncode}:\n{said(log, rank)[-3000:]}")
    return said(log, 0)


def said(log: Path, rank: int) -> str:
    return log.with_suffix(f".{rank}.log").read_text()


def kill(process: subprocess.Popen) -> None:
    """As if the host had lost its power: torchrun and what it began, without warning."""
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
    for child in (process.pid, *map(int, children.stdout.split())):
        os.kill(child, signal.SIGKILL)
    process.wait()


# What must be the same.


def apart(a: dict[str, Any], b: dict[str, Any], idle: Sequence[str] = (), *, only_idle: bool = False) -> float:
    """The largest difference of any weight that is not idle, or of those that are."""
    found = [
        float((value - b["networks"][name][key]).abs().max())
        for name, network in a["networks"].items()
        for key, value in network.items()
        if (f"{name} {key}" in idle) == only_idle and not key.endswith("mapping.mean")  # w's mean, of each process
    ]
    return max(found, default=0.0)


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)


def trained(both: list, folder: Path, name: str, run: str, hosts: int, *flags: str) -> float:
    """Train in one process or on two hosts; the seconds of a step."""
    command = ["--", __file__, "--worker", name, "--folder", str(folder), "--run", str(folder / run), *flags]
    if hosts == 2:
        return float(wait(launch(both, folder / run, command), folder / run).splitlines()[-1])
    done = subprocess.run([sys.executable, *command[1:]], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return float(done.stdout.splitlines()[-1])


def same(both: list, folder: Path, systems: list[str], steps: int) -> bool:
    well = True
    print(f"\nlargest difference of a weight after {steps} steps, two hosts against one process\n")
    print("system      64 bits   64 bits, idle   32 bits, whole   32 bits, halves")
    for name in systems:
        found = {}
        for run, number, flags in (
            ("double-one", 1, ["--double"]),
            ("double-two", 2, ["--double"]),
            ("whole", 1, []),
            ("halves", 1, ["--parts", "2"]),
            ("two", 2, []),
        ):
            trained(both, folder, name, f"{name}-{run}", number, "--steps", str(steps), *flags)
            found[run] = runs.load(folder / f"{name}-{run}")
        still = json.loads((folder / f"{name}-double-one" / "idle.json").read_text())
        double = found["double-one"], found["double-two"]
        figures = apart(*double, still), apart(*double, still, only_idle=True)
        whole, halves = (apart(found[one], found["two"]) for one in ("whole", "halves"))
        well &= figures[0] <= TOLERANCE and figures[1] <= IDLE_TOLERANCE and halves == 0
        print(f"{name:<10}  {figures[0]:7.1e}   {figures[1]:13.1e}   {whole:14.1e}   {halves:15.1e}", flush=True)
    return well


def times(both: list, folder: Path, steps: int) -> bool:
    print("\nseconds a step of CycleGAN, 128 pixels, width 32, three blocks, batch 4, one thread a process\n")
    one, two = (trained(both, folder, "cyclegan", f"time-{n}", n, "--large", "--steps", str(steps)) for n in (1, 2))
    print(f"one process {one:.2f}, two hosts {two:.2f}: {one / two:.2f} times as fast", flush=True)
    return True


def command(folder: Path, run: str, steps: int) -> list[str]:
    words = (
        "-m -- sakuga train cyclegan --accelerator cpu --precision 32-true --batch 2 --crop 32 --width 4 --blocks 1 "
    )
    words += f"--pool 3 --steps {steps} --save-every 5 --log-every 5"
    return [
        *words.split(),
        "--photos",
        str(folder / "photos"),
        "--style",
        str(folder / "style"),
        "--run",
        str(folder / run),
    ]


def until(folder: Path, run: str, steps: int, processes: list[subprocess.Popen]) -> None:
    """Wait until a run has saved what it knew after so many steps."""
    deadline = time.monotonic() + 300
    while not (folder / run / runs.LAST).exists() or runs.load(folder / run)["steps"] < steps:
        if time.monotonic() > deadline or any(process.poll() is not None for process in processes):
            sys.exit(f"{run} did not come to step {steps}:\n{said(folder / run, 0)[-3000:]}")
        time.sleep(0.2)


def killed(both: list, folder: Path, steps: int) -> bool:
    print(f"\nsakuga train cyclegan, {steps} steps on two hosts\n")
    wait(launch(both, folder / "through", command(folder, "through", steps)), folder / "through")
    first = launch(both, folder / "killed", command(folder, "killed", steps))
    until(folder, "killed", steps // 3, first)
    kill(first[1])
    begun = time.monotonic()
    status = first[0].wait(timeout=300)
    seconds = time.monotonic() - begun
    sentences = [line for line in said(folder / "killed", 0).splitlines() if line.startswith("sakuga: another process")]
    print(f"one host killed: the other ended after {seconds:.0f} s with status {status}, saying")
    print(*sentences, sep="\n", flush=True)
    there = runs.load(folder / "killed")["steps"]
    wait(launch(both, folder / "killed", command(folder, "killed", steps)), folder / "killed")
    through, again = (runs.load(folder / run) for run in ("through", "killed"))
    alike = all(equal(through[part], again[part]) for part in ("networks", "finished", "optimizers", "ranks"))
    alike = alike and again["steps"] == steps
    print(
        f"the same command went on from step {there}: " + ("not a bit differs" if alike else "it DIFFERS"), flush=True
    )
    return alike and status != 0 and seconds < 60 and len(sentences) == 1


def elastic(both: list, folder: Path, steps: int) -> bool:
    print(f"\ntorchrun --nnodes 1:2 --max-restarts 3, {steps} steps\n")
    processes = launch(both, folder / "elastic", command(folder, "elastic", steps), elastic=True)
    until(folder, "elastic", steps // 3, processes)
    hosts = len(runs.load(folder / "elastic")["ranks"])
    kill(processes[1])
    begun = time.monotonic()
    status = processes[0].wait(timeout=500)
    going = [line for line in said(folder / "elastic", 0).splitlines() if "going on from step" in line]
    end = runs.load(folder / "elastic")
    print(f"{hosts} hosts, one killed: {'; '.join(going) or 'it did not go on'}")
    print(f"ended {time.monotonic() - begun:.0f} s later with status {status} at step {end['steps']}", flush=True)
    return hosts == 2 and status == 0 and end["steps"] == steps and len(end["ranks"]) == 1 and bool(going)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=SIZES, default=[*SIZES])
    parser.add_argument("--steps", type=int, default=6)
    parts = ("same", "time", "kill", "elastic")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    for own in ("--worker", "--folder", "--run"):
        parser.add_argument(own, help=argparse.SUPPRESS)
    parser.add_argument("--parts", type=int, default=1, help=argparse.SUPPRESS)
    for own in ("--double", "--large"):
        parser.add_argument(own, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options)
        return 0
    print(machine())
    with hosts() as both, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_pictures(folder)
        print("two network namespaces" if both[0][0] else "two processes at 127.0.0.1: not root, or no ip")
        well = []
        if "same" in options.only:
            well.append(same(both, folder, options.systems, options.steps))
        if "time" in options.only:
            well.append(times(both, folder, options.steps))
        if "kill" in options.only:
            well.append(killed(both, folder, 5 * options.steps))
        if "elastic" in options.only:
            well.append(elastic(both, folder, 20 * options.steps))
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
