"""Pictures of a class: cgan, acgan on handwritten digits of 16 pixels; sgan, which learns to tell them from few labels.

Reduced: networks of half or a quarter of the width, for digits that are 8 pixels wide; a few minutes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from proofs.frame import Place, Proof
from proofs.measures import COUNT, divide, make, read, spread
from sakuga.data.images import to_uint8
from sakuga.evaluation.classifier import SIDE as SEEN
from sakuga.evaluation.classifier import train_classifier
from sakuga.systems import load_system
from sakuga.systems.fields import AtLeast, AtMost
from sakuga.systems.sgan import SGAN, SGANConfig

SIDE = 16
NAMES = tuple("0123456789")
# An independent classifier takes them for what was asked for, and those of a class are not one and the same.
LIMITS = {"class accuracy": AtLeast(0.85), "spread within a class / real": AtLeast(0.5)}


def classes(name: str, **fields: Any) -> Proof:
    """Return the proof of a system that is told a class."""

    def measure(place: Place) -> Mapping[str, float]:
        files, kept = divide(place.data / "digits")
        chosen = load_system(name)
        common = {"photos": (place.data / "digits",), "crop": SIDE, "width": 32, "noise": 32, "seed": place.seed}
        torch.manual_seed(place.seed)
        system = chosen(chosen.Config(**common | fields))
        place.train(system)
        made = of_each_class(system.generator, system.config.noise)
        place.sheet(torch.cat([one[:10] for one in made]))
        real = [read(tuple(p for p in (*files, *kept) if p.parent.name == label), SIDE) for label in NAMES]
        classify, own = train_classifier([[*seen(one)] for one in real])
        right = [float((classify([*seen(one)]) == label).mean()) for label, one in enumerate(made)]
        within = [spread(a) / spread(b) for a, b in zip(made, real, strict=True)]
        return {
            "class accuracy": sum(right) / len(right),
            "least of a class": min(right),
            "classifier's own accuracy": own,
            "spread within a class / real": sum(within) / len(within),
            "least within a class": min(within),
        }

    return Proof(name, measure, LIMITS)


def few_labels(**fields: Any) -> Proof:
    """Return the proof of a classifier from ten labels a class, beside the same network and steps without the rest."""

    def measure(place: Place) -> Mapping[str, float]:
        train, kept = digits(place)
        pictures = read(kept, SIDE)
        labels = torch.tensor([NAMES.index(path.parent.name) for path in kept])
        found = {}
        for name, weight in (("errors", 1.0), ("errors of labels alone", 0.0)):
            torch.manual_seed(place.seed)
            common = {"photos": (train,), "crop": SIDE, "per_class": 10, "unlabelled": weight, "seed": place.seed}
            system = SGAN(SGANConfig(**common | fields))
            trained = place.train(system, name=name.replace(" ", "-"))
            with torch.inference_mode():
                _, logits = trained.averages["discriminator"].eval()(pictures)
            found[name] = float((logits.argmax(1) != labels).float().mean())
            if weight:
                place.sheet(make(system.generator, system.config.noise)[:64])
        return found | {"errors / of labels alone": found["errors"] / found["errors of labels alone"]}

    return Proof("sgan", measure, {"errors / of labels alone": AtMost(0.8)})


def digits(place: Place) -> tuple[Path, tuple[Path, ...]]:
    """Link three of four digits into a folder to train on; return it and the files of the fourth."""
    train, kept = divide(place.data / "digits", every=4)
    for path in train:
        link = place.out / "digits" / path.parent.name / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(path.resolve())
    return place.out / "digits", kept


@torch.inference_mode()
def of_each_class(generator: torch.nn.Module, noise: int) -> list[Tensor]:
    """Return pictures of each class by a generator in eval mode."""
    points = torch.randn(COUNT // 3, noise, generator=torch.Generator().manual_seed(1))
    generator.eval()
    return [generator(points, F.one_hot(torch.full((len(points),), k), len(NAMES)).float()) for k in range(len(NAMES))]


def seen(pictures: Tensor) -> Any:
    """Return pictures as the classifier is shown them, (N, SEEN, SEEN, 3) uint8."""
    return to_uint8(F.interpolate(pictures, size=(SEEN, SEEN), mode="bilinear"))


PROOFS = (
    classes("cgan", steps=5_000, condition="projection"),
    classes("acgan", steps=10_000),
    few_labels(steps=2_000, width=16, noise=32, batch=50, lr=1e-3, ema=0.99),
)
