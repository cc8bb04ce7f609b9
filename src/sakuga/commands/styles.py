"""`sakuga styles`: the styles there are."""

import json as json_

from sakuga.commands.console import print_table
from sakuga.runtime.flags import Flag
from sakuga.runtime.say import say


def styles(json: Flag = False) -> int:
    """List the styles: the embedded ones and those in your folder.

    Args:
        json: Print everything that is known about them, as JSON.
    """
    from sakuga.style import Style, folder, survey

    found = []
    for style in survey():
        if isinstance(style, Style):
            found.append(style)
        else:
            say(f"left out: {style}")
    if json:
        print(json_.dumps([style.describe() for style in found], indent=2, ensure_ascii=False))
        return 0
    from rich.table import Table

    table = Table("name", "title", "licence", "made by", "from", "size", "sha-256", box=None, pad_edge=False)
    for style in found:
        card = style.card
        made_from = ", ".join(one["name"] for one in card.data)
        size = f"{style.size / 1e6:.1f} MB"
        table.add_row(style.name, card.title, card.licence, card.system, made_from, size, style.file_sha256[:12])
    print_table(table)
    say(f"your own styles belong in {folder()}")
    return 0
