"""How fast the losses are and how much memory they take, each beside the formula as it is commonly written.

    python benchmarks/losses.py [--rounds 15] [--threads 2]

Every row is one run: ours and the others in turn, round after round, the first round not counted. Milliseconds are
medians over the rounds; `×` is the median over the rounds of theirs divided by ours: above 1 ours is the faster. Before
the clock starts both sides must give the same value (kornia's total variation is another one: absolute, and a sum).

The peak is what the process grows by. For each figure a fresh process makes the inputs, sets the kernel's high-water
mark back (/proc/self/clear_refs), runs forward and backward once and reads VmHWM, less what was resident before. Unlike
`ru_maxrss` it owes nothing to the parent process and the imports; unlike torch's profiler it sees what the matrix
library takes for itself. Linux only: elsewhere these rows are left out.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.losses import contextual, gradient_penalty, gram, gram_style, total_variation

try:
    from kornia.losses import total_variation as kornia_total_variation
except ImportError:
    kornia_total_variation = None

Run = Callable[[], Tensor]
VGG16 = {"relu1_2": (64, 256), "relu2_2": (128, 128), "relu3_3": (256, 64), "relu4_3": (512, 32)}


# The formulas as papers and tutorials write them.


def plain_total_variation(x: Tensor) -> Tensor:
    return ((x[:, :, 1:] - x[:, :, :-1]) ** 2).mean() + ((x[:, :, :, 1:] - x[:, :, :, :-1]) ** 2).mean()


def plain_gram(x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    flat = x.view(n, c, h * w)
    return torch.bmm(flat, flat.transpose(1, 2)) / (c * h * w)


def plain_gram_style(features: dict[str, Tensor], matrices: dict[str, Tensor]) -> Tensor:
    return sum(((plain_gram(features[k]) - matrices[k]) ** 2).sum((1, 2)).mean() for k in features)  # type: ignore[return-value]


def plain_gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    share = torch.rand(real.size(0), 1, 1, 1)
    mixed = (share * real + (1 - share) * fake).requires_grad_(True)
    score = critic(mixed)
    slope = torch.autograd.grad(
        outputs=score, inputs=mixed, grad_outputs=torch.ones_like(score), create_graph=True, retain_graph=True
    )[0]
    return ((slope.view(slope.size(0), -1).norm(2, dim=1) - 1) ** 2).mean()


def plain_contextual(x: Tensor, y: Tensor, h: float = 0.1) -> Tensor:
    middle = y.mean((2, 3), keepdim=True)
    x, y = (F.normalize(f - middle, dim=1).flatten(2) for f in (x, y))
    distance = 1 - torch.bmm(x.transpose(1, 2), y)
    relative = distance / (distance.min(2, keepdim=True)[0] + 1e-3)
    weight = torch.exp((1 - relative) / h)
    affinity = weight / weight.sum(2, keepdim=True)
    return -torch.log(affinity.max(2)[0].mean(1)).mean()


# What is measured. Each case makes its inputs once and gives, by the name of who computes it, one run forward.


def total_variation_case(side: int = 256) -> tuple[list[Tensor], dict[str, Run]]:
    x = torch.randn(8, 3, side, side, requires_grad=True)
    runs: dict[str, Run] = {"ours": lambda: total_variation(x), "plain": lambda: plain_total_variation(x)}
    if kornia_total_variation is not None:
        runs["kornia"] = lambda: kornia_total_variation(x, reduction="mean").mean()
    return [x], runs


def gram_style_case(shrink: int = 1) -> tuple[list[Tensor], dict[str, Run]]:
    x = {k: torch.rand(2, c, side // shrink, side // shrink, requires_grad=True) for k, (c, side) in VGG16.items()}
    style = {k: gram(torch.rand(1, c, side // shrink, side // shrink)) for k, (c, side) in VGG16.items()}
    return [*x.values()], {"ours": lambda: gram_style(x, style), "plain": lambda: plain_gram_style(x, style)}


def gram_case(side: int) -> tuple[list[Tensor], dict[str, Run]]:
    x = torch.rand(1, 64, side, side, requires_grad=True)
    return [x], {"ours": lambda: gram(x).square().sum(), "plain": lambda: plain_gram(x).square().sum()}


def gradient_penalty_case(side: int = 64) -> tuple[list[Tensor], dict[str, Run]]:
    widths = [3, 32, 64, 128]
    steps = [nn.Sequential(nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.2)) for i, o in pairwise(widths)]
    critic = nn.Sequential(*steps, nn.Conv2d(widths[-1], 1, 4))
    real, fake = torch.randn(2, 16, 3, side, side)

    def seeded(penalty: Callable[[nn.Module, Tensor, Tensor], Tensor]) -> Tensor:
        torch.manual_seed(0)
        return penalty(critic, real, fake)

    return [*critic.parameters()], {
        "ours": lambda: seeded(gradient_penalty),
        "plain": lambda: seeded(plain_gradient_penalty),
    }


def contextual_case(side: int) -> tuple[list[Tensor], dict[str, Run]]:
    x, y = torch.randn(1, 256, side, side, requires_grad=True), torch.randn(1, 256, side, side)
    return [x], {"ours": lambda: contextual({"a": x}, {"a": y}), "plain": lambda: plain_contextual(x, y)}


PEAKS = {"gram": gram_case, "contextual": contextual_case}


def compare(title: str, wanted: list[Tensor], runs: dict[str, Run], rounds: int, *, backward: bool = True) -> None:
    """Time the runs in turn and print one row."""
    torch.testing.assert_close(runs["ours"](), runs["plain"](), rtol=1e-3, atol=1e-6)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        names = list(runs) if turn % 2 else list(runs)[::-1]
        for name in names:
            begin = time.perf_counter()
            loss = runs[name]()
            if backward:
                torch.autograd.grad(loss, wanted, allow_unused=True)  # a last bias has no part in a slope
            del loss
            if turn:
                times[name].append((time.perf_counter() - begin) * 1e3)
    row = f"{title:<46}"
    for name, taken in times.items():
        row += f"{median(taken):10.2f}"
        if name != "ours":
            row += f"{median([a / b for a, b in zip(taken, times['ours'], strict=True)]):7.2f}×"
    print(row, flush=True)


def compare_peaks(title: str, name: str, side: int, one: int) -> None:
    """Print the peaks of both sides in fresh processes, and the size of one map for scale."""
    peaks = {
        who: int(subprocess.check_output([sys.executable, __file__, "--peak", name, who, str(side)]))
        for who in ("ours", "plain")
    }
    print(
        f"{title:<46}{peaks['ours'] / 2**20:10.1f}{peaks['plain'] / 2**20:10.1f}"
        f"{peaks['plain'] / max(peaks['ours'], 1):7.2f}×{one / 2**20:14.1f}",
        flush=True,
    )


def peak(name: str, who: str, side: int) -> int:
    """Bytes by which this process grows for one run forward and backward."""
    torch.manual_seed(0)
    for size in (8, side):  # the small one first: it loads the libraries and starts their threads
        wanted, runs = PEAKS[name](size)
        before = status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")
        torch.autograd.grad(runs[who](), wanted)
        grown = status("VmHWM") - before
    return grown


def status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def machine() -> str:
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads; torch {torch.__version__}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.peak:
        print(peak(args.peak[0], args.peak[1], int(args.peak[2])))
        return

    torch.manual_seed(0)
    print(machine() + ("" if kornia_total_variation else "; kornia is not installed: its column is left out"))
    print(f"\n{'milliseconds':<46}{'ours':>10}{'plain':>10}{'×':>8}{'kornia':>10}{'×':>8}")
    for backward, what in ((False, "forward"), (True, "and backward")):
        compare(f"total_variation, 8×3×256², {what}", *total_variation_case(), args.rounds, backward=backward)
    for backward, what in ((False, "forward"), (True, "and backward")):
        compare(f"gram_style, VGG-16 at 2×256², {what}", *gram_style_case(), args.rounds, backward=backward)
    compare("gradient_penalty, critic at 16×3×64²", *gradient_penalty_case(), args.rounds)
    for side in (32, 64):
        compare(f"contextual, 256×{side}²", *contextual_case(side), max(3, args.rounds // 3))
    if not Path("/proc/self/clear_refs").exists():
        print("\npeak memory: left out, it needs Linux")
        return
    print(f"\n{'peak MiB, forward and backward':<46}{'ours':>10}{'plain':>10}{'×':>8}{'one map':>14}")
    for side in (64, 256):
        compare_peaks(f"gram, 64×{side}² (the map is 64×HW)", "gram", side, 4 * 64 * side**2)
    for side in (32, 64):
        compare_peaks(f"contextual, 256×{side}² (the map is HW×HW)", "contextual", side, 4 * side**4)


if __name__ == "__main__":
    main()
