"""`sakuga info`: the card of one style."""

import json as json_
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from sakuga.commands.console import print_table

Flag = Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")]


def info(
    style: Annotated[Positional[str], arg(metavar="FILE.onnx|NAME")],
    /,
    json: Flag = False,
) -> int:
    """Show the card of one style.

    Args:
        style: The name of a style or the path of its file.
        json: Print it as JSON.
    """
    from sakuga.style import load

    facts = load(style).describe()
    if json:
        print(json_.dumps(facts, indent=2, ensure_ascii=False))
        return 0
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    for key, value in facts.items():
        values = value if isinstance(value, list) else [value]
        lines = [
            ", ".join(f"{k}: {v}" for k, v in one.items()) if isinstance(one, dict) else str(one) for one in values
        ]
        table.add_row(key.replace("_", " "), "\n".join(lines))
    print_table(table)
    return 0
