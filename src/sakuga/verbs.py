"""The verbs that live in modules of their own, each imported when it is called and parsing its own options."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from sakuga.errors import SakugaError

PACKAGES = {
    "train": {"torch", "lightning_fabric", "onnx", "scipy", "skimage", "tensorboard"},
    "serve": {"fastapi", "uvicorn", "starlette", "prometheus_client", "python_multipart"},
}
"""What each extra installs, by the names under which it is imported."""


@dataclass(frozen=True)
class Verb:
    """A line of `sakuga --help`, the function ("module:name") that takes the arguments, and the extra it needs."""

    help: str
    function: str
    extra: str | None = None


VERBS = {
    "webcam": Verb("Show a camera as anime, live.", "sakuga.webcam.command:main"),
    "serve": Verb("Serve a web page and an HTTP API.", "sakuga.serve.command:main", "serve"),
    "doctor": Verb("Print what this machine computes with, and the styles.", "sakuga.doctor:main"),
    "prepare": Verb("Make a training folder of films and pictures.", "sakuga.data.prepare.command:main", "train"),
    "train": Verb("Train a style of your own.", "sakuga.training.train:train", "train"),
    "export": Verb("Make one style file of a training run.", "sakuga.training.export:main", "train"),
    "evaluate": Verb("Measure a style: distances, grain, flicker, speed.", "sakuga.evaluation.command:main", "train"),
    "compare": Verb("Lay styles and trainings side by side on one page.", "sakuga.evaluation.compare:main", "train"),
    "import": Verb("Make a style file of published weights.", "sakuga.importers.command:main", "train"),
    "download": Verb("Fetch what training needs, such as VGG-16.", "sakuga.training.download:main", "train"),
}


def run(verb: str, args: Sequence[str]) -> int:
    """Run one of VERBS; its exit status. Raises SakugaError where the extra it needs is not installed."""
    module, _, name = VERBS[verb].function.partition(":")
    extra = VERBS[verb].extra
    try:
        function: Callable[[list[str]], int] = getattr(import_module(module), name)
        return function(list(args))
    except ImportError as error:
        if extra is None or (error.name or "").partition(".")[0] not in PACKAGES[extra]:
            raise
        raise SakugaError(f"sakuga {verb} needs {error.name}: pip install 'sakuga[{extra}]'") from None
