"""Measures styles on a folder of photographs: every figure of `sakuga evaluate`."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import onnx
import torch
from PIL import Image, ImageOps
from tyro.conf import arg

from sakuga.data.images import find_images, unreadable
from sakuga.errors import SakugaError, UsageError
from sakuga.evaluation import speed
from sakuga.evaluation.clip import read_clip
from sakuga.evaluation.gather import ResultMeasure, TargetMeasure, in_blocks, on_cluster, read_pictures
from sakuga.evaluation.machine import machine, versions
from sakuga.metrics.distances import FEWEST, SUBSET, SUBSETS, Pairs, Set, set_distances
from sakuga.metrics.features import FeatureExtractors
from sakuga.metrics.flicker import STEP, Motion, pan, pan_error
from sakuga.style import Style
from sakuga.stylizer import Stylizer

PANS, PAN_FRAMES = 4, 6


@dataclass
class Options:
    """What is measured, and on what."""

    photos: tuple[Path, ...] = ()
    """Folders of photographs (or single ones) that the style did not learn from; none for one that makes its own."""
    style_images: tuple[Path, ...] = ()
    """Folders of pictures of the wanted style; without them FID, KID and Gram distance are left out."""
    labels: str | None = None
    """Of a style that changes attributes or domains: `folders`, or a table of the photos' labels. A classifier then
    learns most of --photos, and judges edits of the others."""
    clip: Path | None = None
    """A video: the style's flicker is measured on some frames of its middle."""
    size: int = 256
    """Side of the centre squares, in pixels, that photos and style pictures are reduced to and painted at."""
    count: int = 1000
    """At most this many photos and this many style pictures, spread evenly over folders; or results made of noise."""
    frames: int = 12
    """Frames of the clip."""
    features: Literal["vgg16", "vgg19", "alexnet", "inception"] = "vgg16"
    """Network for FID and KID; only with Inception's own weights is it FID."""
    weights: str | None = None
    """Weights of that network: a file, or random:SEED; by default what `sakuga download` fetched."""
    pairs: int = 100
    """Of stylegan and stylegan2: pairs of points between which the perceptual path length is measured; 0: none."""
    threads: int | None = None
    """Threads that the style computes with; otherwise one for each core."""
    cluster: Annotated[str | None, arg(metavar="[ADDRESS]", help_behavior_hint="")] = None
    """Look at the pictures of --photos and --style-images on all machines of the Ray cluster at HOST:PORT,
    ray://HOST:PORT or auto, or on one begun here; flicker and speed are measured on this machine."""

    def __post_init__(self) -> None:
        """Refuse what would only fail somewhere inside; raises UsageError."""
        if self.size % 16 or not 64 <= self.size <= 1024:
            raise UsageError(f"--size {self.size} must be a multiple of 16 from 64 to 1024.")
        for name, least in (("count", 1), ("frames", 2), ("pairs", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"--{name} must be at least {least}, not {getattr(self, name)}.")
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"--threads must be at least 1, not {self.threads}.")


