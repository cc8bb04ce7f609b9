"""Systems that are told landmarks: landmark_cyclegan from portraits to drawn heads, fsgan on frames made of portraits.

Portraits are those of `autotoon`, four of five, judged on the fifth; heads those of `faces/domains/toon-head`, whose
eyes, nose and mouth lie at the same place in all. Both are turned, moved and enlarged at random, so that nobody can
know where landmarks are without looking. Frames of a person are its portrait, warped to landmarks of others.

Reduced: 64 pixels, a quarter of the width or less, some hundred steps; fsgan with the distance of pixels alone.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from proofs.frame import Place, Proof
from proofs.measures import divide
from proofs.portraits import marked, write_marks
from proofs.warps import divided
from sakuga.data.images import load_image, to_tensor, to_uint8
from sakuga.networks.landmarks import read_heatmaps
from sakuga.networks.thin_plate import move_points
from sakuga.systems.cyclegan import CycleGAN, CycleGANConfig
from sakuga.systems.fields import AtMost, LessThan
from sakuga.systems.fsgan import FSGAN, FSGANConfig
from sakuga.systems.landmark_cyclegan import LandmarkCycleGAN, LandmarkCycleGANConfig
from sakuga.systems.landmarks import LandmarkDetector, LandmarksConfig

SIDE = 64
HEAD = np.array([[51, 67], [76.5, 67], [64, 77], [57, 85.5], [71, 85.5]]) / 128
"""Eyes, nose and corners of the mouth of a drawn head, as shares of its side; measured by eye."""
COUNT = 400
"""Drawn heads."""


def turned(picture: Image.Image, points: np.ndarray, rng: np.random.Generator) -> tuple[Image.Image, np.ndarray]:
    """Turn a face by up to 15 degrees and give it another size and place; `points` (5, 2) are shares of its side.

    Returns the picture (SIDE, SIDE) and the points in its pixels.
    """
    angle, unit = np.deg2rad(rng.uniform(-15, 15)), np.linalg.norm(points[1] - points[0])
    scale = 0.25 * rng.uniform(0.85, 1.25) / unit * SIDE  # the eyes a quarter of the side apart
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([0.5, 0.52]) * SIDE + rng.uniform(-0.08, 0.08, 2) * SIDE - matrix @ points.mean(0)
    moved = points @ matrix.T + shift
    large = picture.convert("RGB").resize((2 * SIDE, 2 * SIDE), Image.Resampling.LANCZOS)
    back = np.linalg.inv(matrix) * 2 * SIDE
    offset = -back @ (shift - 0.5) - 0.5  # PIL's places are those of pixels' corners
    rows = [*back[0], offset[0] + 0.5, *back[1], offset[1] + 0.5]
    result = large.transform(
        (SIDE, SIDE), Image.Transform.AFFINE, rows, Image.Resampling.BICUBIC, fillcolor=_edge(large)
    )
    return result, moved - 0.5


def _edge(picture: Image.Image) -> tuple[int, int, int]:
    red, green, blue = np.asarray(picture)[0].mean(0)
    return round(red), round(green), round(blue)


def faces(folder: Path, marks: Path, given: Mapping[Path, np.ndarray], times: int, seed: int) -> tuple[Tensor, Tensor]:
    """Turn every face `times` and write it with its side file; return pictures (N, 3, SIDE, SIDE) and points."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, names, points = np.random.default_rng(seed), [], {}
    for path, units in given.items():
        image = Image.open(path)
        for number in range(times):
            names.append(f"{path.stem}-{number}")
            picture, points[names[-1]] = turned(image, units, rng)
            picture.save(folder / f"{names[-1]}.png")
    write_marks(marks, names, points, SIDE, 5)
    shown = to_tensor(np.stack([load_image(folder / f"{name}.png") for name in names]))
    return shown, torch.from_numpy(np.stack([points[name] for name in names])).float()


