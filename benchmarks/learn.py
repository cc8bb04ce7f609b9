"""Does it learn? Every system, reduced, on real pictures for minutes of two cores; then figures of pictures kept back.

    python benchmarks/learn.py --data DIR [NAME ...] [--out runs/learn] [--threads 2] [--seed 0]

Systems from photo to picture are below. Those from noise and of several domains have proofs in `proofs/`, one file for
each group, with limits that were written down before the runs; `--data` then holds `digits`, `faces` and `autotoon`,
and a proof leaves NAME/figures.json and NAME/sheet.png. Without a name all systems from photo to picture are trained.

`--data` holds `photos`, `autotoon/photo`, `kodak`, `wesnoth`, `anime`, `paintings` and `teachers`; the feature networks
are those that `sakuga download` fetches. A run goes on where it stopped; a finished one is only judged again.

The style of the unpaired systems is what a published CartoonGAN generator paints of photographs that are not among the
training photos; pix2pix learns what it paints of these. AdaIN is judged on paintings it never saw.

Every picture is made by the exported style and `Stylizer`, as users make them. A figure is a distance and passes at or
below its limit: a bound, or a share of the better of an untrained network (the same weights, no step taken) and of the
identity mapping (super-resolution: cubic interpolation). `learn/recipes.py` states both and why. The benchmark checks
itself: untrained network and identity must each fail one of a system's limits. Exit status 1 if anything fails.

Written to `--out`: per system SYSTEM.json, SYSTEM-kept.png (rows: photos kept back, output, pictures of the style or
targets; AdaIN: photos, then a row per painting) and SYSTEM.jpg, the same of the public-domain photos of `examples/`,
without the paintings.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from learn.figures import evaluate, public, save_sheet
from learn.measures import Measures
from learn.pictures import SIDE, prepare
from learn.recipes import RECIPES
from learn.trial import Trial
from proofs import every_proof
from proofs.frame import Place

from sakuga.data.images import load_image


@dataclass
class Row:
    """One figure of one system."""

    figure: str
    trained: float
    untrained: float
    identity: float
    limit: float
    passed: bool


def rows(trial: Trial, measure: Measures) -> list[Row]:
    """KIDMonitor a system before and after its training, and write its sheets."""
    recipe, out = trial.recipe, trial.out
    untrained, _, _ = evaluate(trial, measure)
    trial.train()
    trained, identity, sheet = evaluate(trial, measure)
    side = 256 if trial.name == "super_resolution" else SIDE
    paintings = [load_image(path, short_side=240) for path in trial.data.paintings] if trial.name == "adain" else None
    save_sheet(out.parent / f"{trial.name}-kept.png", sheet, side=side, titles=paintings)
    save_sheet(out.parent / f"{trial.name}.jpg", public(trial, trial.data), side=240)
    limits = {name: recipe.bounds.get(name, recipe.share * min(untrained[name], identity[name])) for name in trained}
    return [
        Row(name, value, untrained[name], identity[name], limits[name], value <= limits[name])
        for name, value in trained.items()
    ]


def main() -> int:
    """Train, judge and print."""
    proofs = every_proof()
    names = [recipe.system.name for recipe in RECIPES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", metavar="NAME", help=", ".join([*names, *proofs]))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/learn"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="start of all chance; another wants another --out")
    args = parser.parse_args()
    if unknown := set(args.systems) - {*names, *proofs}:
        parser.error(f"unknown {', '.join(sorted(unknown))}; choose {', '.join([*names, *proofs])}")

    torch.set_num_threads(args.threads)
    chosen = [proofs[name] for name in args.systems if name in proofs]
    kept = [proof.run(Place(args.data, args.out / proof.name, args.seed)) for proof in chosen]
    if chosen and len(chosen) == len(args.systems):
        return int(not all(kept))
    data, measure = prepare(args.data, args.out / "data"), Measures()
    painter = measure.style(data.kept_painted, data.kept_style), measure.content(data.kept_painted, data.kept_photos)
    print("the painter's own pictures of the kept photos: style {:.4f}, content {:.4f}".format(*painter))
    print(f"{'system':<18}{'figure':<9}{'trained':>9}{'untrained':>11}{'identity':>10}{'limit':>9}", flush=True)
    failed = not all(kept)
    for recipe in RECIPES:
        if args.systems and recipe.system.name not in args.systems:
            continue
        trial = Trial(recipe, data, args.out / recipe.system.name, seed=args.seed)
        found = rows(trial, measure)
        for row in found:
            print(
                f"{trial.name:<18}{row.figure:<9}{row.trained:9.4f}{row.untrained:11.4f}{row.identity:10.4f}"
                f"{row.limit:9.4f}  {'passed' if row.passed else 'FAILED'}"
            )
        sound = all(any(getattr(row, other) > row.limit for row in found) for other in ("untrained", "identity"))
        if not sound:
            print(f"{trial.name:<18}an untrained network or the identity would pass: the limits prove nothing")
        failed |= not sound or not all(row.passed for row in found)
        reduced = ", ".join(f"{key} {value}" for key, value in recipe.settings.items())
        print(f"{'':<18}{trial.steps} steps in {trial.seconds:.0f} s; reduced: {reduced}", flush=True)
        record = {"steps": trial.steps, "seed": args.seed, "seconds": trial.seconds, "reduced": recipe.settings}
        text = json.dumps(record | {"rows": [asdict(row) for row in found]}, indent=1)
        (args.out / f"{trial.name}.json").write_text(text + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
