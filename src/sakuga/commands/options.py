"""Options in forms that the parser does not know: a list given several times, a value that may be left out."""

import re
from collections.abc import Sequence
from typing import get_args, get_type_hints


def join_lists(args: Sequence[str], *commands: object) -> list[str]:
    """Put the values of every list option behind its first use: `--photos a --photos b` is `--photos a b`.

    The parser would keep the values of the last use and forget the others.

    Args:
        args: the command line.
        commands: the functions and dataclasses whose annotations are the options.
    """
    kinds = [kind for command in commands for kind in get_type_hints(command).items()]
    lists = {f"--{name.replace('_', '-')}" for name, kind in kinds if get_args(kind)[-1:] == (Ellipsis,)}
    groups: dict[str | int, list[str]] = {}
    group = groups.setdefault(0, [])
    for index, arg in enumerate(args, 1):
        flag, equals, value = arg.partition("=")
        name = flag.replace("_", "-")
        if name in lists:
            group = groups.setdefault(name, [name])
            group += [value] if equals else []
        else:
            if re.match("--?[A-Za-z]", arg):
                group = groups.setdefault(index, [])
            group.append(arg)
    return [arg for group in groups.values() for arg in group]


ADDRESS = r"auto|local|(\w+://)?[\w.-]+:\d+|\[[\da-f:]+\]:\d+"
"""What may stand behind --cluster."""


def add_usual(args: Sequence[str], flag: str, usual: str, value: str) -> list[str]:
    """Put `usual` behind a flag that no value follows, a value being what the regular expression `value` matches."""
    completed: list[str] = []
    for arg, following in zip(args, [*args[1:], ""], strict=False):  # strict fails where there are none
        completed.append(arg)
        if arg == flag and not re.fullmatch(value, following):
            completed.append(usual)
    return completed
