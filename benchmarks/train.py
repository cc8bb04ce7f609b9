"""How fast systems train and how much memory they take, beside the official codes' loops on the very same networks.

    python benchmarks/train.py [--systems cyclegan animegan] [--rounds 6] [--threads 2] [--small]

CycleGAN at 256x256, batch 1, and AnimeGAN at 256x256, batch 4, after its warm-up. Three processes train side by side
but take their steps in turn, so that a load from elsewhere meets all of them:

    plain  the official loop, 32 bits: CycleGAN with one forward per fake, as published; AnimeGAN with D and G each
           painting their own fakes. No average of the weights, no limit of the gradient, nothing checked.
    ours   `Trainer` as `sakuga train` sets it up when it is told nothing.
    fp32   `Trainer` in 32 bits and without a limit of the gradient: the mathematics of plain.

All start from the same weights and see the same batches of noise; making a batch is not timed. Seconds are medians over
the rounds after the first; `×` is the median over the rounds of plain's seconds divided by theirs. The peak is the
whole process's high-water mark (VmHWM), set back after the first step. VGG-19 has random weights, which cost as much
as others. Linux only.

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
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from losses import machine, median, status
from torch import Tensor

from sakuga.commands.train_options import Loop
from sakuga.losses import ImagePool
from sakuga.systems.animegan import AnimeGAN
from sakuga.systems.base import Batch, System
from sakuga.systems.cyclegan import CycleGAN
from sakuga.systems.parts.content import ContentFeatures
from sakuga.training import device as cpu
from sakuga.training.device import choose_precision
from sakuga.training.trainer import Trainer

WHO = ("plain", "ours", "fp32")
TOLERANCE = 1e-5
Step = Callable[[Batch], dict[str, float]]
Plain = tuple[Step, dict[str, torch.optim.Optimizer]]


# The official loops.


def plain_cyclegan(system: CycleGAN) -> Plain:
    g, f, d_y, d_x = system.generator, system.inverse, system.discriminator_style, system.discriminator_photo
    adam_g = torch.optim.Adam([*g.parameters(), *f.parameters()], lr=2e-4, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam([*d_y.parameters(), *d_x.parameters()], lr=2e-4, betas=(0.5, 0.999))
    pool_y, pool_x = ImagePool(50), ImagePool(50)

    def distance(score: Tensor, target: float) -> Tensor:
        return F.mse_loss(score, torch.full_like(score, target))

    def step(batch: Batch) -> dict[str, float]:
        x, y = batch["photo"], batch["style"]
        fake_y, fake_x = g(x), f(y)
        again_x, again_y = f(fake_y), g(fake_x)
        d_y.requires_grad_(False)
        d_x.requires_grad_(False)
        adam_g.zero_grad()
        identity = 5 * F.l1_loss(g(y), y) + 5 * F.l1_loss(f(x), x)
        adversarial = distance(d_y(fake_y), 1) + distance(d_x(fake_x), 1)
        cycle = 10 * F.l1_loss(again_x, x) + 10 * F.l1_loss(again_y, y)
        (adversarial + cycle + identity).backward()
        adam_g.step()

        d_y.requires_grad_(True)
        d_x.requires_grad_(True)
        adam_d.zero_grad()
        d_losses = []
        for discriminator, real, fake in ((d_y, y, pool_y(fake_y)), (d_x, x, pool_x(fake_x))):
            loss = (distance(discriminator(real), 1) + distance(discriminator(fake), 0)) / 2
            loss.backward()
            d_losses.append(loss)
        adam_d.step()
        names = ("G/adversarial", "G/cycle", "G/identity", "D/style", "D/photo")
        return {n: v.item() for n, v in zip(names, (adversarial, cycle, identity, *d_losses), strict=True)}

    return step, {"G": adam_g, "D": adam_d}


def plain_animegan(system: AnimeGAN) -> Plain:
    g, d, vgg = system.generator, system.discriminator, system.features
    assert vgg is not None
    adam_g = torch.optim.Adam(g.parameters(), lr=8e-5, betas=(0.5, 0.999))
    adam_d = torch.optim.Adam(d.parameters(), lr=1.6e-4, betas=(0.5, 0.999))
    luma = torch.tensor([0.299, 0.587, 0.114])
    yuv = torch.tensor(
        [[0.299, 0.587, 0.114], [-0.14714119, -0.28886916, 0.43601035], [0.61497538, -0.51496512, -0.10001026]]
    )

    def gray(image: Tensor) -> Tensor:
        return torch.einsum("nchw,c->nhw", image, luma)[:, None].repeat(1, 3, 1, 1)

    def gram(x: Tensor) -> Tensor:
        flat = x.flatten(2)
        return flat @ flat.transpose(1, 2) / x[0].numel()

    def color(fake: Tensor, photo: Tensor) -> Tensor:
        a, b = (torch.einsum("nchw,dc->dnhw", (image + 1) / 2, yuv) for image in (fake, photo))
        return F.l1_loss(a[0], b[0]) + F.huber_loss(a[1], b[1]) + F.huber_loss(a[2], b[2])

    def features(image: Tensor) -> Tensor:
        return vgg(image)["conv4_4"]

    def step(batch: Batch) -> dict[str, float]:
        photo, anime, anime_gray, smooth = batch["photo"], batch["style"], gray(batch["style"]), gray(batch["edges"])
        adam_d.zero_grad()
        with torch.no_grad():
            fake = g(photo)
        # The official graph normalises D's weights once per run of D's loss, not once per picture.
        with torch.nn.utils.parametrize.cached():
            real, fooled, colorless, blurred = (d(image) for image in (anime, fake, anime_gray, smooth))
        d_loss = 300 * (
            (real - 1).square().mean()
            + fooled.square().mean()
            + colorless.square().mean()
            + 0.1 * blurred.square().mean()
        )
        d_loss.backward()
        adam_d.step()

        d.requires_grad_(False)
        adam_g.zero_grad()
        fake = g(photo)
        wanted, strokes, painted = features(photo), features(anime_gray), features(fake)
        terms = {
            "G/adversarial": 300 * (d(fake) - 1).square().mean(),
            "G/content": 1.5 * F.l1_loss(painted, wanted),
            "G/style": 3 * F.l1_loss(gram(painted), gram(strokes)),
            "G/color": 10 * color(fake, photo),
        }
        torch.stack([*terms.values()]).sum().backward()
        adam_g.step()
        d.requires_grad_(True)
        return {"D/gray": d_loss.item()} | {name: value.item() for name, value in terms.items()}

    return step, {"G": adam_g, "D": adam_d}


# What is measured.


def cyclegan(small: bool) -> CycleGAN:
    sizes = {"width": 8, "blocks": 2, "crop": 32} if small else {}
    return CycleGAN(CycleGAN.Config(**sizes))


def animegan(small: bool) -> AnimeGAN:
    sizes = {"width": 16, "crop": 32} if small else {}
    system = AnimeGAN(AnimeGAN.Config(batch=4, warmup=0, **sizes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the weights are random
        system.features = ContentFeatures("vgg19", weights="random:0")
    return system


SYSTEMS = {"cyclegan": (cyclegan, plain_cyclegan), "animegan": (animegan, plain_animegan)}


def make(name: str, small: bool) -> System:
    torch.manual_seed(0)
    return SYSTEMS[name][0](small)


def trainer(system: System, loop: Loop) -> Trainer:
    precision = choose_precision(loop.accelerator) if loop.precision == "auto" else loop.precision
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)
    return Trainer(system, Path("nowhere"), fabric=fabric, clip=loop.clip or None, accumulate=loop.accumulate)


EXACT = Loop(precision="32-true", clip=0)


def noise(system: System, step: int) -> Batch:
    """Batches that any process makes alike: noise at eight times the pixel's size, as pictures are mostly smooth."""
    c, chance = system.config, torch.Generator().manual_seed(step)
    coarse = torch.rand(3, c.batch, 3, c.crop // 8, c.crop // 8, generator=chance, dtype=torch.float32) * 2 - 1
    fine = (F.interpolate(image, scale_factor=8, mode="bilinear") for image in coarse.to(torch.get_default_dtype()))
    return dict(zip(("photo", "style", "edges"), fine, strict=True))


def error(a: dict[str, float], b: dict[str, float]) -> float:
    """Largest relative difference of a term."""
    return max(abs(b[key] - a[key]) / abs(a[key]) for key in a)


def agree(name: str, small: bool) -> bool:
    """Print by how much the terms of plain and fp32 differ; return whether they are the same mathematics."""
    worst = dict.fromkeys(("32 bits", "64 bits", "shaken"), 0.0)
    for kind in worst:
        torch.set_default_dtype(torch.float64 if kind == "64 bits" else torch.float32)
        ours, theirs = make(name, small), make(name, small)
        if kind != "32 bits":
            ours.config.crop = theirs.config.crop = 32  # the mathematics is the same, and 64 bits are slow
        plain, optimizers = SYSTEMS[name][1](theirs)
        if kind == "shaken":
            with torch.no_grad():
                for weight in ours.parameters():
                    weight.mul_(1 + 1e-7 * torch.randn_like(weight))
            one_step = SYSTEMS[name][1](ours)[0]
        else:
            exact = trainer(ours, EXACT)
            one_step = exact.one_step
        for step in range(5):
            if kind == "32 bits":
                ours.load_state_dict(theirs.state_dict())
                for player, optimizer in optimizers.items():
                    exact.optimizers[player].load_state_dict(copy.deepcopy(optimizer.state_dict()))
            batch = noise(theirs, step)
            worst[kind] = max(worst[kind], error(plain(batch), one_step(batch)))
    torch.set_default_dtype(torch.float32)
    print(
        f"{name}: terms of plain and fp32 differ by {worst['32 bits']:.1e} at most in 32 bits, {worst['64 bits']:.1e} "
        f"in 64; of plain and plain shaken by {worst['shaken']:.1e}",
        flush=True,
    )
    return max(worst["32 bits"], worst["64 bits"]) <= TOLERANCE


def worker(name: str, who: str, small: bool) -> None:
    """Take a step for every line of input; print its seconds and the peak so far."""
    system = make(name, small)
    if who == "plain":
        one_step = SYSTEMS[name][1](system)[0]
    else:
        cpu.tune()
        one_step = trainer(system, Loop() if who == "ours" else EXACT).one_step
    for step, _ in enumerate(sys.stdin):
        batch = noise(system, step)
        begin = time.perf_counter()
        one_step(batch)
        print(json.dumps([time.perf_counter() - begin, status("VmHWM")]), flush=True)
        if step == 0:
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
    one_step(noise(system, fabric.global_rank))
    batches = [noise(system, fabric.global_rank + count * step) for step in range(1, rounds + 1)]
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
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
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
