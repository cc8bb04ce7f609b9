"""`sakuga export`: a run becomes a style."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from sakuga import runs
from sakuga.commands.options import join_lists
from sakuga.data.images import find_images
from sakuga.errors import UsageError
from sakuga.export.int8 import QUANTIZABLE
from sakuga.export.onnx import export as export_system
from sakuga.export.palette import table
from sakuga.runtime.atomic import check_free
from sakuga.runtime.console import print_path, say
from sakuga.style.card import BEST_PIXELS, Card, as_name
from sakuga.style.store import embedded
from sakuga.systems.base import System


def main(args: Sequence[str]) -> int:
    """Run `sakuga export` with its arguments; the exit status."""
    return tyro.cli(export, args=join_lists(args, export), prog="sakuga export")


def export(
    run: Annotated[Path, tyro.conf.Positional],
    /,
    *,
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    which: Literal["last", "best"] = "last",
    network: str | None = None,
    title: str | None = None,
    licence: str = "not stated",
    data: tuple[str, ...] = (),
    set: tuple[str, ...] = (),
    half: bool = False,
    best_pixels: int = Card.best_pixels,
    underpainting: str = Card.underpainting,
    palette: str = Card.palette,
    overwrite: bool = False,
) -> int:
    """Turn a run into a style: one .onnx file that `sakuga photo.jpg -s FILE` uses.

    Args:
        run: folder of the training.
        output: the style's file; after its name the style is called.
        which: the last weights, or the best by KID, which runs with pictures of their style keep.
        network: inverse, for the way back from the style to photos, which cyclegan and ugatit learn as well.
        title: the style's name for people.
        licence: of the style.
        data: what it was trained on, each as "NAME|LICENCE|USE".
        set: fields of the system that concern the finished style, each as FIELD=VALUE: adain's picture=wave.jpg.
        half: keep the weights in 16 bits: half the file, and results that differ by less than can be seen.
        best_pixels: of a picture on which the style is at its best; much larger ones are stylised at that size and
            brought up, with the photo as guide.
        underpainting: embedded style in whose light and shade a picture is painted before, in its own colours, at the
            best quality: what is flat and outlined already comes out drawn. Videos do without.
        palette: hosoda, hayao, shinkai or paprika: the film whose greens, blues and reds the results have; greys and
            skin stay as they are.
        overwrite: replace an existing file.
    """
    sources = []
    for entry in data:
        parts = entry.split("|")
        if len(parts) != 3:
            raise UsageError(f"--data {entry!r} must read NAME|LICENCE|USE.")
        sources.append(dict(zip(("name", "licence", "use"), parts, strict=True)))
    if output.suffix != ".onnx":
        raise UsageError(f"--output {output} must end in .onnx.")
    if not BEST_PIXELS[0] <= best_pixels <= BEST_PIXELS[1]:
        raise UsageError(f"--best-pixels {best_pixels} must lie between {BEST_PIXELS[0]} and {BEST_PIXELS[1]}")
    if underpainting:
        embedded(underpainting)
    if palette:
        table(palette)
    check_free(output, overwrite)
    name = {"last": runs.LAST, "best": runs.BEST}[which]
    if which == "best" and (run / runs.LAST).is_file() and not (run / name).is_file():
        raise UsageError(f"{run} has no {name}: its samples were not judged; export --which last.")
    system = runs.build(run, name, changes=set, network=network)
    style = export_system(
        system,
        output,
        network=network,
        name=as_name(output.stem),
        title=title,
        licence=licence,
        data=sources or None,
        half=half,
        best_pixels=best_pixels,
        underpainting=underpainting,
        palette=palette,
        overwrite=overwrite,
        photos=_photos(system) if any(isinstance(part, QUANTIZABLE) for part in system.children()) else (),
    )
    print_path(style.path)
    return 0


def _photos(system: System) -> list[Path]:
    """The photos of the training, for the int8 variant; none, saying so, where they are no longer there."""
    try:
        return find_images(system.config.photos)
    except UsageError as error:
        say(f"no int8 variant, which needs photos (--set photos=FOLDER): {error}")
        return []