def away(found: Tensor, points: Tensor) -> float:
    """Mean distance of landmarks (N, K, 2), as a percentage of the side."""
    return float((found - points).norm(dim=2).mean()) / SIDE * 100


def landmark_cyclegan(place: Place) -> Mapping[str, float]:
    """Train it and CycleGAN on the same pictures and steps, and apart a regressor that looks for landmarks."""
    train, kept = divided(place)
    source, units = marked(place, 1)
    portraits = {name: five(points) for name, points in units.items()}
    heads, others = divide(place.data / "faces" / "domains" / "toon-head", every=5, most=COUNT)
    seed = place.seed
    faces(place.out / "p", place.out / "p-marks", {source / f"{n}.jpg": portraits[n] for n in train}, 4, seed)
    shown, points = faces(
        place.out / "kept", place.out / "kept-marks", {source / f"{n}.jpg": portraits[n] for n in kept}, 2, seed + 1
    )
    faces(place.out / "h", place.out / "h-marks", dict.fromkeys(heads, HEAD), 2, seed + 2)
    drawn, drawn_points = faces(place.out / "hk", place.out / "hk-marks", dict.fromkeys(others, HEAD), 2, seed + 3)

    common: dict[str, Any] = {"crop": SIDE, "load": SIDE, "seed": seed, "mirror": True}
    judge = LandmarkDetector(
        LandmarksConfig(
            photos=(place.out / "h",), landmarks=place.out / "h-marks", steps=600, sigma=2.0, width=8, **common
        )
    )
    regressor = place.train(judge, name="landmarks").averages["regressor"].eval()
    both = common | {"photos": (place.out / "p",), "style": (place.out / "h",)} | CYCLES
    system = LandmarkCycleGAN(
        LandmarkCycleGANConfig(
            **both, landmarks=place.out / "p-marks", style_landmarks=place.out / "h-marks", **LANDMARK_CYCLEGAN
        )
    )
    place.train(system)
    other = CycleGAN(CycleGANConfig(**both))
    plain = place.train(other, name="cyclegan").averages["generator"].eval()
    with torch.inference_mode():
        made = {"landmark_cyclegan": system.eval().artefact().module.eval()(shown), "cyclegan": plain(shown)}
        found = {name: read_heatmaps(regressor(one)) for name, one in made.items()}
        own, blind = read_heatmaps(regressor(drawn)), drawn_points.mean(0).expand_as(points)
    place.sheet(
        torch.cat([row[:8] for row in (shown, *made.values(), spots(made["landmark_cyclegan"], points), drawn)])
    )
    errors = {name: away(one, points) for name, one in found.items()}
    return {
        "landmark error / cyclegan's": errors["landmark_cyclegan"] / errors["cyclegan"],
        "landmark error, % of the side": errors["landmark_cyclegan"],
        "cyclegan's": errors["cyclegan"],
        "of a place that is always the same": away(blind, points),
        "regressor's own, of drawn heads": away(own, drawn_points),
    }


def five(points: np.ndarray) -> np.ndarray:
    """Eyes, nose and corners of the mouth of iBUG's 68."""
    return np.stack([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])


def spots(pictures: Tensor, points: Tensor) -> Tensor:
    """Mark landmarks (N, K, 2) by red pixels."""
    marked = pictures.clone()
    for picture, places in zip(marked, points.round().long().clamp(0, SIDE - 1), strict=True):
        for x, y in places.tolist():
            picture[:, y, x] = torch.tensor([1.0, -1.0, -1.0])
    return marked


CYCLES: dict[str, Any] = {"batch": 1, "width": 16, "blocks": 3, "steps": 1_200, "lr": 5e-4}
LANDMARK_CYCLEGAN: dict[str, Any] = {"first": 800, "sigma": 2.0, "regressor_width": 8}


