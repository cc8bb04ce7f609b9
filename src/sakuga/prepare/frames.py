"""`sakuga prepare frames`: films become pictures, a few sharp ones of every scene."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from av import VideoFrame

from sakuga.errors import SakugaError, UsageError
from sakuga.prepare import quality
from sakuga.prepare.cuts import Cuts, Scene, Shot
from sakuga.prepare.files import File, find, save
from sakuga.prepare.films import Film, find_films
from sakuga.prepare.hashes import distances, phash
from sakuga.prepare.manifest import Manifest, Row
from sakuga.prepare.options import Cluster, Flag, Inputs, Number, Output
from sakuga.prepare.runner import describe, parallel, summary
from sakuga.runtime.console import track


class Seen(NamedTuple):
    """A frame, its number in the film, and what it looks like: (H, W) uint8, small."""

    number: int
    frame: VideoFrame
    grey: np.ndarray


def frames(
    films: Inputs,
    /,
    *,
    output: Output,
    per_scene: int = 2,
    size: Number = None,
    format: Literal["png", "jpg"] = "png",
    blur: float = 0.1,
    similar: int = 10,
    cluster: Cluster = None,
    overwrite: Flag = False,
) -> int:
    """Take frames from films: a few sharp ones of every scene, each as FILM-NUMBER.png.

    Left out, with the reason in DIR/manifest.csv: blurred, black and white frames, credits (bright text on an even
    ground) and frames that look like an earlier one of the film. Black bars are cut off. Night scenes are kept and
    marked "night" in the manifest. The same command goes on after an interruption; finished films are not read again.

    Args:
        films: videos, or folders of them.
        output: folder of the pictures.
        per_scene: frames of each scene, at most.
        size: reduce pictures whose shorter side is longer than this.
        format: of the pictures; jpg is a third of the size, with quality 95.
        blur: a frame is blurred if its sharpness (variance of the Laplacian) is below this share of the film's median;
            0 keeps all.
        similar: frames are alike if at most this many of the 64 bits of their perceptual hashes differ; -1 keeps all.
        cluster: work on all machines of the Ray cluster at HOST:PORT, ray://HOST:PORT or auto, or on one begun here.
        overwrite: make again what is there.
    """
    if per_scene < 1 or (size is not None and size < 1):
        raise UsageError("--per-scene and --size must be at least 1")
    files = find(films, output, files=find_films(films))
    recipe = describe("frames", per_scene=per_scene, size=size, format=format, blur=blur, similar=similar)
    manifest = Manifest(output, recipe, again=[file.source for file in files] if overwrite else None)
    todo = [file for file in files if file.source not in manifest]
    made: list[Row] = []
    take = partial(_film, out=output, per_scene=per_scene, size=size, format=format, blur=blur, similar=similar)
    each: Iterable[tuple[File, list[Row] | SakugaError]] = ((file, take(file)) for file in todo)
    if cluster is not None:
        each = parallel(take, todo, title="frames", cluster=cluster, shared=[output])
    for file, found in each:
        rows = [Row("", "failed", str(found))] if isinstance(found, SakugaError) else found
        manifest.add(file.source, rows)
        made += rows
    return summary(output, made, before=len(files) - len(todo))


def _film(file: File, **options: Any) -> list[Row]:
    return [*_rows(file, **options)]


def _rows(
    file: File, out: Path, per_scene: int, size: int | None, format: str, blur: float, similar: int
) -> Iterator[Row]:
    """Write the frames of one film and yield a row for each that was chosen."""
    kept = np.zeros(0, np.uint64)
    all_sharpness: list[float] = []
    try:
        film = Film(file.source)
        for scene in _scenes(film, all_sharpness):
            for shot in scene.best(per_scene):
                target = f"{file.name.as_posix()}-{shot.frame.number:06d}.{format}"
                grey, hashed = shot.frame.grey, phash(shot.frame.grey)
                why = _fault(shot, film.typical(all_sharpness), blur)
                if not why and (distances(hashed, kept) <= similar).any():
                    why = "like an earlier frame"
                if why:
                    yield Row(target, "no", why)
                    continue
                kept = np.append(kept, hashed)
                (out / target).parent.mkdir(parents=True, exist_ok=True)
                save(film.picture(shot.frame.frame, size), out / target)
                yield Row(target, "yes", "night" if quality.is_night(grey) else "")
    except SakugaError as error:
        yield Row("", "failed", str(error))


def _scenes(film: Film, all_sharpness: list[float]) -> Iterator[Scene[Seen]]:
    """Yield every scene, also the one in which a film breaks off; fill `all_sharpness` with that of every frame."""
    cuts, scene, broken = Cuts(), Scene[Seen](), None
    try:
        for number, frame in enumerate(track(film.frames(), film.path.name, film.length)):
            yuv = film.look(frame)
            if cuts(yuv):
                yield scene
                scene = Scene()
            sharpness = quality.sharpness(yuv[0])
            if not quality.is_black(yuv[0]):
                all_sharpness.append(sharpness)
            scene.add(sharpness, Seen(number, frame, yuv[0]))
        if not scene.count:
            raise SakugaError(f"{film.path} has no frame that can be decoded: get a whole copy of it")
    except SakugaError as error:
        broken = error
    yield scene
    if broken is not None:
        raise broken


def _fault(shot: Shot[Seen], typical: float, blur: float) -> str:
    grey = shot.frame.grey
    if quality.is_credits(grey):  # before black: there is little of the text
        return "credits"
    if quality.is_black(grey):
        return "black"
    if quality.is_white(grey):
        return "white"
    if shot.sharpness < blur * typical:
        return f"blurred ({shot.sharpness / typical:.3f} of the film's sharpness)"
    return ""
