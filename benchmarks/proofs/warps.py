"""An artist's warps learned from pairs: autotoon on four of five of its authors' pairs, judged on the fifth.

Reduced: sides of 128 pixels (warps of 16x16), a quarter of the width, random weights to begin with instead of a face
recogniser's, a learning rate five times as high and a hundredth of the steps: with 1,500 of them at the full width, on
81 pairs, warps of kept faces were farther from the artist's than none. Warps are compared at 32x32, pictures at 128, on
photos kept out.

How much of a warp other faces can tell at all is measured beside, without a network: by the median of the other warps,
and by the nearest of them, chosen by who knows the answer.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from proofs.frame import Place, Proof
from sakuga.data.images import load_image, to_tensor
from sakuga.networks.autotoon import Caricature, enlarge_warp, warp_picture
from sakuga.systems.autotoon import AutoToon, AutoToonConfig
from sakuga.systems.fields import LessThan

SIDE = 128
GRID = (32, 32)
NAMES = ("photo", "caricature")


def divided(place: Place) -> tuple[list[str], list[str]]:
    """Link the pairs to train on into folders of their own; return the names of these and of those kept out."""
    source = place.data / "autotoon"
    names = sorted(path.stem for path in (source / "photo").iterdir())
    kept = names[4::5]
    train = [name for name in names if name not in kept]
    for kind in NAMES:
        folder = place.out / kind
        folder.mkdir(parents=True, exist_ok=True)
        for name in train:
            link = folder / f"{name}.jpg"
            if not link.exists():
                link.symlink_to((source / kind / link.name).resolve())
    return train, kept


def pictures(folder: Path, names: list[str]) -> Tensor:
    """Return pictures (N, 3, SIDE, SIDE)."""
    return to_tensor(np.stack([load_image(folder / f"{name}.jpg", short_side=SIDE) for name in names]))


def autotoon(place: Place) -> Mapping[str, float]:
    """Train, then warp the photos that were kept out."""
    train, kept = divided(place)
    source = place.data / "autotoon"
    photos, targets = place.out / NAMES[0], place.out / NAMES[1]
    config = AutoToonConfig(
        photos=(photos,),
        targets=targets,
        warps=source / "warp32.npz",
        crop=SIDE,
        width=16,
        lr=5e-4,
        steps=300,
        seed=place.seed,
    )
    system = AutoToon(config)
    place.train(system)
    system.eval()
    with np.load(source / "warp32.npz") as stored:
        warps = {name: torch.from_numpy(stored[name]) for name in stored}
    artist = torch.stack([warps[name] for name in kept])
    others = torch.stack([warps[name] for name in train])
    mean = others.mean(0)
    photo, target = (pictures(source / kind, kept) for kind in NAMES)
    with torch.inference_mode():
        warp = enlarge_warp(system.warper(photo), GRID)
        made = warp_picture(photo, enlarge_warp(warp, (SIDE, SIDE)))
        by_mean = warp_picture(photo, enlarge_warp(mean.expand_as(artist), (SIDE, SIDE)))
        caricature = Caricature(system.warper, SIDE)
        rows = [photo, target, *(caricature(photo, torch.full((len(kept),), times)) for times in (1.0, 2.0))]
    place.sheet(torch.cat([row[:8] for row in rows]))

    def away(one: Tensor, other: Tensor) -> float:
        return float((one - other).abs().mean())

    return {
        "warp: of no warp's distance": away(warp, artist) / away(torch.zeros(1), artist),
        "warp: of the mean warp's": away(warp, artist) / away(mean, artist),
        "picture: of the photo's distance": away(made, target) / away(photo, target),
        "picture: of the mean warp's": away(made, target) / away(by_mean, target),
        "median warp: of no warp's": away(others.median(0).values, artist) / away(torch.zeros(1), artist),
        "nearest of the others: of no warp's": min_away(others, artist) / away(torch.zeros(1), artist),
    }


def min_away(some: Tensor, wanted: Tensor) -> float:
    """Mean distance of each that is wanted to the nearest of some."""
    return float((some[None] - wanted[:, None]).abs().flatten(2).mean(2).amin(1).mean())


PROOFS = (
    Proof(
        "autotoon",
        autotoon,
        {
            "warp: of no warp's distance": LessThan(1),
            "warp: of the mean warp's": LessThan(1),
            "picture: of the photo's distance": LessThan(1),
        },
    ),
)
