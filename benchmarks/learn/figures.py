"""What each kind of system is judged by: figures of pictures kept back, and the rows of its sheet."""

from pathlib import Path

import numpy as np
from PIL import Image

from learn.measures import Measures, cycle, distance
from learn.pictures import Data
from learn.trial import Trial
from sakuga.data.images import load_image
from sakuga.systems.super_resolution import reduced

Pictures = list[np.ndarray]
Figures = dict[str, float]
Judged = tuple[Figures, Figures, list[Pictures]]
"""Figures of the network, of the identity mapping, and the sheet's rows."""


def evaluate(trial: Trial, measure: Measures) -> Judged:
    """KIDMonitor a trial as it stands."""
    kinds = {"super_resolution": enlarged, "pix2pix": paired, "adain": arbitrary}
    return kinds.get(trial.name, unpaired)(trial, measure)


def enlarged(trial: Trial, measure: Measures) -> Judged:
    """LPIPS (AlexNet) to the large photo; the identity is cubic interpolation."""
    large = trial.data.large
    small = [reduced(photo, 4) for photo in large]
    drawn, plain = trial.paint(small), [bicubic(photo) for photo in small]
    figures, identity = ({"lpips": measure.sharpness(p, large)} for p in (drawn, plain))
    return figures, identity, [plain, drawn, large]


def paired(trial: Trial, measure: Measures) -> Judged:
    """L1 to the target."""
    photos, wanted = trial.data.kept_photos, trial.data.kept_painted
    drawn = trial.paint(photos)
    return {"l1": distance(drawn, wanted)}, {"l1": distance(photos, wanted)}, [photos, drawn, wanted]


def unpaired(trial: Trial, measure: Measures) -> Judged:
    """Style distance to kept pictures of the style, content distance to the photo; where two translate, their cycle."""
    photos, wanted = trial.data.kept_photos, trial.data.kept_style
    drawn = trial.paint(photos)
    # AnimeGAN learns strokes from grey pictures and keeps the photo's colours: it is judged in grey.
    style = measure.gray_style if trial.name.startswith("animegan") else measure.style
    figures = {"style": style(drawn, wanted), "content": measure.content(drawn, photos)}
    identity = {"style": style(photos, wanted), "content": 0.0}
    if "cycle" in trial.recipe.bounds:
        back = trial.trainer.system.get_submodule("inverse")
        figures["cycle"], identity["cycle"] = cycle(trial.trainer.averages["generator"], back, photos), 0.0
    return figures, identity, [photos, drawn, wanted]


def arbitrary(trial: Trial, measure: Measures) -> Judged:
    """Style distance to each of the paintings that training never saw, and content distance; means over them."""
    photos = trial.data.kept_photos[:4]
    paintings = [[load_image(path, max_side=320)] for path in trial.data.paintings]
    drawn = [trial.paint(photos, picture=path) for path in trial.data.paintings]
    styles = [measure.style(*pair) for pair in zip(drawn, paintings, strict=True)]
    figures = {"style": np.mean(styles).item(), "content": np.mean([measure.content(p, photos) for p in drawn]).item()}
    identity = {"style": np.mean([measure.style(photos, p) for p in paintings]).item(), "content": 0.0}
    return figures, identity, [photos, *drawn]


def public(trial: Trial, data: Data) -> list[Pictures]:
    """The sheet of the documentation: the samples of `examples/`, in the public domain or under CC0."""
    side = 512 if trial.name == "super_resolution" else 256
    files = sorted((Path(__file__).parents[2] / "examples").glob("*.jpg"))
    photos = [_middle(load_image(path, short_side=side), side) for path in files]
    if trial.name == "super_resolution":
        small = [reduced(photo, 4) for photo in photos]
        return [[bicubic(photo) for photo in small], trial.paint(small), photos]
    if trial.name == "adain":
        return [photos, *(trial.paint(photos, picture=path) for path in data.paintings)]
    return [photos, trial.paint(photos), [data.painter(photo) for photo in photos]]


def bicubic(photo: np.ndarray) -> np.ndarray:
    """Four times larger by cubic interpolation."""
    size = (photo.shape[1] * 4, photo.shape[0] * 4)
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BICUBIC))


def save_sheet(path: Path, rows: list[Pictures], *, side: int, titles: Pictures | None = None) -> None:
    """Write rows of at most four pictures, the middle square of each; `titles` stand before the rows but the first."""
    lines = [[_middle(picture, side) for picture in row[:4]] for row in rows]
    if titles is not None:
        blank = np.full((side, side, 3), 255, np.uint8)
        named = [blank, *(_middle(title, side) for title in titles)]
        lines = [[title, *line] for title, line in zip(named, lines, strict=True)]
    gap = ((0, 4), (0, 4), (0, 0))
    joined = [np.concatenate([np.pad(cell, gap, constant_values=255) for cell in line], axis=1) for line in lines]
    Image.fromarray(np.concatenate(joined)[:-4, :-4]).save(path, quality=85)


def _middle(picture: np.ndarray, side: int) -> np.ndarray:
    top, left = (max(0, (length - side) // 2) for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]