def frames(place: Place, names: list[str], kind: str, count: int) -> Mapping[str, tuple[Tensor, Tensor]]:
    """Warp each portrait to `count` places of its 68 landmarks, towards those of other people; written for training.

    Returns frames (count, 3, SIDE, SIDE) and their landmarks (count, 68, 2) by name.
    """
    source, points = marked(place, SIDE)
    rng, unit, found = np.random.default_rng(place.seed), (SIDE - 1) / 2, {}
    marks = place.out / f"{kind}-marks"
    for name in names:
        image = Image.open(source / f"{name}.jpg").convert("RGB").resize((2 * SIDE, 2 * SIDE), Image.Resampling.LANCZOS)
        picture = to_tensor(np.asarray(image)).expand(count, -1, -1, -1)
        own = torch.from_numpy(points[name] / unit - 1).float().expand(count, -1, -1)
        others = np.stack([points[one] / unit - 1 for one in rng.choice(names, count)])
        places = (
            own
            + 0.8 * (torch.from_numpy(others).float() - own)
            + torch.from_numpy(rng.uniform(-0.1, 0.1, (count, 1, 2))).float()
        )
        places[0] = own[0]
        warped = torch.nn.functional.avg_pool2d(move_points(picture, own, places.clamp(-0.98, 0.98)), 2)
        found[name] = warped, (places.clamp(-0.98, 0.98) + 1) * unit
        for folder in (place.out / kind / name, marks / name):
            folder.mkdir(parents=True, exist_ok=True)
        for number, array in enumerate(to_uint8(warped)):
            Image.fromarray(array).save(place.out / kind / name / f"{number}.png")
        told = {str(number): one.double().numpy() for number, one in enumerate(found[name][1])}
        for number, one in told.items():
            text = json.dumps({"width": SIDE, "height": SIDE, "points": one.tolist()})
            (marks / name / f"{number}.landmarks.json").write_text(text, encoding="utf-8")
    return found


def fsgan(place: Place) -> Mapping[str, float]:
    """Train; move faces of kept people as others of them are, and find the landmarks of what comes out.

    What finds them is the regressor that learned beside the generator, which the generator is not trained by.
    """
    train, kept = divided(place)
    frames(place, train, "frames", 4)
    apart = frames(place, kept, "kept", 2)
    config = FSGANConfig(
        photos=(place.out / "frames",),
        landmarks=place.out / "frames-marks",
        crop=SIDE,
        seed=place.seed,
        **FSGAN_REDUCED,
    )
    system = FSGAN(config)
    place.train(system)
    source = torch.cat([one[:1] for one, _ in apart.values()])
    driver, points = source.roll(1, 0), torch.cat([one[:1] for _, one in apart.values()]).roll(1, 0)
    system.eval()
    with torch.inference_mode():
        made = system.artefact().module.eval()(source, driver)
        own, wanted, found = (read_heatmaps(system.regressor(one)) for one in (source, driver, made))
        back = system.artefact().module.eval()(source, source)
    place.sheet(torch.cat([row[:10] for row in (source, driver, made, back)]))
    return {
        "to the driver / source to driver": away(found, wanted) / away(own, wanted),
        "to the driver / to the source": away(found, wanted) / away(found, own),
        "L1 to the source, of the driver's": float((made - source).abs().mean() / (driver - source).abs().mean()),
        "regressor's own, % of the side": away(wanted, points),
    }


FSGAN_REDUCED: dict[str, Any] = {
    **{"batch": 4, "width": 16, "steps": 1_500, "halve": 1_000, "lr": 1e-3, "lr_discriminator": 1e-4},
    **{"perceptual": 0.0, "pixel": 1.0, "sigma": 2.0, "regressor_width": 8},
}

PROOFS = (
    Proof(
        "landmark_cyclegan",
        landmark_cyclegan,
        {"landmark error / cyclegan's": LessThan(1), "regressor's own, of drawn heads": AtMost(3)},
    ),
    Proof(
        "fsgan", fsgan, {"to the driver / source to driver": AtMost(0.5), "to the driver / to the source": LessThan(1)}
    ),
)
"""Limits set before the runs: the issue's (below cyclegan's; nearer to the driver than to the source), by half."""
