"""Faces and their landmarks: carigans and apdrawing on the portraits of `autotoon`, four of five, judged on the fifth.

Landmarks are what `sakuga download faces` finds; those of a caricature follow from its photo's and the artist's warp.

Reduced: carigans learns its geometry in a tenth of its steps and only begins to paint; apdrawing at 128 pixels and a
quarter of the width, on drawings by our own filter (`ink`), against pix2pix of the same width, pictures and time.
"""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from proofs.frame import Place, Proof
from proofs.warps import divided
from sakuga.data.images import load_image, to_tensor
from sakuga.faces.find import find_faces
from sakuga.faces.mesh import reduce
from sakuga.losses import distance_transform, exact_distance_transform, grayscale, l1
from sakuga.networks.apdrawing import Penman, guess_foreground, place_patches
from sakuga.networks.thin_plate import move_points
from sakuga.networks.unet import per_picture
from sakuga.systems.apdrawing import APDrawingConfig, APDrawingGAN
from sakuga.systems.base import System
from sakuga.systems.carigans import CariGANs, CariGANsConfig
from sakuga.systems.fields import LessThan, MoreThan
from sakuga.systems.pix2pix import Pix2Pix, Pix2PixConfig
from sakuga.teachers.ink import ink


def marked(place: Place, side: int) -> tuple[Path, Mapping[str, np.ndarray]]:
    """Find the 68 landmarks of every portrait, scaled to `side` pixels; kept in a file, since that takes a minute."""
    file, source = place.out / "landmarks.json", place.data / "autotoon" / "photo"
    if not file.exists():
        found = {}
        for path in sorted(source.iterdir()):
            rgb = load_image(path)
            found[path.stem] = (find_faces(rgb)[0].landmarks(68) / len(rgb)).tolist()
        place.out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found), encoding="utf-8")
    units = json.loads(file.read_text(encoding="utf-8"))
    return source, {name: np.array(points) * side for name, points in units.items()}


def exaggerated(points: np.ndarray, warp: np.ndarray, side: int) -> np.ndarray:
    """Landmarks (K, 2) in the caricature: q of which q + flow(q) = p, by repetition; flow (2, h, w) in half sides."""
    flow = torch.from_numpy(warp)[None].float()
    wanted = torch.from_numpy(points / (side - 1) * 2 - 1).float()
    place = wanted.clone()
    for _ in range(50):
        moved = torch.nn.functional.grid_sample(flow, place[None, None], align_corners=True, padding_mode="border")
        place = wanted - moved[0, :, 0].T
    return ((place.numpy() + 1) / 2 * (side - 1)).astype(np.float64)


def write_marks(folder: Path, names: list[str], points: Mapping[str, np.ndarray], side: int, count: int) -> None:
    """Write side files of landmarks."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        told = {"width": side, "height": side, "points": reduce(points[name], count).tolist()}
        (folder / f"{name}.landmarks.json").write_text(json.dumps(told), encoding="utf-8")


def squares(source: Path, target: Path, names: list[str], side: int) -> Tensor:
    """Reduce pictures to squares in a folder of their own, and return them (N, 3, side, side)."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        image = Image.open(source / f"{name}.jpg").convert("RGB")
        image.resize((side, side), Image.Resampling.LANCZOS).save(target / f"{name}.png")
    return to_tensor(np.stack([load_image(target / f"{name}.png") for name in names]))


def carigans(place: Place) -> Mapping[str, float]:
    """Train; exaggerate the landmarks of kept photos, and compare the direction with the mean's and the artist's."""
    side, (train, kept) = 64, divided(place)
    source, points = marked(place, side)
    with np.load(place.data / "autotoon" / "warp32.npz") as stored:
        artist = {name: exaggerated(points[name], stored[name], side) for name in points}
    for kind, marks in (("photo", points), ("caricature", artist)):
        squares(source.parent / kind, place.out / f"{kind}-small", train, side)
        write_marks(place.out / f"{kind}-marks", train, marks, side, 68)
    config = CariGANsConfig(
        photos=(place.out / "photo-small",),
        style=(place.out / "caricature-small",),
        landmarks=place.out / "photo-marks",
        style_landmarks=place.out / "caricature-marks",
        seed=place.seed,
        **CARIGANS,
    )
    system = CariGANs(config)
    place.train(system)
    system.eval()
    photos = squares(source, place.out / "kept", kept, side)
    drawn = squares(source.parent / "caricature", place.out / "kept-caricatures", kept, side)
    unit = (side - 1) / 2
    own, wanted = (
        torch.from_numpy(np.stack([marks[name] for name in kept])).float() / unit - 1 for marks in (points, artist)
    )
    with torch.inference_mode():
        codes, _ = system.geometry.shapes(own)
        made = system.geometry(codes, "style")
        x_mean, y_mean = system.geometry.means
        moved = system.geometry.move(own, "style")
        painter = system.artefact().module.eval()
        looks = torch.randn(len(photos), config.look, generator=torch.Generator().manual_seed(1))
        rows = [photos, drawn, move_points(photos, own.clamp(-1, 1), moved.clamp(-1, 1))]
        rows += [painter(photos, torch.full((len(photos),), times), looks) for times in (0.0, 1.0)]
        far = torch.cosine_similarity(codes - x_mean, made - y_mean)
        artists = torch.cosine_similarity((moved - own).flatten(1), (wanted - own).flatten(1))
        found = system.finder(photos)
    place.sheet(torch.cat([row[:8] for row in rows]).clamp(-1, 1))
    return {
        "cosine of differences from means": float(far.mean()),
        "times as far from the mean": float(((made - y_mean).norm(dim=1) / (codes - x_mean).norm(dim=1)).mean()),
        "cosine to the artist's moves": float(artists.mean()),
        "move / the artist's move": float((moved - own).norm(dim=2).mean() / (wanted - own).norm(dim=2).mean()),
        "landmarks found: of the mean's": float((found - own).abs().mean() / (system.finder.mean - own).abs().mean()),
    }


