"""`sakuga prepare STEP`: each step is a function of the module of its name, whose signature is its options."""

import difflib
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import tyro
from tyro.conf import DisallowNone, FlagCreatePairsOff

from sakuga.commands.options import ADDRESS, add_usual, join_lists
from sakuga.errors import UsageError
from sakuga.runtime.console import say
from sakuga.runtime.folder import telling_unreadable
from sakuga.runtime.processes import alone_in
from sakuga.runtime.signals import heed_as_interrupts

STEPS = {
    "frames": "Take frames from films: a few sharp ones of every scene.",
    "dedup": "Leave out pictures that look like another.",
    "crop": "Cut pictures to squares: the middle, random places or faces.",
    "edges": "Make copies without clear outlines, for CartoonGAN and AnimeGAN.",
    "superpixels": "Compute the segments that White-box learns from.",
    "landmarks": "Find the landmarks of faces.",
    "masks": "Draw where faces are.",
    "pairs": "Join two folders to side-by-side pictures, or divide these.",
    "scenes": "Draw scenes with the instructions that build them, for geneva.",
    "balance": "Compare brightness and colour of style and photos, and correct them.",
    "check": "Look over a data set before training.",
}


def main(args: Sequence[str]) -> int:
    """Run one step; the exit status."""
    if not args or args[0] in ("-h", "--help"):
        print(_usage())
        return 0 if args else 2
    step, *rest = args
    if step not in STEPS:
        near = difflib.get_close_matches(step, STEPS, n=1)
        raise UsageError(f"prepare has no step {step}; {f'did you mean {near[0]}?' if near else f'choose {_list()}.'}")
    function: Callable[..., int] = getattr(import_module(f"sakuga.prepare.{step}"), step)
    rest = add_usual(join_lists(rest, function), "--cluster", "local", ADDRESS)
    if step != "check":  # which counts it among its problems, and writes no folder
        function = _alone(_telling(function))
    heed_as_interrupts()
    return tyro.cli(function, args=rest, prog=f"sakuga prepare {step}", config=(DisallowNone, FlagCreatePairsOff))


def _telling(step: Callable[..., int]) -> Callable[..., int]:
    """A step that names the folders below its inputs that cannot be read, and then ends with 1."""

    @wraps(step)
    def run(*args: Any, **options: Any) -> int:
        with telling_unreadable(say) as unreadable:
            status = step(*args, **options)
        return 1 if unreadable else status

    return run


def _alone(step: Callable[..., int]) -> Callable[..., int]:
    """A step that waits for another process which makes the same folder, and skips what that has made."""

    @wraps(step)
    def run(*args: Any, **options: Any) -> int:
        out: Path | None = options.get("output")
        if out is None or (out.exists() and not out.is_dir()):  # which the step has a sentence for
            return step(*args, **options)
        try:
            with alone_in(out, lambda: say(f"another process is making {out}: waiting for its end")):
                return step(*args, **options)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("interrupted; the same command goes on") from None

    return run


def _list() -> str:
    return ", ".join(STEPS)


def _usage() -> str:
    lines = ["usage: sakuga prepare STEP IN... [options]    (sakuga prepare STEP --help lists them)", "", "steps:"]
    lines += [f"  {step:<13}{help}" for step, help in STEPS.items()]
    lines += [
        "",
        "Inputs are never changed. The folder of the results gets a manifest.csv that says what was kept and why",
    ]
    lines += ["not; a step that was interrupted goes on from it when the same command is given again."]
    return "\n".join(lines)
