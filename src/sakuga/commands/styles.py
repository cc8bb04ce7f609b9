"""`sakuga styles`: the styles there are."""

from sakuga.runtime.console import print_json, print_table, say
from sakuga.runtime.flags import Flag


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
        print_json([style.describe() for style in found])
        return 0
    rows = []
    for style in found:
        card = style.card
        made_from = ", ".join(one["name"] for one in card.data)
        size = f"{style.size / 1e6:.1f} MB"
        rows.append((style.name, card.title, card.licence, card.system, made_from, size, style.file_sha256[:12]))
    print_table(rows, ("name", "title", "licence", "made by", "from", "size", "sha-256"))
    say(f"your own styles belong in {folder()}")
    return 0
