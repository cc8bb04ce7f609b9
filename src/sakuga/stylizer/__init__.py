"""From a photo to its stylised copy: one picture, a folder, a stream."""

from sakuga.stylizer.stylizer import Stylizer, stylize

__all__ = ["Stylizer", "stylize"]
