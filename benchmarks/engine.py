"""How fast the default style paints 1280x720, in every precision, against the architectures of published systems.

    python benchmarks/engine.py [--style hosoda] [--photos DIR] [--runs 7] [--sheet PNG]

All in one process and in turns: ours run after each of the peers, so that a noisy hour is noisy for both; the ratio is
what to quote. Peers are the published architectures with random weights (which cost the same), ONNX Runtime fp32, their
network alone. Ours is timed twice: the network alone, and `Stylizer.array`, pixels in and pixels out; of a style that
knows the whole picture, what it takes to look at it (`context`), which is part of the latter, as well. The difference
between precisions is the mean L1 (0..1) over the photos (by default examples/); `--sheet` lays fp32, int8 and four
times their difference side by side.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from torch import nn

from sakuga.data.images import find_images, load_image
from sakuga.errors import UsageError
from sakuga.evaluation.machine import machine
from sakuga.export.trace import trace
from sakuga.networks.animegan import AnimeGANv2Generator
from sakuga.networks.cartoongan import CartoonGANGenerator
from sakuga.networks.resnet import ResNetGenerator
from sakuga.networks.whitebox import WhiteBoxGenerator
from sakuga.style import DEFAULT, Style, load
from sakuga.style.engine import PRECISIONS, pick
from sakuga.stylizer import Stylizer
from sakuga.systems.artefact import Artefact

PEERS: dict[str, Callable[[], nn.Module]] = {
    "AnimeGANv2": AnimeGANv2Generator,
    "White-box": WhiteBoxGenerator,
    "CartoonGAN": CartoonGANGenerator,
    "CycleGAN (ResNet-9)": ResNetGenerator,
}
FRAME = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
IMAGE = np.ascontiguousarray(FRAME.transpose(2, 0, 1), np.float32)[None] / 127.5 - 1


def seconds(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def ours(style: Style) -> dict[str, Callable[[], object]]:
    """What to time of the style, in every precision that this machine has."""
    found: dict[str, Callable[[], object]] = {}
    for precision in PRECISIONS[1:]:
        try:
            engine, stylizer = pick(style, precision), Stylizer(style, precision=precision)  # type: ignore[arg-type]
        except UsageError as error:
            print(f"left out: {error}")
            continue
        photo = FRAME if engine.whole else IMAGE[0]
        found[f"{style.name} {precision}, network"] = lambda run=engine.run, x=photo: run(x)  # type: ignore[misc]
        if engine.fix is not None:
            found[f"{style.name} {precision}, context"] = lambda fix=engine.fix: fix(FRAME)  # type: ignore[misc]
        found[f"{style.name} {precision}, pixels to pixels"] = lambda paint=stylizer.array: paint(FRAME)  # type: ignore[misc]
    return found


def differences(style: Style, photos: Sequence[np.ndarray], sheet: Path | None) -> None:
    """Print how far the other precisions are from fp32."""
    exact = [Stylizer(style, precision="fp32").array(photo) for photo in photos]
    for precision in PRECISIONS[2:]:
        try:
            painted = [Stylizer(style, precision=precision).array(photo) for photo in photos]  # type: ignore[arg-type]
        except UsageError:
            continue
        apart = [np.abs(a.astype(int) - b) for a, b in zip(painted, exact, strict=True)]
        mean, worst = np.mean([d.mean() for d in apart]) / 255, max(d.mean() for d in apart) / 255
        print(f"{style.name}: {precision} against fp32, mean L1 {mean:.4f}, worst of {len(photos)} photos {worst:.4f}")
        if sheet and precision == "int8":
            rows = [np.hstack([e, p, (4 * d).clip(0, 255)]) for e, p, d in zip(exact, painted, apart, strict=True)]
            Image.fromarray(rows[0].astype(np.uint8)).save(sheet)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style", default=DEFAULT)
    parser.add_argument("--photos", type=Path, default=Path(__file__).parents[1] / "examples")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args()
    style = load(args.style)
    print(", ".join(str(fact) for fact in machine().values()), "cores; 1280x720")
    contestants = ours(style)
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()  # the first call allocates
    peers: dict[str, float] = {}
    for name, make in PEERS.items():
        model = trace(Artefact(make().eval())).SerializeToString()
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        session.run(None, {"image": IMAGE})
        took = []
        for _ in range(2):
            took.append(seconds(lambda session=session: session.run(None, {"image": IMAGE})))  # type: ignore[misc]
            for contestant, run in contestants.items():
                times[contestant] += [seconds(run) for _ in range(args.runs)]
        peers[name] = float(np.median(took))
    print(f"{'':<36}{'seconds':>9}{'a second':>10}" + "".join(f"{name:>22}" for name in peers))
    for name, taken in times.items():
        median = float(np.median(taken))
        ratios = "".join(f"{seconds / median:>21.1f}x" for seconds in peers.values())
        print(f"{name:<36}{median:>9.4f}{1 / median:>10.1f}{ratios}")
    for name, median in peers.items():
        print(f"{name:<36}{median:>9.3f}{1 / median:>10.2f}")
    differences(style, [load_image(path, max_side=1280) for path in find_images([args.photos])], args.sheet)


if __name__ == "__main__":
    main()
