"""How close each embedded style comes to its teacher, and how much faster it is: the table of docs/styles.md.

    python benchmarks/styles.py --photos KODAK --teachers DIR --training PHOTOS ... [--original] [--sheet DIR]

For a distilled style: mean L1 (0..1) and LPIPS (VGG-16, v0.1 heads, which no training here has seen) between student
and teacher and between photo and teacher, every picture first brought to the photo's mean and deviation per channel;
the ratio of LPIPS on AlexNet, which trainings use, too; how much of the teacher's lines the student draws; and the
contrast of thin lines, drawn with a pen around shapes, in parts of what it is in the teacher's picture of that drawing.
The teacher is the one that was learned: fitted, graded and outlined by its recipe; of a style that is painted over
another one, at the best quality, it paints what that one's filters have made of the photo; and the teacher's pictures
are given the palette that the style gives its own. `--original` adds a row against the published network as it is,
which normalises over each picture. Then seconds per megapixel of both in ONNX Runtime, in the same run (a chain of
filters is timed as the function it is). For a painting: the speed alone, against the network of the paper. `--sheet`
writes photo, teacher and student side by side at full size.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

import sakuga
from sakuga.data.fitting import match_tone
from sakuga.data.images import find_images, load_image, to_tensor
from sakuga.data.teachers import NetworkTeacher, Teacher, load_teacher, targets
from sakuga.export.palette import recolor
from sakuga.export.trace import trace
from sakuga.losses import l1, lpips
from sakuga.losses.pixel import bottom_hat
from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork
from sakuga.networks.johnson import TransformNet
from sakuga.style import Style, load
from sakuga.style.engine import PRECISIONS
from sakuga.stylizer import Stylizer
from sakuga.systems.artefact import Artefact
from sakuga.systems.distill import Distill, DistillConfig

Pictures = Sequence[np.ndarray]
RECIPE = ("before", "freeze", "match_tone", "color", "light", "vivid", "contrast", "cool", "outlines")
"""What of a distillation's config makes its targets."""
FRAME = np.random.default_rng(0).random((1, 3, 720, 1280), dtype=np.float32) * 2 - 1


def seconds_per_megapixel(run: Callable[[], object], pixels: int, runs: int) -> float:
    times = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return float(np.median(times[1:])) / pixels * 1e6


def network_speed(network: nn.Module) -> float:
    model = trace(Artefact(network.eval().float())).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return seconds_per_megapixel(lambda: session.run(None, {"image": FRAME}), 1280 * 720, 2)


def style_speed(style: Style) -> float:
    return seconds_per_megapixel(lambda: style.session().run(None, {"image": FRAME}), 1280 * 720, 7)


def teacher_speed(teacher: Teacher, photo: np.ndarray) -> float:
    if isinstance(teacher, NetworkTeacher):
        return network_speed(teacher.network)
    return seconds_per_megapixel(lambda: teacher(photo), photo.shape[0] * photo.shape[1], 2)


class Distances:
    """Mean L1 in 0..1, LPIPS on VGG-16 and on AlexNet, and how much of the lines is there, over pairs of pictures."""

    def __init__(self, weights: str | None):
        self.networks = [
            FeatureNetwork(name, LPIPS_LAYERS[name], weights=weights if name == "vgg16" else None)
            for name in ("vgg16", "alexnet")
        ]

    @torch.inference_mode()
    def row(self, name: str, photos: Pictures, painted: Pictures, drawn: Pictures) -> str:
        found = []
        for photo, teacher, student in zip(photos, painted, drawn, strict=True):
            goal, x, y = map(to_tensor, (*(match_tone(p, photo) for p in (teacher, student)), photo))
            row = [float(l1(image, goal)) / 2 for image in (x, y)]
            for network in self.networks:
                features = network(goal)
                row += [float(lpips(network(image), features, network.heads)) for image in (x, y)]
            found.append([*row, line_share(x, goal, y)])
        a, b, c, d, e, f, g = np.nanmean(found, axis=0)
        return f"{name:<22}{a:8.4f}{b:8.4f}   {c:8.4f}{d:8.4f}{c / d:7.2f}{e / f:9.2f}{100 * g:7.0f} %"


def line_share(student: Tensor, teacher: Tensor, photo: Tensor) -> float:
    """How dark the student's lines are in parts of the teacher's, where the teacher draws what the photo has not."""
    hats = [bottom_hat(image, 7) for image in (student, teacher, photo)]
    drawn = hats[1] - hats[2] > 0.1
    return float((hats[0] - hats[2])[drawn].sum() / (hats[1] - hats[2])[drawn].sum())


