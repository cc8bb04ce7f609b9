"""The command `sakuga`: a table of verbs, dispatch and exit codes."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.console import accept_any_name, say
from sakuga.runtime.extras import PACKAGES

USAGE = "Turns pictures and video into anime, cartoon and painting: sakuga IN... [options] is short for sakuga stylize."


CORE = ("tyro", "rich", "numpy", "PIL", "onnxruntime", "av", "psutil", "platformdirs")
"""What every installation has, by the names under which it is imported."""


@dataclass(frozen=True)
class Verb:
    """A line of `sakuga --help`, the function ("module:name") that takes the arguments, and the extra it needs."""

    help: str
    function: str
    extra: str | None = None


VERBS = {
    "generate": Verb("Make pictures from noise.", "sakuga.commands.generate:main", "train"),
    "project": Verb("Find a picture among those that a generator makes.", "sakuga.commands.project:main", "train"),
    "pipe": Verb("Stylise raw frames between two programs.", "sakuga.commands.pipe:main"),
    "webcam": Verb("Show a camera as anime, live.", "sakuga.commands.webcam:main"),
    "serve": Verb("Serve a web page and an HTTP API.", "sakuga.commands.serve:main", "serve"),
    "desktop": Verb('Put "Stylise with sakuga" into the context menu.', "sakuga.commands.desktop:main"),
    "doctor": Verb("Print what this machine computes with, and the styles.", "sakuga.commands.doctor:main"),
    "prepare": Verb("Make a training folder of films and pictures.", "sakuga.commands.prepare:main", "train"),
    "train": Verb("Train a style of your own.", "sakuga.commands.train:train", "train"),
    "export": Verb("Make one style file of a training run.", "sakuga.commands.export:main", "train"),
    "evaluate": Verb("Measure a style: distances, grain, flicker, speed.", "sakuga.commands.evaluate:main", "train"),
    "compare": Verb("Lay styles and trainings side by side on one page.", "sakuga.commands.compare:main", "train"),
    "import": Verb("Make a style file of published weights.", "sakuga.commands.import_style:main", "train"),
    "download": Verb("Fetch VGG-16 for training, or what finds faces.", "sakuga.commands.download:main", "train"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 for failures, 2 for wrong usage, 130 after Ctrl-C."""
    args = list(sys.argv[1:] if argv is None else argv)
    accept_any_name()
    if not args:
        main(["--help"])
        return 2
    try:
        if "" in args:
            raise UsageError("an argument is empty, as of a variable that is not set: name what it stands for")
        return _dispatch(args)
    except SystemExit as end:  # of tyro, after --help or wrong usage, which it has explained
        return end.code if isinstance(end.code, int) else 1
    except SakugaError as error:
        say(str(error))
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:  # whoever read our output has left; Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        path, why = error.filename, error.strerror or error
        say(f"{path} cannot be used ({why}): check the path and its owner" if path else f"the system refuses ({why})")
        return 1
    except KeyboardInterrupt as error:
        say(str(error) or "interrupted")
        return 130
    except MemoryError:
        say("there is too little memory: close other programs")
        return 1
    except ImportError as error:
        if "failed to map segment" in str(error):  # of the loader, whatever library it was about
            say("there is too little memory to start: close other programs")
            return 1
        package = next((one for one in CORE if f"{error.name}.".startswith(f"{one}.")), None)
        if package is None:
            raise
        say(f"{package} cannot be used here ({error}): update it (pip install --upgrade {package})")
        return 1


def _dispatch(args: list[str]) -> int:
    import tyro

    from sakuga.commands.info import info
    from sakuga.commands.options import ADDRESS, add_usual
    from sakuga.commands.styles import styles
    from sakuga.commands.stylize import stylize

    own: dict[str, Callable[..., int]] = {"stylize": stylize, "styles": styles, "info": info}
    if args in (["--version"], ["-V"]):
        from sakuga import __version__

        print(f"sakuga {__version__}")
        return 0
    texts = {name: (function.__doc__ or "").partition("\n")[0] for name, function in own.items()}
    texts |= {name: verb.help for name, verb in VERBS.items()}
    if args[0] in ("--completion", "--man"):
        from sakuga.commands.completion import completion
        from sakuga.commands.man import man

        made = man(USAGE, texts, main) if args[0] == "--man" else completion(args[1] if args[1:] else "", texts, main)
        print(made, end="")
        return 0
    if args[0] == "help" and args[1:]:
        if args[1] not in texts:
            raise UsageError(f"there is no verb {args[1]}: sakuga --help lists them")
        args = [*args[1:], "--help"]
    if args[0] in ("help", "-h", "--help"):
        from sakuga.commands.overview import overview

        print(overview(USAGE, texts, main))
        return 0
    if args[0] in VERBS:
        return _run(args[0], args[1:])
    verb, rest = (args[0], args[1:]) if args[0] in own else ("stylize", args)
    rest = add_usual(rest, "--cluster", "local", ADDRESS)
    status: int = tyro.cli(own[verb], prog=f"sakuga {verb}", args=rest, config=(tyro.conf.DisallowNone,))
    return status


def _run(verb: str, args: Sequence[str]) -> int:
    """Run one of VERBS; its exit status. Raises SakugaError where the extra it needs is not installed."""
    module, _, name = VERBS[verb].function.partition(":")
    extra = VERBS[verb].extra
    try:
        function: Callable[[list[str]], int] = getattr(import_module(module), name)
        return function(list(args))
    except ImportError as error:
        if extra is None or (error.name or "").partition(".")[0] not in PACKAGES[extra]:
            raise
        raise SakugaError(f'sakuga {verb} needs {error.name}: pip install "sakuga[{extra}]"') from None
