"""How fast systems train and how much memory they take, beside the official codes' loops on the very same networks.

    python benchmarks/train.py [--systems cyclegan animegan starganv2 stylegan2] [--rounds 6] [--threads 2] [--small]

`plain/` has their loops and says at which sizes. Three processes train side by side but take their steps in turn, so
that a load from elsewhere meets all of them:

    plain  the official loop, 32 bits. No limit of the gradient, nothing checked; averages where the code has them.
    ours   `Trainer` as `sakuga train` sets it up when it is told nothing.
    fp32   `Trainer` in 32 bits and without a limit of the gradient: the mathematics of plain.

All start from the same weights and see the same batches of noise; making a batch is not timed. A round is a step, or as
many as it takes until all that is done now and then was done: sixteen of StyleGAN 2. Seconds are those of a step,
medians over the rounds after the first; `×` is the median over the rounds of plain's seconds divided by theirs. The
peak is the whole process's high-water mark (VmHWM), set back after the first step. Linux only.

Last, two processes of one thread each beside one: each with the defaults and a batch of its own, gradients averaged
over gloo.

First plain and fp32 must agree, or the program ends with 1: every term of five steps to 1e-5, once in 32 bits, where
each step starts from plain's weights and optimisers, and once in 64 bits from the first weights to the end. In 32 bits
no two programs that add in different orders stay together for five steps: Adam's first steps move every weight by its
whole rate, whatever the gradient's size, and `shaken` shows what becomes of plain's terms if the weights it starts from
are changed by 1e-7 of themselves.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from lightning_fabric import Fabric
from losses import machine, median, status
from plain import animegan, cyclegan, starganv2, stylegan2

from sakuga.commands.train_options import Loop
from sakuga.systems.base import System
from sakuga.training import device as cpu
from sakuga.training.device import choose_precision
from sakuga.training.trainer import Trainer

WHO = ("plain", "ours", "fp32")
TOLERANCE = 1e-5
LOOPS = {"cyclegan": cyclegan, "animegan": animegan, "starganv2": starganv2, "stylegan2": stylegan2}


def make(name: str, small: bool) -> System:
    torch.manual_seed(0)
    return LOOPS[name].system(small)


def trainer(system: System, loop: Loop) -> Trainer:
    precision = choose_precision(loop.accelerator) if loop.precision == "auto" else loop.precision
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)
    return Trainer(system, Path("nowhere"), fabric=fabric, clip=loop.clip or None, accumulate=loop.accumulate)


EXACT = Loop(precision="32-true", clip=0)


def error(a: dict[str, float], b: dict[str, float]) -> float:
    """Largest relative difference of a term."""
    return max(abs(b[key] - a[key]) / abs(a[key]) for key in a)


def agree(name: str, small: bool) -> bool:
    """Print by how much the terms of plain and fp32 differ; return whether they are the same mathematics."""
    worst = dict.fromkeys(("32 bits", "64 bits", "shaken"), 0.0)
    for kind in worst:
        torch.set_default_dtype(torch.float64 if kind == "64 bits" else torch.float32)
        ours, theirs = make(name, small), make(name, small)
        if kind != "32 bits" and name in ("cyclegan", "animegan"):  # whose networks take any size
            ours.config.crop = theirs.config.crop = 32  # the mathematics is the same, and 64 bits are slow
        plain, optimizers = LOOPS[name].loop(theirs)
        if kind == "shaken":
            with torch.no_grad():
                for weight in ours.parameters():
                    weight.mul_(1 + 1e-7 * torch.randn_like(weight))
            one_step = LOOPS[name].loop(ours)[0]
        else:
            exact = trainer(ours, EXACT)
            one_step = exact.one_step
        for step in range(5):
            if kind == "32 bits":
                ours.load_state_dict(theirs.state_dict())
                for player, optimizer in optimizers.items():
                    exact.optimizers[player].load_state_dict(copy.deepcopy(optimizer.state_dict()))
            batch = LOOPS[name].batch(theirs, step)
            torch.manual_seed(step)
            expected = plain(batch)
            torch.manual_seed(step)
            worst[kind] = max(worst[kind], error(expected, one_step(batch)))
    torch.set_default_dtype(torch.float32)
    print(
        f"{name}: terms of plain and fp32 differ by {worst['32 bits']:.1e} at most in 32 bits, {worst['64 bits']:.1e} "
        f"in 64; of plain and plain shaken by {worst['shaken']:.1e}",
        flush=True,
    )
    return max(worst["32 bits"], worst["64 bits"]) <= TOLERANCE


def worker(name: str, who: str, small: bool) -> None:
    """Take a round of steps for every line of input; print the seconds of a step and the peak so far."""
    system = make(name, small)
    if who == "plain":
        one_step = LOOPS[name].loop(system)[0]
    else:
        cpu.tune()
        one_step = trainer(system, Loop() if who == "ours" else EXACT).one_step
    steps = getattr(LOOPS[name], "ROUND", 1)
    for turn, _ in enumerate(sys.stdin):
        seconds = 0.0
        for step in range(turn * steps, (turn + 1) * steps):
            batch = LOOPS[name].batch(system, step)
            begin = time.perf_counter()
            one_step(batch)
            seconds += time.perf_counter() - begin
        print(json.dumps([seconds / steps, status("VmHWM")]), flush=True)
        if turn == 0:
            Path("/proc/self/clear_refs").write_text("5")


def measure(name: str, rounds: int, threads: int, small: bool) -> None:
    """Run one system's three processes and print its rows."""
    command = [sys.executable, __file__, "--threads", str(threads), *(["--small"] * small), "--worker", name]
    workers = {
        who: subprocess.Popen(
            [*command, who], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for who in WHO
    }
    seconds: dict[str, list[float]] = {who: [] for who in WHO}
    peak: dict[str, int] = {}
    try:
        for turn in range(rounds + 1):
            for who in WHO if turn % 2 else WHO[::-1]:
                print("step", file=workers[who].stdin, flush=True)
                taken, peak[who] = json.loads(workers[who].stdout.readline())
                if turn:
                    seconds[who].append(taken)
    finally:
        for process in workers.values():
            process.kill()
            process.wait()

    images = make(name, small).config.batch
    for who in WHO:
        ratio = median([a / b for a, b in zip(seconds["plain"], seconds[who], strict=True)])
        print(
            f"{name + ', ' + who:<20}{median(seconds[who]):10.3f}{images / median(seconds[who]):12.3f}{ratio:8.2f}×"
            f"{peak[who] / 2**20:10.0f}{peak[who] / peak['plain']:8.2f}×",
            flush=True,
        )


def scaling(name: str, rounds: int, small: bool) -> None:
    """Print the images a second of one process of one thread and of two, measured in turns."""
    speeds: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(4):
        for count in (1, 2) if turn % 2 else (2, 1):
            run = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
            command = [*run, __file__, *(["--small"] * small), "--rounds", str(rounds), "--rank-of", name]
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
            if done.returncode:
                sys.exit(done.stderr)
            speeds[count].append(float(done.stdout.split()[-1]))
    ratio = median([two / one for one, two in zip(speeds[1], speeds[2], strict=True)])
    print(
        f"{name}, processes of one thread: one {median(speeds[1]):.3f} images/s, two {median(speeds[2]):.3f}: "
        f"{ratio:.2f}×"
    )


def rank(name: str, rounds: int, small: bool) -> None:
    """One process of several: the first prints all processes' images a second."""
    torch.set_num_threads(1)
    cpu.tune()
    count = int(os.environ["WORLD_SIZE"])
    system = make(name, small)
    fabric = Fabric(
        accelerator="cpu", devices=count, strategy="ddp" if count > 1 else "auto", precision=choose_precision("cpu")
    )
    fabric.launch()
    one_step = Trainer(system, Path("nowhere"), fabric=fabric).one_step
    one_step(LOOPS[name].batch(system, fabric.global_rank))
    batches = [LOOPS[name].batch(system, fabric.global_rank + count * step) for step in range(1, rounds + 1)]
    fabric.barrier()
    begin = time.perf_counter()
    for batch in batches:
        one_step(batch)
    fabric.barrier()
    if fabric.is_global_zero:
        print(rounds * count * system.config.batch / (time.perf_counter() - begin))
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=LOOPS, default=list(LOOPS))
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--small", action="store_true", help="tiny networks and pictures: does it run at all?")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--rank-of", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.rank_of:
        rank(args.rank_of, args.rounds, args.small)
        return
    torch.set_num_threads(args.threads)
    if args.worker:
        worker(*args.worker, args.small)
        return
    print(f"{machine()}; precision by default {choose_precision('auto')}; load before {os.getloadavg()[0]:.1f}\n")
    same = [agree(name, args.small) for name in args.systems]
    print(f"\n{'':<20}{'seconds':>10}{'images/s':>12}{'×':>9}{'peak MiB':>10}{'×':>9}")
    for name in args.systems:
        measure(name, args.rounds, args.threads, args.small)
    print()
    for name in args.systems:
        scaling(name, max(1, args.rounds // 3), args.small)
    if not all(same):
        sys.exit(f"fp32 and plain are not the same: a term differs by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
