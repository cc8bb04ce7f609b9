"""Functions of the user's own, named on the command line as MODULE:FUNCTION."""

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from sakuga.errors import UsageError


def load_function(spec: str, option: str) -> Callable[..., Any]:
    """Return the function that MODULE:FUNCTION names, of an installed module or of a file in the current folder.

    Raises:
        UsageError: there is no such function; the sentence names `option`, under which the user wrote it.
    """
    module, colon, name = spec.partition(":")
    if not (module and colon and name):
        raise UsageError(f"{option} {spec}: write MODULE:FUNCTION")
    if os.getcwd() not in sys.path:  # an installed command does not look there by itself
        sys.path.append(os.getcwd())
    try:
        function = getattr(importlib.import_module(module), name)
    except Exception as error:  # the module is anybody's
        raise UsageError(f"{option} {spec}: no such function ({type(error).__name__}: {error})") from error
    if not callable(function):
        raise UsageError(f"{option} {spec} is no function")
    found: Callable[..., Any] = function
    return found
