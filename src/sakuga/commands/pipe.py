"""`sakuga pipe`: raw frames through standard input and output, for ffmpeg, OBS and other programs."""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated

import tyro
from tyro.conf import DisallowNone, FlagCreatePairsOff, UseAppendAction, arg

from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.console import Closed, is_terminal
from sakuga.runtime.flags import Number
from sakuga.style import DEFAULT
from sakuga.style.inputs import assignments
from sakuga.style.session import stoppable_runs
from sakuga.stylizer import Look, Stylizer
from sakuga.video.raw import PixelFormat, RawSource, write_raw
from sakuga.video.stylizing import FrameStylizer


def main(args: Sequence[str]) -> int:
    """Run `sakuga pipe` until its input ends; the exit status."""
    return tyro.cli(pipe, args=list(args), prog="sakuga pipe", config=(DisallowNone, FlagCreatePairsOff))


@stoppable_runs()
def pipe(
    *,
    size: Annotated[str, arg(metavar="WxH")],
    pix_fmt: PixelFormat = "rgb24",
    style: Annotated[str, arg(aliases=["-s"], metavar="STYLE")] = DEFAULT,
    settings: Annotated[
        UseAppendAction[tuple[str, ...]], arg(name="set", metavar="NAME=VALUE", help_behavior_hint="(repeatable)")
    ] = (),
    look: Annotated[Look, arg(name="")] = Look(),  # noqa: B008 - it is frozen
    stable: Annotated[bool, arg(help_behavior_hint="")] = False,
    threads: Number = None,
) -> int:
    """Stylise raw frames from standard input to standard output, several at a time and in order.

    Args:
        size: Size of the frames, such as 1280x720; what comes out has the same, unless the style enlarges.
        pix_fmt: What a frame's bytes are, in and out: rgb24, or yuv420p of limited range (BT.709 from 720 lines on).
        style: A name that `sakuga styles` lists, or the path of a style file.
        settings: What the style asks for beside the picture, such as hair=blond; `sakuga info STYLE` lists it.
        look: How the style is applied.
        stable: Flicker less: what two frames both show is stylised alike. Takes about half as long again.
        threads: Threads to compute with; otherwise one for each core.
    """
    if not (match := re.fullmatch(r"(\d{1,6})x(\d{1,6})", size)):
        raise UsageError(f"size must be WIDTHxHEIGHT, such as 1280x720, not {size}")
    if look.max_side is not None:
        raise UsageError("frames keep their size: leave out --max-side")
    if sys.stdin is None or is_terminal(sys.stdin):
        raise UsageError("frames come from standard input: send them through a pipe")
    if isinstance(sys.stdout, Closed) or is_terminal(sys.stdout):
        raise UsageError("frames do not belong in a terminal: send the output through a pipe")
    source = RawSource(sys.stdin.buffer, int(match[1]), int(match[2]), pix_fmt)
    stylizer = Stylizer(style, look, inputs=assignments(settings), threads=threads)
    scale = stylizer.scale
    info = replace(source.info, width=source.info.width * scale, height=source.info.height * scale)
    worker, workers = stylizer.for_frames()
    track = stylizer.tracker()
    frames = FrameStylizer(source, worker.array, scale, workers=workers, stable=stable, track=track)
    frames.run(partial(write_raw, sys.stdout.buffer, info, pix_fmt))
    if source.left:
        raise SakugaError(
            f"standard input ends within a frame, {source.left} bytes of {source.frame_bytes}: "
            "compare --size and --pix-fmt with what is sent"
        )
    return 0
