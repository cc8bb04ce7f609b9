"""How close each embedded style comes to its teacher, and how much faster it is: the table of docs/styles.md.

    python benchmarks/styles.py --photos KODAK --teachers DIR --training PHOTOS ... [--sheet DIR] [--styles NAME ...]

For a distilled style: mean L1 (0..1) and LPIPS (VGG, v0.1 heads) between student and teacher and between photo and
teacher, every picture first brought to the photo's mean and deviation per channel (the teachers shift tone at will);
the same without that step in brackets; seconds per megapixel of both in ONNX Runtime, in turn in the same run (the
classical teacher of `cel` is timed as the function it is). For a painting: its speed against the paper's network.
`--sheet` writes photo, teacher and student side by side at full size.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

import sakuga
from sakuga.data.images import find_images, load_image, to_tensor
from sakuga.data.teacher import load_teacher, targets
from sakuga.export import trace
from sakuga.losses import l1, lpips
from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork
from sakuga.networks.johnson import TransformNet
from sakuga.stylizer import Stylizer
from sakuga.systems.distill import match_tone


def onnx_session(network: torch.nn.Module, folder: Path, name: str) -> onnxruntime.InferenceSession:
    path = folder / f"{name}.onnx"
    path.write_bytes(trace(network.eval()).SerializeToString())
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def seconds(run, runs: int) -> float:  # type: ignore[no-untyped-def]
    run()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


class Distance:
    """L1 in 0..1 and LPIPS of two pictures."""

    def __init__(self, weights: str | None):
        self.network = FeatureNetwork("vgg16", LPIPS_LAYERS["vgg16"], weights=weights)

    @torch.inference_mode()
    def __call__(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        x, y = to_tensor(a), to_tensor(b)
        distance = lpips(self.network(x), self.network(y), self.network.heads)
        return np.array([float(l1(x, y)) / 2, float(distance)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="the fixed photographs, Kodak's 24")
    parser.add_argument("--training", type=Path, nargs="+", required=True, help="folders the styles were trained on")
    parser.add_argument("--teachers", type=Path, required=True, help="folder of CartoonGAN generators, one folder each")
    parser.add_argument("--cache", type=Path, default=Path("runs/teachers"))
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--styles", nargs="*")
    parser.add_argument("--vgg", help="VGG-16 weights; by default what `sakuga download vgg16` fetched")
    parser.add_argument("--every", type=int, default=1, help="take every n-th photo only")
    parser.add_argument("--without-tone", action="store_true", help="also print the distances without the tone match")
    args = parser.parse_args()

    photos = [load_image(path) for path in find_images([args.photos])][:: args.every]
    training = [load_image(path, max_side=480) for path in find_images(args.training)]
    distance = Distance(args.vgg)
    probe = np.random.default_rng(0).random((1, 3, 720, 1280), dtype=np.float32) * 2 - 1
    print(f"{len(photos)} photos; ONNX Runtime {onnxruntime.__version__}; torch {torch.__version__}")
    print("style     L1 student  photo   LPIPS student  photo  ratio   s/MP student  teacher  times faster")
    for style in sakuga.styles():
        if not style.embedded or (args.styles and style.name not in args.styles):
            continue
        student = Stylizer(style)
        fast = seconds(lambda s=student: s.style.session().run(None, {"image": probe}), 5) / 0.9216
        with tempfile.TemporaryDirectory() as folder:
            if style.card.system == "fast_style":
                session = onnx_session(TransformNet(), Path(folder), "johnson")
                slow = seconds(lambda s=session: s.run(None, {"image": probe}), 2) / 0.9216
                print(f"{style.name:<10}{'(against the network of Johnson et al.)':<50}"
                      f"{fast:8.3f}   {slow:8.3f}   {slow / fast:8.0f}", flush=True)  # fmt: skip
                if args.sheet:
                    save_sheet(args.sheet / f"{style.name}.jpg", [[p, student.array(p)] for p in photos])
                continue
            spec = str(style.card.config["teacher"])
            spec = spec if ":" in spec else str(args.teachers / Path(spec).name)
            teacher, key = load_teacher(spec, training)
            if ":" in spec:
                small = photos[0]
                slow = seconds(lambda t=teacher, p=small: t(p), 2) / (small.shape[0] * small.shape[1] / 1e6)
            else:
                session = onnx_session(teacher.network, Path(folder), "teacher")  # type: ignore[attr-defined]
                slow = seconds(lambda s=session: s.run(None, {"image": probe}), 2) / 0.9216
        painted = targets(photos, teacher, key, args.cache)
        drawn = [student.array(photo) for photo in photos]
        rows = []
        for photo, wanted, found in zip(photos, painted, drawn, strict=True):
            goal = match_tone(wanted, photo)
            rows.append(np.stack([distance(match_tone(found, photo), goal), distance(photo, goal)]))
        (l1_student, lpips_student), (l1_photo, lpips_photo) = np.mean(rows, axis=0)
        print(f"{style.name:<10}{l1_student:10.4f}{l1_photo:8.4f}{lpips_student:14.4f}{lpips_photo:8.4f}"
              f"{lpips_student / lpips_photo:7.2f}   {fast:10.3f}{slow:10.3f}{slow / fast:10.0f}", flush=True)  # fmt: skip
        if args.without_tone:
            rows = [np.stack([distance(f, w), distance(p, w)]) for p, w, f in zip(photos, painted, drawn, strict=True)]
            raw = np.mean(rows, axis=0)
            print(f"{'  (raw)':<10}{raw[0, 0]:10.4f}{raw[1, 0]:8.4f}{raw[0, 1]:14.4f}{raw[1, 1]:8.4f}"
                  f"{raw[0, 1] / raw[1, 1]:7.2f}", flush=True)  # fmt: skip
        if args.sheet:
            sheet = [list(row) for row in zip(photos, painted, drawn, strict=True)]
            save_sheet(args.sheet / f"{style.name}.jpg", sheet)


def save_sheet(path: Path, rows: list[list[np.ndarray]]) -> None:
    """One row a photo; upright pictures are padded to the widest row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [np.concatenate(row, axis=1) for row in rows]
    width = max(line.shape[1] for line in lines)
    lines = [np.pad(line, ((0, 8), (0, width - line.shape[1]), (0, 0)), constant_values=255) for line in lines]
    Image.fromarray(np.concatenate(lines)).save(path, quality=92)


if __name__ == "__main__":
    main()
