"""Measures a style that makes its pictures of noise: how near they come to those of a folder."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from sakuga.data.images import find_images, to_tensor
from sakuga.errors import UsageError
from sakuga.evaluation.classifier import LEAST, SIDE, train_classifier
from sakuga.evaluation.evaluate import (
    Evaluation,
    Options,
    describe,
    few_pictures,
    settings,
    spread,
)
from sakuga.evaluation.gather import TargetMeasure, in_blocks, read_pictures, square
from sakuga.metrics.distances import Set, set_distances
from sakuga.metrics.features import FeatureExtractors
from sakuga.metrics.inception_score import inception_score
from sakuga.networks.inception import Inception
from sakuga.runtime.console import track
from sakuga.style import Style
from sakuga.style.inputs import Input
from sakuga.stylizer.generate import Generator

PARTS = 10
"""In which the Inception score is taken, as in the official code."""


def evaluate_generator(label: str, style: Style, options: Options) -> Evaluation:
    """Measure the pictures of the seeds from 0 to `options.count` less one, the classes of its first choice in turn.

    FID, KID and Gram distance to the pictures of `options.style_images`; the Inception score, by its own network alone,
    `--features inception` with the published weights; and, where those lie in a folder for each
    class, the share of results that a classifier trained on them takes for the class that was asked for.

    Raises:
        UsageError: no pictures to compare with, options of styles for photos, values that the style needs.
        SakugaError: the network fails.
    """
    if not options.style_images:
        raise UsageError(f"{label} makes pictures of its own: name folders of the like with --style-images")
    if options.photos or options.clip:
        raise UsageError(f"{label} is given no photo: leave out {'--photos' if options.photos else '--clip'}")
    features = FeatureExtractors(options.features, options.weights)
    found = Evaluation(set_name=features.set_name, notes=features.notes)
    targets = Set()
    paths = spread(find_images(options.style_images), options.count)
    for block in in_blocks(TargetMeasure(features, options.size), paths, "Style pictures", options.cluster):
        targets.merge(block.pictures)
        found.failed += block.failed
    choice = next((one for one in style.card.inputs if one.kind == "choice"), None)
    names = choice.names if choice else ("",)
    generators = [Generator(style, {choice.name: name} if choice else {}, threads=options.threads) for name in names]
    results, small, seconds = Set(), [], 0.0
    for seed in range(options.count):
        begin = time.perf_counter()
        picture = generators[seed % len(names)](seed)
        seconds += time.perf_counter() - begin
        image = to_tensor(square(picture, options.size))
        results.add(image, features(image))
        small.append(square(picture, SIDE))
    figures = set_distances(results, targets, features.set_name) | _inception_score(features, results)
    figures["seconds/picture"] = seconds / options.count
    if choice and (labelled := _by_class(choice, options.style_images)):
        # Never fewer than the classifier needs of a class, however few results are asked for.
        each = {name: spread(paths, max(options.count, LEAST)) for name, paths in labelled.items()}
        classes = [read_pictures(track(paths, name, len(paths)), found.failed) for name, paths in each.items()]
        classify, own = train_classifier([[square(picture, SIDE) for picture in one] for one in classes])
        asked = np.arange(options.count) % len(names)
        figures |= {"class accuracy": float((classify(small) == asked).mean()), "classifier's own accuracy": own}
    found.styles[label], found.facts[label] = figures, describe(style)
    found.notes += few_pictures(results, targets, features.set_name)
    if found.failed:
        found.notes.append(f"{len(found.failed)} pictures could not be read and do not count.")
    found.settings = settings(options, results, targets, features)
    found.settings |= {"results": results.describe(), "seeds": [0, options.count - 1], "threads": options.threads}
    return found


def _inception_score(features: FeatureExtractors, results: Set) -> dict[str, float]:
    """The score by Inception's own weights; of another network, or of fewer pictures than parts, none."""
    network = features.set_network
    if not (isinstance(network, Inception) and network.official and results.count >= PARTS):
        return {}
    if (logits := network.logits(torch.cat(results.rows))) is None:
        return {}
    score, deviation = inception_score(logits, splits=PARTS)
    return {"IS": float(score), "IS ±": float(deviation)}


def _by_class(choice: Input, folders: Sequence[Path]) -> Mapping[str, list[Path]]:
    """Return the pictures of each class by its name; empty unless each class has a folder of that name."""
    places = {name: [folder / name for folder in folders if (folder / name).is_dir()] for name in choice.names}
    return {name: find_images(place) for name, place in places.items()} if all(places.values()) else {}
