"""Drawn faces into another drawing: xgan, group_faces and cocosnet on `faces/attributes`, at 32 and 64 pixels.

The other drawing is made of other faces by a filter, so that what a kept face should become is known, though no
training sees a pair: for xgan the pen of `ink`, for the others exchanged colours.

Reduced: a quarter of the width or less, a few minutes each.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from proofs.domains import HEAD
from proofs.frame import Place, Proof
from proofs.measures import divide
from sakuga.data.derived.shift import shift
from sakuga.data.images import to_tensor, to_uint8
from sakuga.evaluation.attributes import decide, train_attributes
from sakuga.losses import l1
from sakuga.systems.cocosnet import CoCosNet, CoCosNetConfig
from sakuga.systems.fields import AtLeast, LessThan
from sakuga.systems.group_faces import GroupFaces, GroupFacesConfig
from sakuga.systems.xgan import XGAN, XGANConfig
from sakuga.teachers.ink import ink

SIDE = 32
TRAINED, KEPT = 1_200, 150
FEATURES = ("glasses", "beard", "smiling")
HAIR = ("brown_hair", "black_hair", "pink_hair")


def labelled(place: Place) -> tuple[tuple[Path, ...], tuple[Path, ...], dict[str, dict[str, str]]]:
    """Return the faces to train on, those kept, and the labels of each by file name."""
    with (place.data / "faces" / "attributes.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    train, kept = divide(place.data / "faces" / "attributes")
    return train[:TRAINED], kept[:KEPT], rows


def head(path: Path) -> Image.Image:
    """The head of a face, 84 pixels."""
    return Image.open(path).convert("RGB").crop(HEAD)


def pen(image: Image.Image) -> Image.Image:
    """Draw with pen and ink."""
    return Image.fromarray(ink(np.asarray(image)))


def exchanged(image: Image.Image) -> Image.Image:
    """Exchange colours: red, green and blue for blue, red and green."""
    return Image.fromarray(np.ascontiguousarray(np.asarray(image)[..., [2, 0, 1]]))


def save(images: Mapping[str, Image.Image], folder: Path, side: int = SIDE) -> Tensor:
    """Write pictures by name, and return them (N, 3, side, side)."""
    folder.mkdir(parents=True, exist_ok=True)
    small = {name: image.resize((side, side), Image.Resampling.LANCZOS) for name, image in images.items()}
    for name, image in small.items():
        image.save(folder / f"{name}.png")
    return to_tensor(np.stack([np.asarray(image) for image in small.values()]))


def xgan(place: Place) -> Mapping[str, float]:
    """Train on faces and pen drawings of others; draw kept faces, and look for what they had on."""
    train, kept, rows = labelled(place)
    save({path.stem: head(path) for path in train[::2]}, place.out / "photos")
    style = save({path.stem: pen(head(path)) for path in train[1::2]}, place.out / "style")
    shown = save({path.stem: head(path) for path in kept}, place.out / "kept")
    truth = save({path.stem: pen(head(path)) for path in kept}, place.out / "kept-style")
    config = XGANConfig(photos=(place.out / "photos",), style=(place.out / "style",), seed=place.seed, **XGAN_REDUCED)
    system = place.train(XGAN(config)).averages["generator"].eval()
    labels = [[[float(rows[path.name][name]) for name in FEATURES] for path in paths] for paths in (train[1::2], kept)]
    classify, own = train_attributes([*to_uint8(style)], np.array(labels[0], np.float32))
    with torch.inference_mode():
        made, back = system(shown, "photo"), system(truth, "style").photo
    place.sheet(torch.cat([row[:10] for row in (shown, made.style, truth, made.photo, back)]))
    told, asked = decide(classify([*to_uint8(made.style)])), np.array(labels[1]) > 0
    kept_share = {name: balanced(told[:, k], asked[:, k]) for k, name in enumerate(FEATURES)}
    gray = shown.mean(1, keepdim=True).expand_as(shown)
    return {
        "attributes kept": float(np.mean([*kept_share.values()])),
        **{f"kept: {name}": share for name, share in kept_share.items()},
        "of another face's": float(
            np.mean([balanced(told[:, k], np.roll(asked[:, k], 1)) for k in range(len(FEATURES))])
        ),
        "L1 to the drawing / the gray photo's": float(l1(made.style, truth) / l1(gray, truth)),
        "classifier's own accuracy": float(own.min()),
    }


def balanced(told: np.ndarray, asked: np.ndarray) -> float:
    """Mean of the shares of those with and of those without that are told right: a half by chance."""
    return float((told[asked].mean() + (~told[~asked]).mean()) / 2)


XGAN_REDUCED: dict[str, Any] = {
    "crop": SIDE,
    "load": SIDE,
    "width": 16,
    "embedding": 128,
    "batch": 16,
    "steps": 1_500,
    "lr": 5e-4,
    "mirror": False,
}


def group_faces(place: Place) -> Mapping[str, float]:
    """Train on a group of many and two of few; translate kept faces of all, and tell the group of what comes out."""
    train, kept, rows = labelled(place)

    def group(paths: Sequence[Path], name: str) -> dict[str, Image.Image]:
        return {path.stem: head(path) for path in paths if rows[path.name][name] == "1"}

    judged, shown, truth = [], [], []
    for name in HAIR:
        some, others = group(train[::2], name), group(train[1::2], name)
        few = None if name == HAIR[0] else FEW
        save(dict([*some.items()][:few]), place.out / "photos" / name)
        drawn = {stem: exchanged(image) for stem, image in others.items()}
        save(dict([*drawn.items()][:few]), place.out / "style" / name)
        judged.append(save(drawn, place.out / "judge" / name))
        shown.append(save(group(kept, name), place.out / "kept" / name)[:30])
        truth.append(save({s: exchanged(i) for s, i in group(kept, name).items()}, place.out / "truth" / name)[:30])
    labels = np.repeat(np.eye(len(HAIR), dtype=np.float32), [len(one) for one in judged], 0)
    order = np.random.default_rng(0).permutation(len(labels))
    classify, own = train_attributes([*to_uint8(torch.cat(judged)[order])], labels[order], exclusive=True)
    config = GroupFacesConfig(
        photos=(place.out / "photos",), style=(place.out / "style",), seed=place.seed, **GROUP_FACES
    )
    system = GroupFaces(config)
    place.train(system)
    generator = system.generator.eval()
    with torch.inference_mode():
        made = [generator(one, name)[0] for one, name in zip(shown, HAIR, strict=True)]
    place.sheet(torch.cat([row[:8] for rows in zip(shown, made, truth, strict=True) for row in rows]))
    right = [float(np.mean(classify([*to_uint8(one)]).argmax(1) == k)) for k, one in enumerate(made)]
    photos_right = [float(np.mean(classify([*to_uint8(one)]).argmax(1) == k)) for k, one in enumerate(shown)]
    return {
        "right group": float(np.mean(right)),
        **{f"right: {name}": share for name, share in zip(HAIR, right, strict=True)},
        "right group, of the photos themselves": float(np.mean(photos_right)),
        "L1 to the drawing / the photo's": float(
            l1(torch.cat(made), torch.cat(truth)) / l1(torch.cat(shown), torch.cat(truth))
        ),
        "classifier's own accuracy": float(own.min()),
    }


FEW = 30
"""Pictures of each side of the groups that have few."""
GROUP_FACES: dict[str, Any] = {
    **{"crop": SIDE, "load": SIDE, "batch": 2, "width": 16, "hourglass": 2, "layers": (4, 3), "mirror": False},
    **{"lr": 5e-4, "steps": 900, "first": 600, "base": HAIR[0]},
}


def cocosnet(place: Place) -> Mapping[str, float]:
    """Train on lines and faces of any colours; paint kept lines by the same face, moved, whose colours are others.

    Lines say nothing of colours: these must come from the exemplar, and to the right places.
    """
    side, (train, kept, _) = 64, labelled(place)
    rng = np.random.default_rng(place.seed)

    def colored(paths: Sequence[Path], orders: Sequence[np.ndarray]) -> dict[str, Image.Image]:
        return {
            path.stem: Image.fromarray(np.ascontiguousarray(np.asarray(head(path))[..., order]))
            for path, order in zip(paths, orders, strict=True)
        }

    orders = [rng.permutation(3) for _ in range(2 * (len(train) + len(kept)))]
    some, apart = train[:COLORED], kept[:40]
    save({path.stem: pen(head(path)) for path in some}, place.out / "lines", side)
    save(colored(some, orders[: len(some)]), place.out / "faces", side)
    lines = save({path.stem: pen(head(path)) for path in apart}, place.out / "kept-lines", side)
    truth = save(colored(apart, orders[-len(apart) :]), place.out / "kept-faces", side)
    draws = rng.uniform(0.5, 1, (len(apart), 4))  # moved, but not mirrored
    exemplar = to_tensor(np.stack([shift(one, draw) for one, draw in zip(to_uint8(truth), draws, strict=True)]))
    other = truth.roll(1, 0)
    config = CoCosNetConfig(
        photos=(place.out / "lines",), targets=place.out / "faces", seed=place.seed, crop=side, load=side, **COCOSNET
    )
    system = CoCosNet(config)
    place.train(system)
    system.eval()
    painter = system.artefact().module.eval()
    with torch.inference_mode():
        made, led = painter(lines, exemplar), painter(lines, other)
        warped = system.correspondence(lines, exemplar).warped
    large = torch.nn.functional.interpolate(warped, size=(side, side))
    place.sheet(torch.cat([row[:8] for row in (lines, exemplar, large, made, truth, other, led)]))
    mean = torch.stack([truth[k][:, truth[k].std(0) >= 0].mean(1) for k in range(len(truth))])[:, :, None, None]
    reduced = torch.nn.functional.avg_pool2d(truth, 4)
    return {
        "warped exemplar: L1 / copying it": float(
            l1(warped, reduced) / l1(torch.nn.functional.avg_pool2d(exemplar, 4), reduced)
        ),
        "result: L1 / copying the exemplar": float(l1(made, truth) / l1(exemplar, truth)),
        "result: L1 / its mean colour": float(l1(made, truth) / l1(mean.expand_as(truth), truth)),
        "led by another: L1 of its own": float(l1(led, truth) / l1(made, truth)),
    }


COLORED = 600
COCOSNET: dict[str, Any] = {
    "width": 8,
    "batch": 4,
    "steps": 700,
    "lr": 4e-4,
    "lr_discriminator": 4e-4,
    "features": "vgg16",
    "mirror": False,
    "real": 0.5,
    "self_warp": 100.0,
}

PROOFS = (
    Proof("xgan", xgan, {"attributes kept": AtLeast(0.65), "L1 to the drawing / the gray photo's": LessThan(1)}),
    Proof("group_faces", group_faces, {"right group": AtLeast(0.8), "L1 to the drawing / the photo's": LessThan(1)}),
    Proof(
        "cocosnet",
        cocosnet,
        {"warped exemplar: L1 / copying it": LessThan(1), "result: L1 / copying the exemplar": LessThan(1)},
    ),
)
"""Limits were set before the first runs; those of right groups and of copying are the issue's, and `kept above chance`,
a half, is taken as 0.65 of attributes. An identity mapping misses each second one."""
