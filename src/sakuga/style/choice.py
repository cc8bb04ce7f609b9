"""Which styles are meant by `-s`: one, several with commas between, or all."""

from collections.abc import Iterator
from pathlib import Path

from sakuga.errors import UsageError
from sakuga.runtime.console import say
from sakuga.style.file import Style
from sakuga.style.inputs import asked
from sakuga.style.store import load, names, survey

ALL = "all"


def choose(text: str) -> list[Style]:
    """Return the styles that are meant by "hosoda", "hosoda,cel,mine.onnx" or "all", each once.

    "all" are the embedded ones and those in the user's folder that need nothing but a photo; the others
    are told of. Raises UsageError for an unknown style and for two files of one name, SakugaError for a file that
    is no style.
    """
    found: dict[str, Style] = {}
    for part in _parts(text):
        for style in _all() if part == ALL and part not in names() else [load(part)]:
            same = found.setdefault(style.name, style)
            if same.path.resolve() != style.path.resolve():
                raise UsageError(f"{same.path} and {style.path} would have results of one name: rename one of them")
    return list(found.values())


def _parts(text: str) -> Iterator[str]:
    """Split at commas, but not within a style's own name or path."""
    parts, known = text.split(","), names() if "," in text else set()
    while parts:
        heads = [",".join(parts[:n]) for n in range(len(parts), 1, -1)]
        head = next((one for one in heads if one in known or Path(one).is_file()), parts[0])
        del parts[: head.count(",") + 1]
        if not head.strip():
            raise UsageError(f"{text!r} has nothing between two commas, or at an end: name a style there")
        yield head if head in known else head.strip()


def _all() -> Iterator[Style]:
    for style in survey():
        if not isinstance(style, Style):
            say(f"left out: {style}")
        elif style.card.photo is None or any(one.required for one in asked(style.card.inputs)):
            say(f"left out: style {style.name} does not make its pictures of a photo alone (sakuga info {style.name})")
        elif style.card.frame:
            say(f"left out: style {style.name} is for faces alone, and goes before others (-s {style.name} -s STYLE)")
        else:
            yield style
