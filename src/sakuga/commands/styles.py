"""`sakuga styles`: the styles there are."""

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from sakuga.errors import UsageError
from sakuga.runtime.console import print_json, print_table, say
from sakuga.runtime.flags import Flag
from sakuga.style.session import stoppable_runs

SAMPLE = Path(__file__).parents[1] / "serve" / "page" / "sample.jpg"
Name = Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")]


def styles(sheet: Name = None, photo: Name = None, json: Flag = False, overwrite: Flag = False) -> int:
    """List the styles: the embedded ones and those in your folder.

    Args:
        sheet: Write a picture that shows a photo in each of them, rather than the list.
        photo: The photo for --sheet; otherwise a sample.
        json: Print everything that is known about them, as JSON.
        overwrite: Replace a sheet that exists.
    """
    from sakuga.style import Style, folder, survey

    if sheet:
        return _draw(sheet, photo, overwrite)
    if photo:
        raise UsageError(f"--photo is for --sheet, which shows it: sakuga styles --sheet styles.jpg --photo {photo}")
    found = []
    for style in survey():
        if isinstance(style, Style):
            found.append(style)
        else:
            say(f"left out: {style}")
    if json:
        print_json([style.describe() for style in found])
        return 0
    print_table([(one.name, one.card.title, one.card.licence) for one in found], ("name", "look", "licence"))
    say(f"more of each: sakuga info NAME; your own styles belong in {folder()}")
    return 0


@stoppable_runs()
def _draw(target: Path, photo: Path | None, overwrite: bool) -> int:
    from sakuga.commands.sheet import make_sheet
    from sakuga.style.choice import ALL, choose
    from sakuga.stylizer import Stylizer
    from sakuga.stylizer.batch import Plan
    from sakuga.stylizer.jobs import Job

    planned = Plan([Job(photo or SAMPLE, target)])
    return make_sheet(planned, [Stylizer(style) for style in choose(ALL)], target, overwrite=overwrite)
