"""The verbs of the training half; each parses its own options and is imported when it is called."""

from collections.abc import Callable, Sequence
from importlib import import_module

import tyro

VERBS = {
    "import": "sakuga.importers.command:main",
    "prepare": "sakuga.data.prepare.command:main",
    "train": "sakuga.training.train:train",
    "export": "sakuga.training.export:export",
    "evaluate": "sakuga.evaluation.command:main",
    "compare": "sakuga.evaluation.compare:main",
    "download": "sakuga.training.download:download",
}


def main(verb: str, args: Sequence[str]) -> int:
    """Run one verb of the training half; the exit status."""
    module, _, name = VERBS[verb].partition(":")
    function: Callable[..., int] = getattr(import_module(module), name)
    if verb in ("export", "download"):
        return tyro.cli(function, args=list(args), prog=f"sakuga {verb}")
    return function(args)
