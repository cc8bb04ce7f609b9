"""The command `sakuga`: one function per verb, each a few lines over a public function."""

import json as json_
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import DisallowNone, FlagCreatePairsOff, Positional, arg

from sakuga.errors import SakugaError, UsageError
from sakuga.style import DEFAULT
from sakuga.verbs import VERBS
from sakuga.verbs import run as run_verb
from sakuga.video.options import VideoOptions, is_pattern, is_sequence, is_video_target

if TYPE_CHECKING:
    from rich.progress import Progress

    from sakuga.batch import Job

Flag = Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")]
Format = Literal["jpeg", "png", "webp", "tiff", "avif", "gif"]
Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]

USAGE = "Turns pictures and video into anime, cartoon and painting: sakuga IN... [options] is short for sakuga stylize."


def stylize(
    inputs: Annotated[Positional[list[str]], arg(metavar="IN...", help_behavior_hint="")],
    /,
    output: Annotated[str | None, arg(aliases=["-o"], metavar="OUT", help_behavior_hint="")] = None,
    style: Annotated[str, arg(aliases=["-s"], metavar="STYLE")] = DEFAULT,
    strength: float = 1.0,
    keep_color: Flag = False,
    max_side: Number = None,
    max_pixels: Number = None,
    format: Annotated[Format | None, arg(help_behavior_hint="")] = None,
    overwrite: Flag = False,
    threads: Number = None,
    jobs: Number = None,
    precision: Literal["auto", "fp32", "int8", "bf16"] = "auto",
    video: Annotated[VideoOptions, arg(name="")] = VideoOptions(),  # noqa: B008 - it is frozen
) -> int:
    """Stylise pictures, folders and videos.

    Args:
        inputs: A picture, a folder, a quoted glob, a video, numbered pictures (frames/%05d.png), or - for standard
            input.
        output: A file (one input, a name with a suffix), a folder, or - for standard output. Without it results lie
            beside their inputs as NAME.STYLE.EXT.
        style: A name that `sakuga styles` lists, or the path of a style file.
        strength: From 0, the photo itself, to 1, the full style.
        keep_color: Keep the colours of the photo.
        max_side: Reduce pictures so that neither side is longer than this.
        max_pixels: Refuse pictures that have more pixels than this (by default 178956970).
        format: Format of the results; otherwise that of the input, or of the name after -o.
        overwrite: Replace results that exist.
        threads: Threads to compute with; otherwise one for each core.
        jobs: Pictures to work on at once; otherwise one for each core.
        precision: Arithmetic of the network; auto takes what is fast on this machine.
        video: What is wanted of a video; pictures beside it in a folder are not concerned.
    """
    from sakuga import image
    from sakuga.batch import Job, is_many, is_video, plan, run, staff
    from sakuga.stylizer import Stylizer

    if not inputs:
        raise UsageError("name a picture, a folder or a video, or - for standard input (sakuga --help)")
    if max_pixels is not None and max_pixels < 1:
        raise UsageError(f"max_pixels must be at least 1, not {max_pixels}")
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs must be at least 1, not {jobs}")
    limit = max_pixels or image.MAX_PIXELS
    make = partial(Stylizer, strength=strength, keep_color=keep_color, max_side=max_side, precision=precision)
    stylizer = make(style, threads=threads)
    name = stylizer.style.name
    into = None if output in (None, "-") else Path(output)
    frames = _is_frames(inputs, into)
    many = is_many(inputs) and not frames
    file = into if into and not many and not into.is_dir() and (into.suffix or into.exists()) else None
    if many and into and into.is_file():
        raise UsageError(f"{into} is a file: the results of several inputs need a folder")
    if file and format and image.SUFFIXES.get(file.suffix.lower(), format.upper()) != format.upper():
        raise UsageError(f"{file} would not be what its suffix says: leave out --format {format} or change the name")

    if "-" in inputs or output == "-":
        from sakuga.streams import stylize_stream

        if many or frames:
            raise UsageError("- stands for one picture or one video: name no other input and no folder with it")
        stream = partial(stylize_stream, format=format, overwrite=overwrite, max_pixels=limit, video=video)
        if written := stream(stylizer, inputs[0], into):
            print(written)
        return 0
    if not (many or frames or is_video(Path(inputs[0]))) and (flags := video.given()):
        raise UsageError(f"{flags[0]} is for videos, but {inputs[0]} is a picture: leave it out")
    if format and (frames or (not many and is_video(Path(inputs[0])))):
        raise UsageError(f"--format is for pictures, but {inputs[0]} is a video: name the output .mp4, .mkv or .webm")
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: a video goes on another time

    def work(job: Job, stylizer: Stylizer = stylizer) -> None:
        with _frames(progress, job) as count:
            make_file = partial(stylizer.file, format=format, overwrite=overwrite, max_pixels=limit, video=video)
            make_file(job.source, job.target, progress=count)

    if not many:
        if frames:
            folder = Path(inputs[0]).absolute().parent
            job = Job(Path(inputs[0]), file or (into or folder.parent) / f"{folder.name}.{name}.mp4")
        else:
            job = Job(Path(inputs[0]), file) if file else plan(inputs, into, name, format)[0]
        with _progress(frames or is_video(job.source)) as progress:
            work(job)
        print(job.target)
        return 0
    planned = plan(inputs, into, name, format)
    workers, each = staff(jobs, sum(not is_video(job.source) for job in planned), threads)
    one_of_many = make(stylizer.style, threads=each)

    def share(job: Job) -> None:
        work(job, stylizer if is_video(job.source) else one_of_many)

    with _progress() as progress:
        count = _counter(progress, len(planned))
        report = run(planned, share, overwrite=overwrite, workers=workers, progress=count)
    for sentence in report.failed:
        _say(sentence)
    _say(f"{len(report.done)} done, {len(report.skipped)} skipped (exist already), {len(report.failed)} failed")
    return 1 if report.failed else 0


