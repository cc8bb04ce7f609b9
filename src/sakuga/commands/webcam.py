"""`sakuga webcam`: a camera as anime, live."""

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Annotated

import tyro
from tyro.conf import DisallowNone, FlagCreatePairsOff, UseAppendAction, arg

from sakuga.errors import UsageError
from sakuga.runtime.console import say
from sakuga.style import DEFAULT, Style, styles
from sakuga.style.inputs import assignments, photo
from sakuga.stylizer import Look, Stylizer
from sakuga.video.camera import Reducer, frames
from sakuga.webcam.choice import Choice
from sakuga.webcam.live import Live
from sakuga.webcam.server import Server
from sakuga.webcam.virtual import virtual_camera

PORT = 7861


def main(args: Sequence[str]) -> int:
    """Run `sakuga webcam` until Ctrl-C; the exit status."""
    return tyro.cli(webcam, args=list(args), prog="sakuga webcam", config=(DisallowNone, FlagCreatePairsOff))


def webcam(
    *,
    style: Annotated[str, arg(aliases=["-s"], metavar="STYLE")] = DEFAULT,
    device: Annotated[str, arg(metavar="N|NAME|FILE")] = "0",
    width: Annotated[int, arg(metavar="PIXELS")] = 640,
    port: int = PORT,
    settings: Annotated[
        UseAppendAction[tuple[str, ...]], arg(name="set", metavar="NAME=VALUE", help_behavior_hint="(repeatable)")
    ] = (),
    look: Annotated[Look, arg(name="")] = Look(),  # noqa: B008 - it is frozen
    virtual: Annotated[bool, arg(help_behavior_hint="")] = False,
    open: Annotated[bool, arg(help_behavior_hint="")] = False,
) -> int:
    """Show a camera as anime, live, on a page for the browsers of this machine. Ctrl-C ends.

    Args:
        style: The first style: a name that `sakuga styles` lists, or the path of a style file.
        device: The number of the camera, its name or path (/dev/video2), or a video file, shown over and over.
        width: Reduce pictures to this width: smaller ones are stylised more often and with bolder strokes.
        port: Where the page is; 0 takes any free port.
        settings: What the style asks for beside the picture, such as hair=blond; `sakuga info STYLE` lists it.
        look: How the style is applied.
        virtual: Be a camera for other programs too, such as for calls (pip install "sakuga[virtual]").
        open: Open the page in the browser.
    """
    if width < 16:
        raise UsageError(f"width must be at least 16, not {width}")
    given = assignments(settings)

    def make(other: Style, values: Mapping[str, object]) -> Stylizer:
        return Stylizer(other, look, inputs=values)

    stylizer = Stylizer(style, look, inputs=given)
    known = [one for one in styles() if photo(one.card.inputs)]
    if stylizer.style not in known:
        known.insert(0, stylizer.style)
    reduce = Reducer(width, look.max_side)
    live = Live(stylizer, reduce)
    try:
        pictures = frames(device)
        first = next(pictures)  # here, where a missing camera is said before there is an address
        with ExitStack() as stack:
            server = stack.enter_context(Server(port, Choice(live, known, make, given)))
            if virtual:
                rows, columns, _ = reduce(first).shape
                name = stack.enter_context(virtual_camera(live, columns * stylizer.scale, rows * stylizer.scale))
                say(f"other programs see the camera {name}")
            stack.enter_context(live.running(chain([first], pictures)))
            serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
            serving.start()
            try:
                _tell(server.address, open)
                while not live.ended.wait(0.5):  # a wait without an end would be deaf to Ctrl-C on Windows
                    pass
            finally:
                server.shutdown()
                serving.join()
    except KeyboardInterrupt:
        print(file=sys.stderr, flush=True)  # the shell's prompt shall not follow ^C
        if live.hangs:  # in a driver, or a style that never returns: Python would abort while it clears up
            os._exit(0)
        return 0
    if live.error:
        raise live.error
    return 0


def _tell(address: str, open: bool) -> None:
    print(address, flush=True)
    print("sakuga: open this address in a browser; Ctrl-C ends", file=sys.stderr, flush=True)
    if open:
        import webbrowser

        webbrowser.open(address)
