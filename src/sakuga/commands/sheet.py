"""Contact sheets of styles, for `sakuga IN... --sheet` and `sakuga styles --sheet`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sakuga.runtime.console import counter, print_path, progress_bars, say
from sakuga.stylizer import Stylizer
from sakuga.stylizer.batch import Plan, is_video
from sakuga.stylizer.sheet import write_sheet


def make_sheet(
    planned: Plan, stylizers: Sequence[Stylizer], target: Path, *, overwrite: bool, max_pixels: int | None = None
) -> int:
    """Write a sheet of the pictures that are planned; the exit status, as of a run over files."""
    sources = list(dict.fromkeys(job.source for job in planned.jobs))
    photos = [source for source in sources if not is_video(source)]
    write = partial(write_sheet, photos, stylizers, target, overwrite=overwrite, max_pixels=max_pixels)
    with progress_bars() as progress:
        shown, failed = write(progress=counter(progress, len(photos) * len(stylizers)))
    failed += [f"{sentence}: what is in it is left out" for sentence in planned.unreadable]
    for sentence in failed:
        say(sentence)
    if videos := len(sources) - len(photos):
        say(f"left out, as a sheet shows pictures alone: {videos} video{'s' * (videos > 1)}")
    if shown:
        print_path(target)
    return 0 if shown and not failed else 1
