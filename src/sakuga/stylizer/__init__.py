"""From a photo to its stylised copy: one picture, a folder, a stream."""

from typing import TYPE_CHECKING

from sakuga.stylizer.look import Look

__all__ = ["Look", "Stylizer", "stylize"]

if TYPE_CHECKING:
    from sakuga.stylizer.stylizer import Stylizer, stylize
else:

    def __getattr__(name):
        """Import the work itself when it is first used: the command's help needs the options alone."""
        if name not in __all__:
            raise AttributeError(f"module 'sakuga.stylizer' has no attribute {name!r}")
        from sakuga.stylizer import stylizer

        return getattr(stylizer, name)
