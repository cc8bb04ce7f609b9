"""`sakuga stylize`, or just `sakuga IN...`: pictures, folders, videos and standard input."""

import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from sakuga.commands.console import counter, frame_counter, progress_bars, say
from sakuga.errors import UsageError
from sakuga.style import DEFAULT
from sakuga.video.options import VideoOptions, is_pattern, is_sequence, is_video_target

if TYPE_CHECKING:
    pass

Flag = Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")]
Format = Literal["jpeg", "png", "webp", "tiff", "avif", "gif"]
Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]


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
    from sakuga.picture import MAX_PIXELS, SUFFIXES
    from sakuga.stylizer import Stylizer
    from sakuga.stylizer.batch import Job, is_many, is_video, plan, run, staff

    if not inputs:
        raise UsageError("name a picture, a folder or a video, or - for standard input (sakuga --help)")
    if max_pixels is not None and max_pixels < 1:
        raise UsageError(f"max_pixels must be at least 1, not {max_pixels}")
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs must be at least 1, not {jobs}")
    limit = max_pixels or MAX_PIXELS
    make = partial(Stylizer, strength=strength, keep_color=keep_color, max_side=max_side, precision=precision)
    stylizer = make(style, threads=threads)
    name = stylizer.style.name
    into = None if output in (None, "-") else Path(output)
    frames = _is_frames(inputs, into)
    many = is_many(inputs) and not frames
    file = into if into and not many and not into.is_dir() and (into.suffix or into.exists()) else None
    if many and into and into.is_file():
        raise UsageError(f"{into} is a file: the results of several inputs need a folder")
    if file and format and SUFFIXES.get(file.suffix.lower(), format.upper()) != format.upper():
        raise UsageError(f"{file} would not be what its suffix says: leave out --format {format} or change the name")

    if "-" in inputs or output == "-":
        from sakuga.stylizer.streams import stylize_stream

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
        with frame_counter(progress, job) as count:
            make_file = partial(stylizer.file, format=format, overwrite=overwrite, max_pixels=limit, video=video)
            make_file(job.source, job.target, progress=count)

    if not many:
        if frames:
            folder = Path(inputs[0]).absolute().parent
            job = Job(Path(inputs[0]), file or (into or folder.parent) / f"{folder.name}.{name}.mp4")
        else:
            job = Job(Path(inputs[0]), file) if file else plan(inputs, into, name, format)[0]
        with progress_bars(frames or is_video(job.source)) as progress:
            work(job)
        print(job.target)
        return 0
    planned = plan(inputs, into, name, format)
    workers, each = staff(jobs, sum(not is_video(job.source) for job in planned), threads)
    one_of_many = make(stylizer.style, threads=each)

    def share(job: Job) -> None:
        work(job, stylizer if is_video(job.source) else one_of_many)

    with progress_bars() as progress:
        count = counter(progress, len(planned))
        report = run(planned, share, overwrite=overwrite, workers=workers, progress=count)
    for sentence in report.failed:
        say(sentence)
    say(f"{len(report.done)} done, {len(report.skipped)} skipped (exist already), {len(report.failed)} failed")
    return 1 if report.failed else 0


def _is_frames(inputs: list[str], into: Path | None) -> bool:
    """Whether the input is the frames of one video: frames/%05d.png, or wildcards where a video is to be made."""
    (first, *more) = inputs
    return not more and is_pattern(first) and bool(is_sequence(first) or (into and is_video_target(into)))
