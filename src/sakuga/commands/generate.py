"""`sakuga generate`: pictures from noise."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import DisallowNone, Positional, UseAppendAction, arg

from sakuga.errors import UsageError
from sakuga.picture import Frame, Picture, write
from sakuga.picture.pixels import Array
from sakuga.runtime.atomic import check_free
from sakuga.runtime.console import counter, print_path, progress_bars
from sakuga.runtime.flags import Flag, Number
from sakuga.style import Style, load
from sakuga.style.inputs import assignments
from sakuga.style.session import stoppable_runs
from sakuga.stylizer.generate import Generator, contact_sheet

if TYPE_CHECKING:
    from sakuga.evaluation.steered import FromLatents

COUNT, POINTS = 64, 8
RATE, SECONDS = Fraction(25), 2
"""Frames a second of a walk, and seconds from point to point."""
MIN_SIDE = 256
"""Shorter side in pixels that smaller pictures are enlarged to, a whole number of times, in a video."""


def main(args: Sequence[str]) -> int:
    """Run `sakuga generate` with its arguments; the exit status."""
    return tyro.cli(generate, args=list(args), prog="sakuga generate", config=(DisallowNone,))


@stoppable_runs()
def generate(
    style: Annotated[Positional[str], arg(metavar="STYLE|RUN")],
    /,
    *,
    count: Annotated[int | None, arg(aliases=["-n"], metavar="N", help_behavior_hint="")] = None,
    seed: Annotated[int, arg(metavar="N")] = 0,
    latent: Annotated[UseAppendAction[tuple[Path, ...]], arg(metavar="FILE", help_behavior_hint="")] = (),
    set: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="NAME=VALUE", help_behavior_hint="")] = (),
    sheet: Flag = False,
    walk: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None,
    output: Annotated[Path | None, arg(aliases=["-o"], metavar="PATH", help_behavior_hint="")] = None,
    which: Literal["last", "best"] = "last",
    overwrite: Flag = False,
    threads: Number = None,
) -> int:
    """Make pictures with a style that needs no photo, each from noise of its own. The same seed makes the same picture.

    Where a style is given a class that --set does not name, every class has its turn. Of several
    instructions, with "then" between, the pictures after each stand in a row.

    Args:
        style: A style's name or file, or the folder of a training.
        count: How many pictures, by default 64; with --walk how many points it passes, by default 8.
        seed: Of the first picture; the others have the numbers that follow.
        latent: FILE.npz that `sakuga project` left, in place of noise. May be repeated, as for a --walk between two.
        set: Value of one of the style's inputs, such as hair=blond; `sakuga info STYLE` lists them. May be repeated.
        sheet: Lay all pictures out on one.
        walk: Make a video (.mp4, .mkv, .webm, .gif) that walks from picture to picture and back to the first.
        output: Folder of the pictures, by default STYLE.pictures, or a file: of a sheet, or of one picture.
        which: Of a training, the last weights or the best by KID.
        overwrite: Replace results that exist.
        threads: Threads to compute with; otherwise one for each core.
    """
    if (count is not None and count < 1) or seed < 0:
        raise UsageError("--count must be at least 1 and --seed at least 0")
    if walk is not None and (sheet or output is not None):
        raise UsageError(f"--walk names its file, {walk}: leave out {'--sheet' if sheet else '--output'}")
    if latent and (count is not None or seed):
        raise UsageError("--latent says which pictures are made: leave out --count and --seed")
    given = assignments(set)
    with tempfile.TemporaryDirectory(prefix="sakuga-") as scratch:
        generator: Generator | FromLatents
        if latent:
            from sakuga.evaluation import steered

            generator, count = steered.FromLatents(style, which, latent, given, threads=threads), len(latent)
        else:
            generator = Generator(_load(style, which, Path(scratch)), given, turns=True, threads=threads)
        if walk is not None:
            check_free(walk, overwrite)
            _walk(generator, range(seed, seed + (count or POINTS)), walk, overwrite)
            print_path(walk)
            return 0
        seeds = range(seed, seed + (count or COUNT)) if generator.drawn else range(seed, seed + 1)
        targets = _targets(generator.name, seeds, sheet, output)
        for target in targets:  # said before the work, not after it
            check_free(target, overwrite)
        pictures = _counted(map(generator, seeds), len(seeds))
        for target, picture in zip(targets, [contact_sheet([*pictures])] if sheet else pictures, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            write(Picture([Frame(picture)]), target, overwrite=overwrite)
    print_path(targets[0] if len(targets) == 1 else targets[0].parent)
    return 0


def _load(name: str, which: Literal["last", "best"], scratch: Path) -> Style:
    """Load a style; a training becomes one in the folder `scratch`."""
    if not Path(name).is_dir():
        return load(name)
    from sakuga.evaluation.given import styles

    return next(iter(styles([name], which=which, scratch=scratch).values()))


def _targets(name: str, seeds: Sequence[int], sheet: bool, output: Path | None) -> list[Path]:
    """Return the files to write: a sheet, or a picture for each seed."""
    if output is not None and output.suffix and not output.is_dir():
        if len(seeds) > 1 and not sheet:
            raise UsageError(f"{output} is one file for {len(seeds)} pictures: name a folder, or add --sheet or -n 1")
        return [output]
    if sheet:
        return [(output or Path()) / f"{name}.sheet.png"]
    return [(output or Path(f"{name}.pictures")) / f"{name}.{seed:04}.png" for seed in seeds]


def _walk(generator: "Generator | FromLatents", seeds: Sequence[int], target: Path, overwrite: bool) -> None:
    from sakuga.video.frames import write_frames

    steps = int(RATE * SECONDS)

    def enlarged(picture: Array) -> Array:
        factor = max(1, -(-MIN_SIDE // min(picture.shape[:2])))
        return picture.repeat(factor, 0).repeat(factor, 1)

    frames = _counted(map(enlarged, generator.walk(seeds, steps)), len(seeds) * steps)
    write_frames(frames, target, rate=RATE, overwrite=overwrite)


def _counted(things: Iterable[Array], total: int) -> Iterator[Array]:
    """Yield things, with a progress bar."""
    with progress_bars() as progress:
        advance = counter(progress, total)
        for one in things:
            yield one
            if advance:
                advance()
