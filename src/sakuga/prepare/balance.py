"""`sakuga prepare balance`: brightness and colour of a style's pictures against those of the photographs."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from skimage.color import lab2rgb, rgb2lab
from tyro.conf import arg

from sakuga.data.images import load_image
from sakuga.errors import SakugaError, UsageError
from sakuga.prepare.files import find, save
from sakuga.prepare.glance import glance
from sakuga.prepare.manifest import Row
from sakuga.prepare.runner import describe, parallel, work
from sakuga.runtime.console import print_table, say

SIDE = 256
"""Longer side to which pictures are reduced before they are measured."""

CHANNELS = ("L, dark to light", "a, green to red", "b, blue to yellow")

FAR = 8.0
"""A difference of means in Lab that anybody sees."""


class Statistics(NamedTuple):
    """Mean and standard deviation of L, a, b over all pixels of a set, every picture counting the same."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


def balance(
    *,
    photos: tuple[Path, ...],
    style: tuple[Path, ...],
    correct: bool = False,
    output: Annotated[Path | None, arg(aliases=["-o"], metavar="DIR")] = None,
    workers: int | None = None,
    overwrite: bool = False,
) -> int:
    """Compare brightness and colour of a style's pictures with the photographs'; with --correct make copies that match.

    A GAN learns the colours of its style set, so a dark or yellowish one makes every photo dark or yellowish. All
    numbers are CIE Lab, L from 0 to 100. The correction is one for the whole set, so that pictures keep their
    differences: for each of L, a and b, x becomes (x - mean of style) * std of photos / std of style + mean of photos;
    colours that no screen can show are cut (Reinhard et al., "Color Transfer between Images", 2001, but in Lab and over
    sets).

    Args:
        photos: folders of photographs.
        style: folders of pictures in the style.
        correct: write corrected copies of the style's pictures, PNG.
        output: folder of the copies, with the tree of --style below it.
        workers: processes; by default one for each core.
        overwrite: make again what is there.
    """
    if correct != (output is not None):
        raise UsageError("--correct and -o DIR belong together: name a folder for the copies, or leave both out")
    style_files = find(style, output)
    wanted, lost_photos = measure([file.source for file in find(photos)], "photos", workers)
    found, lost_style = measure([file.source for file in style_files], "style", workers)
    sets = {"photos": wanted, "style": found}
    status = 1 if lost_photos or lost_style else 0
    if output is not None:
        means = ",".join(f"{value:.2f}" for part in (*wanted, *found) for value in part)
        function = partial(_correct, found, wanted)
        recipe = describe("balance", lab=means)
        status |= work(style_files, function, output, recipe=recipe, workers=workers, overwrite=overwrite)
        sets["corrected"], _ = measure([file.source for file in find([output])], "corrected", workers)
    rows = (
        (channel, *(f"{one.mean[i]:.1f} ± {one.std[i]:.1f}" for one in sets.values()))
        for i, channel in enumerate(CHANNELS)
    )
    print_table(rows, ("Lab, mean ± std", *sets))
    if output is None:
        print(_advice(wanted, found))
    return status


def measure(paths: Sequence[Path], title: str, workers: int | None) -> tuple[Statistics, int]:
    """Return the statistics of some pictures and how many could not be read, each of which is reported.

    With E over the pictures of the means over their pixels: mean = E[x], std = √(E[x²] - E[x]²).

    Raises:
        SakugaError: none can be read.
    """
    moments, lost = [], 0
    for _, result in parallel(_moments, paths, title=title, workers=workers):
        if isinstance(result, SakugaError):
            say(result)
            lost += 1
        else:
            moments.append(result)
    if not moments:
        raise SakugaError(f"none of the {lost} pictures of {title} can be read; name other folders")
    mean, square = np.mean(moments, axis=0)
    std = np.sqrt(np.maximum(square - mean**2, 0))
    return Statistics(tuple(mean.tolist()), tuple(std.tolist())), lost


def _moments(path: Path) -> np.ndarray:
    lab = rgb2lab(glance(path, SIDE))
    moments: np.ndarray = np.stack([lab.mean((0, 1)), (lab**2).mean((0, 1))])
    return moments


def match(picture: np.ndarray, found: Statistics, wanted: Statistics) -> np.ndarray:
    """Move a picture (H, W, 3) uint8 of a set with the statistics `found` towards a set with those `wanted`.

    x' = (x - mean_found) std_wanted / std_found + mean_wanted for each of L, a, b; a channel without variation is only
    moved. Colours outside sRGB are cut.
    """
    lab = rgb2lab(picture.astype(np.float32) / 255)
    spread = np.asarray(found.std)
    scale = np.where(spread > 0.1, np.asarray(wanted.std) / np.maximum(spread, 0.1), 1.0)
    moved = (lab - found.mean) * scale + wanted.mean
    moved[..., 0] = moved[..., 0].clip(0, 100)
    matched: np.ndarray = (lab2rgb(moved).clip(0, 1) * 255).round().astype(np.uint8)
    return matched


def _correct(found: Statistics, wanted: Statistics, source: Path, target: Path) -> Sequence[Row]:
    result = target.with_name(f"{target.name}.png")
    save(match(load_image(source), found, wanted), result)
    return [Row(str(result))]


def _advice(wanted: Statistics, found: Statistics) -> str:
    words = (("darker", "lighter"), ("greener", "redder"), ("bluer", "yellower"))
    told = [
        f"{abs(f - w):.0f} {word[f > w]}"
        for f, w, word in zip(found.mean, wanted.mean, words, strict=True)
        if abs(f - w) >= FAR
    ]
    if not told:
        return f"The style is within {FAR:.0f} of the photos in every channel: nothing to correct."
    return (
        f"The style is {' and '.join(told)} than the photos, and so will be what is trained with it; "
        "--correct -o DIR makes copies that match."
    )
