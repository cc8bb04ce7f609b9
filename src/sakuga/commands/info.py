"""`sakuga info`: the card of one style."""

from typing import Annotated

from tyro.conf import Positional, arg

from sakuga.runtime.console import print_json, print_table
from sakuga.runtime.flags import Flag


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

    found = load(style)
    facts = found.describe()
    if json:
        print_json(facts)
        return 0
    rows = []
    facts["inputs"] = ["the photo"] * (found.card.photo is not None) + [
        f"{one.name}: {one.expects}" + ("" if one.required else f" (by default {_words(one.usual)})")
        for one in found.card.settings
    ]
    for key, value in facts.items():
        if value is None:  # what its card does not say
            continue
        values = value if isinstance(value, list) else [value]
        lines = [
            ", ".join(f"{k}: {v}" for k, v in one.items()) if isinstance(one, dict) else str(one) for one in values
        ]
        rows.append((key.replace("_", " "), "\n".join(lines)))
    print_table(rows)
    return 0


def _words(default: object) -> str:
    return (", ".join(map(str, default)) if isinstance(default, tuple) else str(default)) or "none"