@dataclass
class Evaluation:
    """Figures by style and name, and everything they depend on.

    Attributes:
        photo: the same figures of the photos themselves, which no style has touched.
        styles: the figures of each style, by its label.
        facts: of each style: what identifies it.
        settings: sizes, counts, checksums, networks, versions, machine.
        set_name: of the network that compares sets, as in `FID[vgg16]`.
        notes: what was left out, and why; what to mind when reading.
        failed: a sentence for each picture that could not be read.
    """

    photo: dict[str, float] = field(default_factory=dict)
    styles: dict[str, dict[str, float]] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    set_name: str = ""
    notes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return all but `failed`, which names folders, as JSON values; a figure that is no number is null."""
        plain: dict[str, Any] = asdict(self)
        del plain["failed"]
        for figures in (plain["photo"], *plain["styles"].values()):
            figures.update({name: None for name, value in figures.items() if not np.isfinite(value)})
        return plain


def evaluate(styles: Mapping[str, Style], options: Options) -> Evaluation:
    """Measure styles, by label, on the same photographs.

    Raises:
        UsageError: a folder is missing or empty, an unknown feature network, weights that are not its own.
        SakugaError: no photo can be read, the clip is no video, or a style fails.
    """
    if not options.photos:
        raise UsageError("--photos names no folder: name folders of photographs")
    eyes = FeatureExtractors(options.features, options.weights)
    found = Evaluation(set_name=eyes.set_name, notes=eyes.notes)
    found.failed += unreadable([*options.photos, *options.style_images])
    photos = spread(find_images(options.photos), options.count)
    wanted_paths = spread(find_images(options.style_images), options.count) if options.style_images else []
    motion = _motion(options)

    target = Set()
    workers = {label: Stylizer(style, threads=options.threads) for label, style in styles.items()}
    own, pairs = Pairs(), {label: Pairs() for label in styles}
    with on_cluster(options.cluster):
        for block in in_blocks(TargetMeasure(eyes, options.size), wanted_paths, "Style pictures", options.cluster):
            target.merge(block.pictures)
            found.failed += block.failed
        for results in in_blocks(ResultMeasure(eyes, options.size, workers), photos, "Photos", options.cluster):
            own.merge(results.own)
            for label, some in results.pairs.items():
                pairs[label].merge(some)
            found.failed += results.failed
    if not own.results.count:
        raise SakugaError(f"none of the photos can be read: {found.failed[0]}")
    windows = [_pan(picture, options.size) for picture in islice(read_pictures(photos, []), PANS)]

    found.photo = own.figures() | set_distances(own.results, target, eyes.set_name) | {"flicker[pan] x1000": 0.0}
    if motion is not None:
        found.photo["flicker[clip] x1000"] = 1000 * motion[1].error(motion[0])
    for label, stylizer in workers.items():
        figures = pairs[label].figures() | set_distances(pairs[label].results, target, eyes.set_name)
        figures["flicker[pan] x1000"] = 1000 * float(np.mean([pan_error(stylizer.array, one) for one in windows]))
        if motion is not None:
            figures["flicker[clip] x1000"] = 1000 * _clip_error(stylizer, *motion)
        figures["seconds/megapixel"] = speed.seconds_per_megapixel(stylizer)
        found.styles[label] = figures
        found.facts[label] = describe(stylizer.style)
    if options.style_images:
        found.notes += few_pictures(own.results, target, eyes.set_name)
    else:
        found.notes.append("without --style-images the distances to the style (FID, KID, Gram) are left out.")
    if found.failed:
        found.notes.append(f"{len(found.failed)} pictures could not be read and do not count.")
    found.settings = settings(options, own.results, target, eyes) | {
        "photos": own.results.describe(),
        "pan": {"photos": min(PANS, own.results.count), "frames": PAN_FRAMES, "step": list(STEP)},
        "speed": {"height": speed.SIZE[0], "width": speed.SIZE[1], "runs": speed.RUNS, "threads": options.threads},
        "clip": None if motion is None else _clip_facts(options.clip, motion[0]),
    }
    return found


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    """Return at most `count` of the paths, from all over the list."""
    if len(paths) <= count:
        return list(paths)
    return [paths[i] for i in np.linspace(0, len(paths) - 1, count).round().astype(int)]


def _pan(picture: np.ndarray, size: int) -> list[np.ndarray]:
    """A pan over the picture, reduced so that the window shows as much of it as the square does."""
    reach = max(STEP) * (PAN_FRAMES - 1)
    whole = ImageOps.fit(Image.fromarray(picture), (size + reach, size + reach), Image.Resampling.BICUBIC)
    return pan(np.asarray(whole), size=size, frames=PAN_FRAMES)


def _motion(options: Options) -> tuple[list[np.ndarray], Motion] | None:
    if options.clip is None:
        return None
    frames = read_clip(options.clip, frames=options.frames, side=options.size)
    return frames, Motion(frames)


def _clip_error(painter: Stylizer, frames: Sequence[np.ndarray], motion: Motion) -> float:
    size = frames[0].shape[1::-1]
    stylized = (Image.fromarray(painter.array(frame)) for frame in frames)
    return motion.error([np.asarray(p if p.size == size else p.resize(size, Image.Resampling.BOX)) for p in stylized])


def _clip_facts(clip: Path | None, frames: Sequence[np.ndarray]) -> dict[str, Any]:
    height, width = frames[0].shape[:2]
    digest = hashlib.sha256(np.stack(frames).tobytes()).hexdigest()[:16]
    name = clip.name if clip else ""
    return {"name": name, "frames": len(frames), "size": [width, height], "sha256": digest, "flow": "TV-L1"}


def describe(style: Style) -> dict[str, Any]:
    """Return what identifies a style, for the report."""
    weights = onnx.load(style.path).graph.initializer
    card = style.card
    return {
        "name": style.name,
        "title": card.title,
        "system": card.system,
        "parameters": sum(int(np.prod(w.dims)) for w in weights if w.data_type == onnx.TensorProto.FLOAT),
        "bytes": style.size,
        "weights_sha256": card.sha256,
        "file_sha256": style.file_sha256,
    }


def few_pictures(results: Set, wanted: Set, set_name: str) -> list[str]:
    """Return what to mind of the figures of sets that are small."""
    if not wanted.rows:
        return []
    fewest = min(results.count, wanted.count)
    if fewest < FEWEST:
        return [
            f"FID and KID are left out: they need {FEWEST} pictures on either side, better hundreds; there are "
            f"{results.count} results and {wanted.count} style pictures."
        ]
    width = wanted.rows[0].shape[1]
    if fewest <= width:
        return [
            f"FID{set_name} of {fewest} pictures and {width} features is too high by much; compare it at equal "
            "counts only, or use KID."
        ]
    return []


def settings(options: Options, results: Set, wanted: Set, eyes: FeatureExtractors) -> dict[str, Any]:
    """Return what the figures of sets depend on, and the machine."""
    subset = min(SUBSET, min(results.count, wanted.count) // 2)
    return {
        "resizer": f"Pillow bicubic, centre square, {options.size}x{options.size}",
        "style_images": wanted.describe() if options.style_images else None,
        "networks": eyes.sources,
        "features": options.features,
        "kid": {"subsets": SUBSETS, "subset_size": subset, "seed": 0} if subset > 1 else None,
        "torch_threads": torch.get_num_threads(),
        "versions": versions(),
        "machine": machine(),
    }
