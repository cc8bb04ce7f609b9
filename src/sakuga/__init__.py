"""sakuga (作画): photographs and video as anime, cartoon and painting."""

import os
from typing import TYPE_CHECKING

# ONNX Runtime reports what it runs to its maker unless this is set before it is loaded; pictures are nobody's business.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["SakugaError", "Style", "Stylizer", "UsageError", "__version__", "styles", "stylize"]

if TYPE_CHECKING:
    from sakuga.errors import SakugaError, UsageError
    from sakuga.style import Style, styles
    from sakuga.stylizer import Stylizer, stylize

    __version__: str
else:
    _HOMES = {
        "SakugaError": "errors",
        "Style": "style",
        "Stylizer": "stylizer",
        "UsageError": "errors",
        "styles": "style",
        "stylize": "stylizer",
    }

    def __getattr__(name):
        """Import a public name when it is first used: `import sakuga` alone costs nothing."""
        if name == "__version__":
            from importlib.metadata import version

            value = version("sakuga")
        elif name in _HOMES:
            from importlib import import_module

            value = getattr(import_module(f"sakuga.{_HOMES[name]}"), name)
        else:
            raise AttributeError(f"module 'sakuga' has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
