"""Styles: files that turn a photo into a picture, and where they are found."""

from sakuga.style.card import Card
from sakuga.style.file import CONTEXT, EMBEDDED, INT8, KEY, Style, read
from sakuga.style.store import DEFAULT, folder, load, names, styles, survey

__all__ = [
    "CONTEXT",
    "DEFAULT",
    "EMBEDDED",
    "INT8",
    "KEY",
    "Card",
    "Style",
    "folder",
    "load",
    "names",
    "read",
    "styles",
    "survey",
]
