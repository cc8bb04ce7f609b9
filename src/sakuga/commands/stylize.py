"""`sakuga stylize`, or just `sakuga IN...`: pictures, folders, videos and standard input."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, UseAppendAction, arg

from sakuga.errors import UsageError
from sakuga.runtime.console import counter, frame_counter, print_path, progress_bars, say
from sakuga.runtime.flags import Flag, Format, Number
from sakuga.runtime.memory import check_address_space
from sakuga.runtime.parallel import cores
from sakuga.runtime.urls import is_url, path_of
from sakuga.style import DEFAULT
from sakuga.style.session import stoppable_runs
from sakuga.stylizer import Look
from sakuga.video.options import VideoOptions, is_pattern, is_sequence, is_video_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress

    from sakuga.stylizer import Stylizer
    from sakuga.stylizer.batch import Plan, Report
    from sakuga.stylizer.jobs import Job

_START, _THREAD = 128 * 2**20, 32 * 2**20  # bytes of addresses that NumPy and ONNX Runtime take before any picture


@stoppable_runs()
def stylize(
    inputs: Annotated[Positional[list[str]], arg(metavar="IN...", help_behavior_hint="")],
    /,
    output: Annotated[str | None, arg(aliases=["-o"], metavar="OUT", help_behavior_hint="")] = None,
    style: Annotated[
        UseAppendAction[tuple[str, ...]],
        arg(aliases=["-s"], metavar="STYLE", help_behavior_hint=f"(default: {DEFAULT}; repeatable)"),
    ] = (),
    settings: Annotated[
        UseAppendAction[tuple[str, ...]], arg(name="set", metavar="NAME=VALUE", help_behavior_hint="(repeatable)")
    ] = (),
    look: Annotated[Look, arg(name="")] = Look(),  # noqa: B008 - it is frozen
    sheet: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None,
    max_pixels: Number = None,
    format: Annotated[Format | None, arg(help_behavior_hint="")] = None,
    overwrite: Flag = False,
    watch: Flag = False,
    threads: Number = None,
    jobs: Number = None,
    from_: Annotated[Path | None, arg(name="from", metavar="FILE", help_behavior_hint="")] = None,
    cluster: Annotated[str | None, arg(metavar="[ADDRESS]", help_behavior_hint="")] = None,
    manifest: Annotated[str | None, arg(metavar="FILE", help_behavior_hint="")] = None,
    video: Annotated[VideoOptions, arg(name="")] = VideoOptions(),  # noqa: B008 - likewise
) -> int:
    """Stylise pictures, folders and videos.

    Args:
        inputs: A picture, a folder, a quoted glob, a video, numbered pictures (frames/%05d.png), or - for standard
            input. An animated picture becomes a video or numbered pictures where OUT is one (-o a.mp4, -o f/%03d.png).
        output: A file (one input, a name with a suffix), a folder, or - for standard output. Without it results lie
            beside their inputs as NAME.STYLE.EXT.
        style: A name that `sakuga styles` lists, or the path of a style file; several with commas between (hosoda,cel),
            or all: a result of each. Given again, the next one is applied to the result: -s caricature -s cel.
        settings: What the style asks for beside the photo, such as hair=blond or a second picture; `sakuga info STYLE`
            lists it.
        look: How the style, of several in turn the last one, is applied.
        sheet: Write nothing but this one picture, which shows each photo and its copy in every style, reduced.
        max_pixels: Refuse pictures, and videos whose frames, have more pixels than this (by default 178956970; of a
            frame of a video 80216064).
        format: Format of the results; otherwise that of the input, or of the name after -o.
        overwrite: Replace results that exist.
        watch: Go on with what comes into the folders later, until Ctrl-C.
        threads: Threads to compute with; otherwise one for each core.
        jobs: Pictures to work on at once; otherwise one for each core.
        from_: Take more inputs from this file, one on each line.
        cluster: Work on all machines of the Ray cluster at this address (HOST:PORT, ray://HOST:PORT, auto), or on a Ray
            begun here; then IN and OUT may be addresses such as s3://bucket/folder.
        manifest: Of a run with --cluster, write a table (.parquet) of what became of each input.
        video: What is wanted of a video; pictures beside it in a folder are not concerned.
    """
    check_address_space(_START + _THREAD * cores(), "a picture")  # before libraries that print that they have none
    from sakuga.picture import SUFFIXES
    from sakuga.style.inputs import assignments
    from sakuga.stylizer.batch import Plan, is_file_name, is_many, is_video, plan
    from sakuga.stylizer.jobs import Job
    from sakuga.video.animated import becomes_video

    if from_:
        inputs = [*inputs, *_lines(from_)]
    if not inputs:
        raise UsageError("name a picture, a folder or a video, or - for standard input (sakuga --help)")
    if cluster is None and (address := next((one for one in (*inputs, output or "") if is_url(one)), None)):
        if address.lower().startswith("http"):
            raise UsageError(f"{address} is an address, and nothing is fetched: download it and name the file")
        raise UsageError(f"{address} is an address, with which only --cluster works: add it, or name a file here")
    if cluster is None and manifest:
        raise UsageError("--manifest is written of a run on a cluster: add --cluster")
    if max_pixels is not None and max_pixels < 1:
        raise UsageError(f"max_pixels must be at least 1, not {max_pixels}")
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs must be at least 1, not {jobs}")
    asked = assignments(settings)
    stylizers = {one.name: one for one in _stylizers(style, look, asked, threads)}
    into = None if output in (None, "-") else path_of(output)
    frames = _is_frames(inputs, into)
    alone = frames or not is_many(inputs)
    many = not alone or len(stylizers) > 1
    file = into if into and not many and not into.is_dir() and (into.suffix or into.exists()) else None
    if many and into and (into.is_file() or (is_file_name(into) and not into.is_dir())):
        kind = "styles" if alone else "inputs"
        raise UsageError(f"{into} is a file's name: the results of several {kind} need a folder")
    if file and format and SUFFIXES.get(file.suffix.lower(), format.upper()) != format.upper():
        raise UsageError(f"{file} would not be what its suffix says: leave out --format {format} or change the name")

    if watch and not (all(Path(one).is_dir() for one in inputs) and not (sheet or overwrite or output == "-")):
        raise UsageError("--watch is for folders, without --sheet and --overwrite: name the folders to watch")
    if watch and cluster:
        raise UsageError("--watch is of one machine: leave out --cluster")
    if "-" in inputs or output == "-":
        from sakuga.stylizer.streams import stylize_stream

        if cluster:
            raise UsageError("- stays on this machine: name files, or leave out --cluster")
        if many or frames or sheet:
            raise UsageError("- stands for one picture or one video in one style: name files instead")
        stream = partial(stylize_stream, format=format, overwrite=overwrite, max_pixels=max_pixels, video=video)
        (stylizer,) = stylizers.values()
        if written := stream(stylizer, inputs[0], into):
            print_path(written)
        return 0
    film = frames or (alone and is_video(Path(inputs[0]))) or bool(file and becomes_video(Path(inputs[0]), file))
    if alone and not film and (flags := video.given()):
        raise UsageError(f"{flags[0]} is for videos, but {inputs[0]} is a picture: leave it out")
    if format and film:
        raise UsageError(f"--format is for pictures, but {inputs[0]} becomes a video: name the output .mp4, .mkv, ...")
    if frames:
        source = Path(inputs[0])
        folder = source.absolute().parent
        targets = {one: file or (into or folder.parent) / f"{folder.name}.{one}.mp4" for one in stylizers}
        planned = Plan([Job(source, target, one) for one, target in targets.items()])
    elif file:
        planned = Plan([Job(path_of(inputs[0]), file, *stylizers)])
    else:
        planned = plan(inputs, into, [*stylizers], format, may_be_empty=watch)
    if sheet:
        from sakuga.commands.sheet import make_sheet  # with fonts, which nothing else needs

        if film:
            raise UsageError(f"--sheet is for pictures, but {inputs[0]} is a video: leave it out")
        if cluster:
            raise UsageError("--sheet is made on this machine: leave out --cluster")
        if output or format:
            raise UsageError(f"--sheet names the one file to write, {sheet}: leave out --output and --format")
        return make_sheet(planned, [*stylizers.values()], sheet, overwrite=overwrite, max_pixels=max_pixels)

    options: dict[str, Any] = {"format": format, "overwrite": overwrite, "max_pixels": max_pixels, "video": video}
    if cluster:
        from sakuga.commands.stylize_cluster import run_on_cluster

        return _summary(planned, run_on_cluster(planned.jobs, stylizers, cluster, jobs, manifest, options))
    make_file = partial(_make_file, format=format, overwrite=overwrite, max_pixels=max_pixels, video=video)
    if not many:
        (job,) = planned.jobs
        with progress_bars(film) as progress:
            make_file(job, stylizers[job.style], progress)
        print_path(job.target)
        return 0
    run_all = partial(_run, stylizers=stylizers, make_file=make_file, overwrite=overwrite)
    run_all = partial(run_all, film=film, threads=threads, jobs=jobs)
    if watch:
        from sakuga.commands.watch import watched

        told: set[str] = set()
        for _ in watched(inputs):
            run_all(plan(inputs, into, [*stylizers], format, may_be_empty=True), told=told)
    return run_all(planned)


def _run(
    planned: "Plan",
    *,
    stylizers: "dict[str, Stylizer]",
    make_file: "Callable[..., None]",
    overwrite: bool,
    film: bool,
    threads: int | None,
    jobs: int | None,
    told: set[str] | None = None,
) -> int:
    """Do all jobs of a plan and say what became of them; the exit status.

    `told`: of a folder that is watched, the failures that were told of, which is done once, and counts not at all.
    """
    from sakuga.stylizer.batch import is_video, run, staff
    from sakuga.stylizer.jobs import Job

    workers, each = staff(jobs, sum(not (film or is_video(job.source)) for job in planned.jobs), threads)
    of_many = {name: one.with_threads(each) for name, one in stylizers.items()}

    def work(job: Job) -> None:
        make_file(job, (stylizers if film or is_video(job.source) else of_many)[job.style], progress)

    with progress_bars() as progress:
        count = counter(progress, len(planned.jobs))
        report = run(planned.jobs, work, overwrite=overwrite, workers=workers, progress=count)
    return _summary(planned, report, told)


def _summary(planned: "Plan", report: "Report", told: set[str] | None = None) -> int:
    """Say what failed, unless it was told of, and how many did not; the exit status."""
    unreadable = [f"{sentence}: what is in it is left out" for sentence in planned.unreadable]
    for sentence in dict.fromkeys((*unreadable, *report.failed)):  # one that no style can read is told of once
        if told is None or sentence not in told:
            say(sentence)
    failed = len(unreadable) + len(report.failed)
    if told is None:
        counts = f"{report.done} done, {report.skipped} skipped (exist already), {failed} failed"
        say(f"{counts}; left out, as no pictures: {planned.left_out}" if planned.left_out else counts)
    else:
        told.update(unreadable, report.failed)
    return 1 if failed else 0


def _stylizers(styles: tuple[str, ...], look: Look, given: dict[str, str], threads: int | None) -> "list[Stylizer]":
    """Return what applies the styles: each of the last option's, after those of the options before it, in turn.

    Of styles in turn each is given the values of `given` that are its own. Raises UsageError for what is no style's.
    """
    from sakuga.style.choice import choose
    from sakuga.stylizer import Stylizer

    *turns, last = [choose(text) for text in styles or (DEFAULT,)]
    own: dict[str, str] = {}
    after: Stylizer | None = None
    for text, turn in zip(styles, turns, strict=False):
        if len(turn) > 1:
            raise UsageError(f"-s {text} means several styles: only the last -s of styles in turn may")
        names = {one.name for one in turn[0].card.settings}
        own |= {name: value for name, value in given.items() if name in names}
        inputs = {name: value for name, value in given.items() if name in names}
        after = Stylizer(turn[0], Look(precision=look.precision), inputs=inputs, threads=threads, after=after)
    made = []
    for one in last:
        names = {setting.name for setting in one.card.settings}
        inputs = {name: value for name, value in given.items() if name not in own or name in names}
        made.append(Stylizer(one, look, inputs=inputs, threads=threads, after=after))
    return made


def _lines(file: Path) -> list[str]:
    """The inputs that a file lists, one on each line, or as `find -print0` writes them."""
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"--from {file} cannot be read ({error.strerror}): check the path") from error
    if not (found := [line for line in text.split("\0" if "\0" in text else "\n") if line]):
        raise UsageError(f"--from {file} lists nothing: write one input on each line")
    return found


def _make_file(job: "Job", stylizer: "Stylizer", progress: "Progress | None", **options: Any) -> None:
    with frame_counter(progress, job.source.name) as count:
        stylizer.file(job.source, job.target, progress=count, **options)


def _is_frames(inputs: list[str], into: Path | None) -> bool:
    """Whether the input is the frames of one video: frames/%05d.png, or wildcards where a video is to be made."""
    (first, *more) = inputs
    return not more and is_pattern(first) and bool(is_sequence(first) or (into and is_video_target(into)))
