"""From a source of frames to the result, of whatever kind both are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sakuga.errors import IncompleteError, SakugaError, UsageError
from sakuga.picture import MAX_PIXELS, READABLE_SUFFIXES
from sakuga.runtime.atomic import atomic, rename
from sakuga.runtime.console import say
from sakuga.runtime.memory import check_address_space
from sakuga.runtime.parallel import cores
from sakuga.video.animated import AnimatedSource
from sakuga.video.animation import write_animation
from sakuga.video.container import MAX_FRAME_PIXELS
from sakuga.video.damage import Damage
from sakuga.video.encoder import Encoder
from sakuga.video.mux import Muxer
from sakuga.video.numbered import NumberedSource, write_numbered
from sakuga.video.options import ANIMATIONS, CONTAINERS, VideoOptions, is_pattern, is_sequence
from sakuga.video.segments import LENGTH, State, WorkFolder
from sakuga.video.source import FileSource
from sakuga.video.stylizing import FrameStylizer, Progress, Source, Stylize, Track
from sakuga.video.timed_frames import Pixels, StreamInfo, TimedFrame

# Bytes of addresses that libraries, their threads and each pixel of a frame take: more than was measured.
_START, _THREAD, _PIXEL = 384 * 2**20, 64 * 2**20, 256


def stylize_video(
    source: Path,
    target: Path,
    stylize: Stylize,
    *,
    scale: int = 1,
    workers: int = 1,
    max_side: int | None = None,
    max_pixels: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    options: VideoOptions | None = None,
    identity: Mapping[str, Any] | None = None,
    track: Track | None = None,
    warn: Callable[[str], None] = say,
) -> None:
    """Write `source` to `target` with `stylize` applied to every frame.

    `stylize` maps RGB (H, W, 3) uint8, upright, to (scale · H, scale · W, 3); `workers` threads call it at once.
    `track`, of styles for faces, is called with one frame after the other, and `stylize` with what it says of a frame.
    `progress` is called after each frame with the number done and about how many there are (None where the file does
    not tell). `source` is a video, numbered pictures (a name such as %05d.png, or with wildcards) or an animated
    picture. `target` is a video (CONTAINERS), an animated picture (ANIMATIONS) or numbered pictures.

    In a video each frame keeps its timestamp and time base (Matroska counts in milliseconds; the clock of an MPEG
    stream is made to start at 0), unless `options.fps` asks for a rhythm of its own. Sound is copied packet by packet,
    subtitles too where the container holds their kind, and chapters. A rotation is applied; the matrix is kept (BT.709
    or BT.601 by height where the source names none); HDR becomes BT.709. The size is exact: H.264 can halve the
    resolution of colour only at even sizes, so odd ones are written as yuv444p, which not every player shows;
    `max_side` reduces to even sizes.

    Frames and pictures of more than `max_pixels` are refused before memory is taken for them; None: MAX_FRAME_PIXELS of
    a video, as many as of any other picture of a numbered one.

    `identity` says what `stylize` is, in words that JSON holds. With it, a run that was killed or interrupted leaves
    its finished segments beside the target, and the same call goes on from there; the result is the same.

    Raises UsageError for another suffix or options that do not fit it, SakugaError when the source is missing or no
    video and when `target` exists or cannot be written. Then, and when `stylize` raises, no result is left. Raises
    IncompleteError when a source that is damaged or cut off was written as far as it can be read.
    """
    source, target, options = Path(source), Path(target), options or VideoOptions()
    _check(source, target, options)
    check_address_space(_START + _THREAD * cores(), "a video")
    frames: Source
    if is_pattern(source):
        frames = NumberedSource(source, options, max_side, max_pixels or MAX_PIXELS)
    elif source.suffix.lower() in READABLE_SUFFIXES:
        pages = is_sequence(target)
        frames = AnimatedSource(source, options, max_side, pages=pages, max_pixels=max_pixels or MAX_PIXELS)
    else:
        limit = max_pixels or MAX_FRAME_PIXELS
        frames = FileSource(source, max_side=max_side, options=options, warn=warn, max_pixels=limit)

    check_address_space(_THREAD * cores() + _PIXEL * frames.info.width * frames.info.height, "this video")
    stylizer = partial(FrameStylizer, frames, stylize, scale, workers=workers, stable=options.stable, progress=progress)
    stylizer = partial(stylizer, track=track)
    sound = Damage()
    info = replace(frames.info, width=frames.info.width * scale, height=frames.info.height * scale)
    if is_sequence(target):
        alpha = frames.alpha if isinstance(frames, AnimatedSource) else None
        with write_numbered(target, alpha=alpha, overwrite=overwrite) as write:
            stylizer().run(write)
    elif target.suffix.lower() in ANIMATIONS:
        with atomic(target, overwrite=overwrite) as temporary:
            stylizer().run(partial(write_animation, temporary, info))
    else:
        codec = options.codec_for(target)
        codec = codec.in_order() if info.variable else codec
        with atomic(target, overwrite=overwrite) as temporary:
            temporary.unlink()  # a kill would leave it; until the end all work is in a folder that may be left
            file = source if isinstance(frames, FileSource) else None
            muxer = Muxer(file, target, info, codec, options, warn)
            known = file and identity and facts_of(file, info, options, identity)
            with _work_folder(target, known or None) as work:
                done = work.finished
                work.cut(done)  # what processes that shared the work left behind a gap is made again
                state = work.state() if done and (options.stable or track) else None
                make = partial(Encoder, info, codec, options.crf)
                stylizer(done=done * LENGTH, state=state).run(partial(write_segments, work, done, make))
                muxer.write(work.result, work.packets())
                rename(work.result, temporary)
                sound = muxer.damage
    if isinstance(frames, FileSource) and (missing := frames.missing(sound)):
        raise IncompleteError(f"{source} is damaged or cut off: {target} holds the rest, without {missing}")


@contextmanager
def _work_folder(target: Path, identity: Mapping[str, Any] | None) -> Iterator[WorkFolder]:
    """Yield the work folder; afterwards it is removed, unless the same call could go on from there."""
    work = WorkFolder(target, identity)
    try:
        yield work
    except (KeyboardInterrupt, OSError) as error:  # such as a full disk
        if not (work.lasting and work.finished):
            work.remove()
        elif isinstance(error, KeyboardInterrupt):
            again = f"interrupted; the same command goes on from frame {work.finished * LENGTH}"
            raise KeyboardInterrupt(again) from None
        raise
    except BaseException:  # it would come to this again
        work.remove()
        raise
    else:
        work.remove()
    finally:
        work.release()


def write_segments(
    work: WorkFolder,
    number: int,
    encoder: Callable[[], Encoder],
    frames: Iterable[tuple[TimedFrame[Pixels], State | None]],
) -> None:
    """Encode the frames into segments from `number` on."""
    packets, current, count = [], encoder(), 0
    for frame, state in frames:
        packets += current.encode(frame)
        count += 1
        if count == LENGTH:
            work.save(number, packets + current.rest(), state)
            packets, current, count, number = [], encoder(), 0, number + 1
    if count:
        work.save(number, packets + current.rest(), None)


def _check(source: Path, target: Path, options: VideoOptions) -> None:
    """Refuse, before any work, what the target cannot be."""
    suffix = target.suffix.lower()
    if suffix in CONTAINERS:
        return
    if suffix not in ANIMATIONS and not is_sequence(target):
        endings = ", ".join([*CONTAINERS, *ANIMATIONS])
        raise UsageError(f"{target} is not a name for a video that can be written: end it in {endings}")
    for flag in ("codec", "crf", "audio"):
        if getattr(options, flag) is not None:
            raise UsageError(f"--{flag} has no meaning for {target}: name the output {', '.join(CONTAINERS)}")


def facts_of(source: Path, info: StreamInfo, options: VideoOptions, style: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a result depends on."""
    import av

    from sakuga import __version__

    try:
        file = source.stat()
    except OSError as error:
        raise SakugaError(f"{source} cannot be read ({error.strerror}): check the path") from error
    return {
        "source": [str(source.resolve()), file.st_size, file.st_mtime_ns],
        "options": vars(options),
        "info": repr(info),
        "style": dict(style),
        "versions": [__version__, av.__version__],
    }
