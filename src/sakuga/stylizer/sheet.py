"""The contact sheet of styles: each photo and what every style makes of it."""

from collections.abc import Callable, Sequence
from math import isqrt
from pathlib import Path

from PIL import Image

from sakuga.errors import SakugaError, UsageError
from sakuga.picture import MAX_PIXELS, Frame, Picture, check_suffix, read, write
from sakuga.picture.sheet import Cell, contact_sheet, reduced
from sakuga.runtime.atomic import check_free
from sakuga.stylizer.stylizer import Stylizer

MAX_CELLS = 600
"""Pictures on one sheet, which then has some 60 megapixels."""


def write_sheet(
    photos: Sequence[Path],
    stylizers: Sequence[Stylizer],
    target: Path,
    *,
    overwrite: bool = False,
    max_pixels: int | None = None,
    progress: Callable[[], None] | None = None,
) -> tuple[int, list[str]]:
    """Write a sheet with a row for each photo: the photo, then every style's copy; a single photo's fill a square.

    The copies are stylised at the photo's size, as the files would be, and then reduced. `progress` is called after
    each. Returns how many photos are shown, and a sentence for each that is not, as it could not be read, and for each
    copy that could not be made, whose place stays empty; without any photo nothing is written. Raises, before the work,
    UsageError for too many pictures or a target of no known format, ExistsError for one that exists.
    """
    check_suffix(target)
    check_free(target, overwrite)
    columns = 1 + len(stylizers)
    if len(photos) * columns > MAX_CELLS:
        most = MAX_CELLS // columns
        raise UsageError(f"{target} has room for {most} photos in {columns - 1} styles, not {len(photos)}: name fewer")
    rows: list[list[Cell]] = []
    failed: list[str] = []
    for source in photos:
        try:
            photo = read(source, max_pixels=max_pixels or MAX_PIXELS, still=True)
        except SakugaError as error:
            failed.append(str(error))
            continue
        rows.append([(reduced(photo), source.stem)])
        for stylizer in stylizers:
            try:
                image = reduced(stylizer.picture(photo, stylizer.faces_beside(source, photo)))
            except SakugaError as error:
                failed.append(f"{source} in style {stylizer.name}: {error}")
                image = Image.new("RGB", rows[-1][0][0].size, "white")
            rows[-1].append((image, stylizer.name))
            if progress:
                progress()
    if not rows:
        return 0, failed
    shown = len(rows)
    if shown == 1:
        (cells,) = rows
        across = isqrt(len(cells) - 1) + 1
        rows = [cells[i : i + across] for i in range(0, len(cells), across)]
    target.parent.mkdir(parents=True, exist_ok=True)
    write(Picture([Frame(contact_sheet(rows))]), target, overwrite=overwrite)
    return shown, failed