CARIGANS: dict[str, Any] = {
    "crop": 64,
    "load": 64,
    "width": 16,
    "geometry": 2_000,
    "steps": 2_600,
    "shapes": 32,
    "perceptual": 0.0,
}


def drawings(place: Place, names: list[str], side: int, kind: str) -> Tensor:
    """Draw portraits with the pen of `ink`, at twice the side, in a folder `kind` of their own."""
    folder = place.out / kind
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (folder / f"{name}.png").exists():
            photo = load_image(place.data / "autotoon" / "photo" / f"{name}.jpg", short_side=2 * side)
            drawn = Image.fromarray(ink(photo)).resize((side, side), Image.Resampling.LANCZOS)
            drawn.save(folder / f"{name}.png")
    return grayscale(to_tensor(np.stack([load_image(folder / f"{name}.png") for name in names])))


def cost(place: Place, build: Callable[[int], System]) -> float:
    """Seconds of a processor that a step takes, without what a training begins and ends with."""
    taken = []
    for steps in (10, 50):
        shutil.rmtree(place.out / "timing", ignore_errors=True)
        began = time.process_time()
        place.train(build(steps), name="timing")
        taken.append(time.process_time() - began)
    return (taken[1] - taken[0]) / 40


def apdrawing(place: Place) -> Mapping[str, float]:
    """Train both on the same pictures for the same time of a core, and draw the portraits that were kept."""
    side, (train, kept) = 128, divided(place)
    source, points = marked(place, side)
    squares(source, place.out / "photo-small", train, side)
    photos = squares(source, place.out / "kept", kept, side)
    drawings(place, train, side, "drawings")
    write_marks(place.out / "marks", train, points, side, 5)
    both: dict[str, Any] = {
        "photos": (place.out / "photo-small",),
        "targets": place.out / "drawings",
        "seed": place.seed,
        **APDRAWING,
    }
    system = APDrawingGAN(APDrawingConfig(**both, landmarks=place.out / "marks", steps=APDRAWING_STEPS))
    other_both = both | {"load": side}
    share = cost(place, lambda n: APDrawingGAN(APDrawingConfig(**both, landmarks=place.out / "marks", steps=n)))
    share /= cost(place, lambda n: Pix2Pix(Pix2PixConfig(**other_both, steps=n)))
    place.train(system)
    steps = round(share * APDRAWING_STEPS)
    other = Pix2Pix(Pix2PixConfig(**other_both, steps=steps))
    place.train(other, name="pix2pix")
    wanted = drawings(place, kept, side, "kept-drawings")
    at = torch.from_numpy(np.stack([reduce(points[name], 5) for name in kept])).float()
    made: dict[str, list[Tensor]] = {"apdrawing": [], "pix2pix": []}
    plain = per_picture(other.generator).eval()
    with torch.inference_mode():
        for photo, landmarks in zip(photos.split(1), at.split(1), strict=True):
            places, person = place_patches(landmarks, side)[0], guess_foreground(landmarks, side)
            penman = Penman(per_picture(system.generator), None, places, person).eval()
            made["apdrawing"].append(grayscale(penman(photo)))
            made["pix2pix"].append(grayscale(plain(photo)))
    results = {name: torch.cat(found) for name, found in made.items()}
    place.sheet(torch.cat([photos[:8], *(one[:8].expand(-1, 3, -1, -1) for one in (wanted, *results.values()))]))

    def chamfer(drawing: Tensor) -> float:
        return float(distance_transform(drawing, wanted, *map(exact_distance_transform, (drawing, wanted))))

    blank = torch.ones_like(wanted)
    return {
        "L1: of pix2pix's": float(l1(results["apdrawing"], wanted) / l1(results["pix2pix"], wanted)),
        "chamfer: of pix2pix's": chamfer(results["apdrawing"]) / chamfer(results["pix2pix"]),
        "L1: of blank paper's": float(l1(results["apdrawing"], wanted) / l1(blank, wanted)),
        "L1": float(l1(results["apdrawing"], wanted)),
        "steps of pix2pix": float(steps),
    }


APDRAWING: dict[str, Any] = {"crop": 128, "levels": 7, "width": 16}
APDRAWING_STEPS = 1_000

PROOFS = (
    Proof("carigans", carigans, {"cosine of differences from means": MoreThan(0.5)}),
    Proof("apdrawing", apdrawing, {"L1: of pix2pix's": LessThan(1), "chamfer: of pix2pix's": LessThan(1)}),
)