def _is_frames(inputs: list[str], into: Path | None) -> bool:
    """Whether the input is the frames of one video: frames/%05d.png, or wildcards where a video is to be made."""
    (first, *more) = inputs
    return not more and is_pattern(first) and bool(is_sequence(first) or (into and is_video_target(into)))


def styles(json: Flag = False) -> int:
    """List the styles: the embedded ones and those in your folder.

    Args:
        json: Print everything that is known about them, as JSON.
    """
    from sakuga.style import Style, folder, survey

    found = []
    for style in survey():
        if isinstance(style, Style):
            found.append(style)
        else:
            _say(f"left out: {style}")
    if json:
        print(json_.dumps([style.describe() for style in found], indent=2, ensure_ascii=False))
        return 0
    from rich.table import Table

    table = Table("name", "title", "licence", "made by", "from", "size", "sha-256", box=None, pad_edge=False)
    for style in found:
        card = style.card
        made_from = ", ".join(one["name"] for one in card.data)
        size = f"{style.size / 1e6:.1f} MB"
        table.add_row(style.name, card.title, card.licence, card.system, made_from, size, style.file_sha256[:12])
    _print_table(table)
    _say(f"your own styles belong in {folder()}")
    return 0


def info(style: Annotated[Positional[str], arg(metavar="FILE.onnx|NAME")], /, json: Flag = False) -> int:
    """Show the card of one style.

    Args:
        style: The name of a style or the path of its file.
        json: Print it as JSON.
    """
    from sakuga.style import load

    facts = load(style).describe()
    if json:
        print(json_.dumps(facts, indent=2, ensure_ascii=False))
        return 0
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    for key, value in facts.items():
        values = value if isinstance(value, list) else [value]
        lines = [
            ", ".join(f"{k}: {v}" for k, v in one.items()) if isinstance(one, dict) else str(one) for one in values
        ]
        table.add_row(key.replace("_", " "), "\n".join(lines))
    _print_table(table)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 for failures, 2 for wrong usage, 130 after Ctrl-C."""
    args = list(sys.argv[1:] if argv is None else argv)
    if not args:
        main(["--help"])
        return 2
    try:
        return _dispatch(args)
    except SystemExit as end:  # of tyro, after --help or wrong usage, which it has explained
        return end.code if isinstance(end.code, int) else 1
    except SakugaError as error:
        _say(str(error))
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:  # whoever read our output has left; Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        _say(f"{error.filename or 'the system'}: {error.strerror or error}")
        return 1
    except KeyboardInterrupt as error:
        _say(str(error) or "interrupted")
        return 130


def _dispatch(args: list[str]) -> int:
    verbs: dict[str, Callable[..., int]] = {"stylize": stylize, "styles": styles, "info": info}
    if args == ["--version"]:
        from sakuga import __version__

        print(f"sakuga {__version__}")
        return 0
    if args[0] in VERBS:
        return run_verb(args[0], args[1:])
    if args[0] not in (*verbs, "-h", "--help"):
        args = ["stylize", *args]
    for name, verb in VERBS.items():  # they stand in the help; they are run above, each parsing its own options
        verbs[name] = _stand_in(name, verb.help)
    status: int = tyro.extras.subcommand_cli_from_dict(
        verbs, prog="sakuga", description=USAGE, args=args, config=(DisallowNone,)
    )
    return status


def _stand_in(verb: str, help: str) -> Callable[[], int]:
    def stand_in() -> int:
        raise AssertionError(f"{verb} is dispatched before options are parsed")

    stand_in.__doc__ = help
    return stand_in


@contextmanager
def _progress(wanted: bool = True) -> "Iterator[Progress | None]":
    """Yield progress bars on standard error, or None where that is no terminal."""
    if not (wanted and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    # Rich may print our results above its bars when they go to the terminal, but must not swallow them in a pipe.
    redirect = sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=redirect) as progress:
        yield progress


def _counter(progress: "Progress | None", total: int) -> Callable[[], None] | None:
    """Return what counts the files of a folder in a bar of its own."""
    if progress is None:
        return None
    task = progress.add_task("all", total=total)
    return lambda: progress.advance(task)


@contextmanager
def _frames(progress: "Progress | None", job: "Job") -> "Iterator[Callable[[int, int | None], None] | None]":
    """Yield what a video reports its frames to: a bar of its own that appears with the first."""
    if progress is None:
        yield None
        return
    task = progress.add_task(job.source.name, total=None, visible=False)
    yield lambda done, total: progress.update(task, completed=done, total=total, visible=True)
    progress.remove_task(task)


def _print_table(table: object) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 200  # a pipe has no width; lines are for programs there
    console.print(table)


def _say(sentence: str) -> None:
    print(f"sakuga: {sentence}", file=sys.stderr, flush=True)
