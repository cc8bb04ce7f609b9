"""Measures a style that changes labels of photos: what was asked for, what else changed, and the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sakuga.data.images import find_images, load_image, to_tensor
from sakuga.data.labels import Labels
from sakuga.errors import SakugaError, UsageError
from sakuga.evaluation.attributes import EVERY, SIDE, decide, train_attributes
from sakuga.evaluation.evaluate import Evaluation, Options, describe
from sakuga.evaluation.gather import square
from sakuga.evaluation.machine import machine, versions
from sakuga.losses import lpips
from sakuga.networks.features import LPIPS_LAYERS, FeatureNetwork
from sakuga.runtime.console import track
from sakuga.style import Style
from sakuga.style.inputs import Input
from sakuga.stylizer import Stylizer
from sakuga.systems.parts.labelled import option_name

SEEDS = 4
"""Styles of each photo whose distances are averaged."""
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Edit:
    """One setting of a style: what is set, which labels it decides, and what these are then."""

    settings: Mapping[str, object]
    columns: tuple[int, ...]
    target: tuple[float, ...]


def evaluate_edited(label: str, style: Style, options: Options) -> Evaluation:
    """Measure a style on labelled photos: a classifier learns four of five of them, the others are edited.

    Raises:
        UsageError: no photos or labels, or labels that are none of the style's.
        SakugaError: a photo cannot be read, or the style fails.
    """
    if not options.photos or options.labels is None:
        raise UsageError("--labels are those of --photos: name both")
    if options.cluster:
        raise UsageError("--labels are learnt on one machine: leave out --cluster")
    paths = find_images(options.photos)
    labels = Labels.read(options.labels, options.photos, paths)
    exclusive = labels.classes is not None
    values = np.eye(len(labels.names), dtype=np.float32)[labels.values] if exclusive else np.asarray(labels.values)
    if not _edits(style, labels.names, values[0]):
        asks = ", ".join(one.name for one in style.card.inputs if one.kind in ("choice", "number")) or "nothing"
        raise UsageError(f"{label} changes none of {', '.join(labels.names)}: it is asked for {asks}")
    order = np.random.default_rng(0).permutation(len(paths))[: EVERY * options.count]
    small = [square(load_image(paths[i]), SIDE) for i in track(order, "Photos", len(order))]
    classify, own = train_attributes(small, values[order], exclusive=exclusive)
    kept = order[1::EVERY]
    size = style.card.size[0] if style.card.size else options.size

    def told(pictures: Sequence[Picture]) -> NDArray[np.bool_]:
        return decide(classify([square(picture, SIDE) for picture in pictures]), exclusive)

    right: list[bool] = []
    stayed: list[float] = []
    back: list[float] = []
    apart: list[float] = []
    extractor = _alexnet()
    for i in track(kept, "Edits", len(kept)):
        photo, mine = square(load_image(paths[i]), size), values[i]
        edits = [edit for edit in _edits(style, labels.names, mine) if edit.target != tuple(mine[[*edit.columns]])]
        made = [Stylizer(style, inputs=edit.settings, threads=options.threads).array(photo) for edit in edits]
        before, *after = told([photo, *made])
        for edit, picture, now in zip(edits, made, after, strict=True):
            right.append(bool((now[[*edit.columns]] == np.array(edit.target, bool)).all()))
            others = np.delete(np.arange(len(mine)), edit.columns)
            if len(others):
                stayed.append(float((now[others] == before[others]).mean()))
            if (way := _way_back(style, labels.names, mine, edit)) is not None:
                again = Stylizer(style, inputs=way, threads=options.threads).array(picture)
                back.append(float(np.abs(again / 255 - photo / 255).mean()))
        if extractor is not None and edits:
            apart += _diversity(style, edits[0], photo, extractor, options.threads)
    figures = {"attribute accuracy": float(np.mean(right)), "classifier's own accuracy": float(own.mean())}
    figures |= {"others stay": float(np.mean(stayed))} if stayed else {}
    figures |= {"reconstruction": float(np.mean(back))} if back else {}
    figures |= {"LPIPS diversity": float(np.mean(apart))} if apart else {}
    found = Evaluation(styles={label: figures}, facts={label: describe(style)})
    found.settings = {"photos": len(kept), "edits": len(right), "labels": [*labels.names], "size": size}
    found.settings |= {"versions": versions(), "machine": machine()}
    low = [f"{name} {share:.0%}" for name, share in zip(labels.names, own, strict=True) if share < 0.9]
    found.notes = [f"the classifier itself is often wrong about {', '.join(low)}."] if low else []
    return found


def _edits(style: Style, names: Sequence[str], own: NDArray[np.float32]) -> list[Edit]:
    """Every setting of one input that stands for labels among `names`, for a photo whose labels are `own`."""
    columns = {option_name(name): column for column, name in enumerate(names)} | {n: i for i, n in enumerate(names)}
    found = []
    for one in style.card.inputs:
        if one.kind == "number" and one.name in columns:
            column = columns[one.name]
            found.append(Edit({one.name: 1 - 2 * float(own[column])}, (column,), (1 - float(own[column]),)))
        if one.kind == "choice":
            members = {choice: _column(one, choice, columns) for choice in one.names}
            group = tuple(column for column in members.values() if column is not None)
            for choice, place in members.items():
                if place is not None:
                    found.append(Edit({one.name: choice}, group, tuple(float(column == place) for column in group)))
                elif choice in ("off", "on") and one.name in columns:
                    found.append(Edit({one.name: choice}, (columns[one.name],), (float(choice == "on"),)))
    return found


def _column(one: Input, choice: str, columns: Mapping[str, int]) -> int | None:
    return columns.get(f"{choice}_{one.name}", columns.get(choice))


def _way_back(style: Style, names: Sequence[str], own: NDArray[np.float32], edit: Edit) -> Mapping[str, object] | None:
    """The settings that undo an edit; None where the photo's own labels cannot be asked for."""
    (name,) = edit.settings
    if isinstance(value := edit.settings[name], float):
        return {name: -value}
    target = tuple(map(float, own[[*edit.columns]]))
    same = (other for other in _edits(style, names, own) if other.columns == edit.columns and other.target == target)
    return next((other.settings for other in same if name in other.settings), None)


def _alexnet() -> FeatureNetwork | None:
    try:
        return FeatureNetwork("alexnet", LPIPS_LAYERS["alexnet"])
    except SakugaError:  # not downloaded
        return None


def _diversity(style: Style, edit: Edit, photo: Picture, eyes: FeatureNetwork, threads: int | None) -> list[float]:
    """LPIPS between results of different noise, for styles that are given some."""
    noise = next((one.name for one in style.card.inputs if one.kind == "noise"), None)
    if noise is None:
        return []
    inputs = [{**edit.settings, noise: seed} for seed in range(SEEDS)]
    made = [eyes(to_tensor(Stylizer(style, inputs=one, threads=threads).array(photo))) for one in inputs]
    return [float(lpips(a, b, eyes.heads)) for a, b in combinations(made, 2)]