def pen_drawing(side: int = 512) -> np.ndarray:
    """Shapes of even colours within dark lines of one to three pixels, (side, side, 3) uint8."""
    rng, fine = np.random.default_rng(0), 4
    image = Image.new("RGB", (side * fine, side * fine), (214, 206, 190))
    draw = ImageDraw.Draw(image)
    for _ in range(24):
        center, radius, corners = rng.uniform(60, side - 60, 2), rng.uniform(25, 90), int(rng.integers(3, 9))
        angles = rng.uniform(0, 2 * np.pi) + np.arange(corners + 1) * 2 * np.pi / corners
        points = [tuple(fine * (center + radius * np.array([np.cos(a), np.sin(a)]))) for a in angles]
        color, width = [int(value) for value in rng.integers(110, 235, 3)], int(rng.integers(1, 4))
        draw.polygon(points, fill=tuple(color))
        draw.line(points, fill=tuple(value // 3 for value in color), width=width * fine, joint="curve")
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def pen_contrast(student: np.ndarray, teacher: np.ndarray, drawing: np.ndarray) -> float:
    """How dark the lines of a drawing are in the student's picture, in parts of the teacher's."""
    x, goal, pen = (bottom_hat(to_tensor(picture), 7) for picture in (student, teacher, drawing))
    return float(x[pen > 0.15].sum() / goal[pen > 0.15].sum())


def save_sheet(path: Path, *columns: Pictures) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [np.concatenate(row, axis=1) for row in zip(*columns, strict=True)]
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 8), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    Image.fromarray(np.concatenate(rows)).save(path, quality=92)


def goals(style: Style, distill: Distill, pictures: Pictures, training: Pictures) -> list[np.ndarray]:
    """What a style should make of pictures: what its recipe does, in its palette."""
    painted = distill.targets(pictures, training)
    if not (film := style.card.palette):
        return painted
    colored = (recolor(one / np.float32(127.5) - 1, film) for one in painted)
    return [np.rint((one + 1) * 127.5).astype(np.uint8) for one in colored]


DRAWING = pen_drawing()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="the fixed photographs, Kodak's 24")
    parser.add_argument("--training", type=Path, nargs="+", required=True, help="folders the styles were trained on")
    parser.add_argument("--teachers", type=Path, required=True, help="folder of CartoonGAN generators, one folder each")
    parser.add_argument("--cache", type=Path, default=Path("runs/teachers"))
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--styles", nargs="*", help="names or files; by default all that are embedded")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="in which the students paint")
    parser.add_argument("--quality", choices=("fast", "best"), default="best", help="of the students' pictures")
    parser.add_argument("--no-speed", dest="speed", action="store_false", help="distances alone")
    parser.add_argument("--original", action="store_true", help="compare with the unfrozen teacher too")
    parser.add_argument("--vgg", help="VGG-16 weights; by default what `sakuga download vgg16` fetched")
    args = parser.parse_args()

    photos = [load_image(path) for path in find_images([args.photos])]
    training = [load_image(path, max_side=480) for path in find_images(args.training)]
    distances = Distances(args.vgg)
    print(f"{len(photos)} photos; ONNX Runtime {onnxruntime.__version__}; torch {torch.__version__}")
    print(f"{'':21}L1 student   photo   LPIPS st.   photo  ratio  AlexNet  lines    pen  s/MP stud. teacher  times")
    styles = [load(Path(s) if Path(s).is_file() else s) for s in args.styles or []]
    for style in styles or [style for style in sakuga.styles() if style.embedded and not style.card.frame]:
        painter = Stylizer(style, precision=args.precision, quality=args.quality, brush=1)
        config, drawn = style.card.config, [painter.array(photo) for photo in photos]
        if style.card.system == "fast_style":
            print(f"{style.name:<22}{'(against the network of the paper)':<39}", end="", flush=True)
            columns, slow = [photos, drawn], partial(network_speed, TransformNet())
        else:
            spec = config["teacher"] if ":" in config["teacher"] else str(args.teachers / Path(config["teacher"]).name)
            teacher, _key = load_teacher(spec, training, freeze=config["freeze"])
            recipe = {name: config[name] for name in RECIPE if name in config}
            if painter.underpainting:
                recipe["before"] = f"sakuga.teachers:{style.card.underpainting}"
            distill = Distill(DistillConfig(teacher=spec, cache=args.cache, **recipe))
            painted, (pen,) = (goals(style, distill, pictures, training) for pictures in (photos, [DRAWING]))
            print(distances.row(style.name, photos, painted, drawn), end="")
            print(f"{100 * pen_contrast(painter.array(DRAWING), pen, DRAWING):6.0f} %", end="", flush=True)
            columns, slow = [photos, painted, drawn], partial(teacher_speed, teacher, photos[0])
        if args.speed:
            ours, theirs = style_speed(style), slow()
            print(f"{ours:14.3f}{theirs:10.3f}{theirs / ours:10.0f}", end="")
        print(flush=True)
        if args.original and Path(str(config.get("teacher", ":"))).name in (p.name for p in args.teachers.iterdir()):
            original, key = load_teacher(spec, training, freeze=0)
            print(distances.row("  published as it is", photos, targets(photos, original, key, args.cache), drawn))
        if args.sheet:
            save_sheet(args.sheet / f"{style.name}.jpg", *columns)


if __name__ == "__main__":
    main()
