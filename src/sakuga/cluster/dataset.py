"""`sakuga.cluster.stylize`: a Ray Dataset of pictures in, one of stylised pictures out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sakuga.cluster.recipe import Recipe, files
from sakuga.cluster.worker import Order, Worker
from sakuga.errors import SakugaError, UsageError
from sakuga.picture import encode, read
from sakuga.style import DEFAULT, Style
from sakuga.stylizer import Look, Stylizer

if TYPE_CHECKING:
    from ray.data import Dataset

ERROR = "error"
"""The column that says why a row has no result."""


def stylize(
    dataset: "Dataset",
    style: Style | str | Stylizer = DEFAULT,
    look: Look | None = None,
    *,
    column: str | None = None,
    format: str | None = None,
    **options: Any,
) -> "Dataset":
    """Return a Ray Dataset whose pictures are stylised, one actor for each processor; nothing runs before it is read.

    `dataset`: rows with a picture in `column` (None: `image` or `bytes`, whichever there is): an array (H, W),
    (H, W, 3) or (H, W, 4), uint8, or the bytes of a picture file. Arrays become arrays (H, W, 3), bytes a file in
    `format` (None: their own). Other columns stay. `style`, `look`, `options`: as of `Stylizer`, or a Stylizer.
    A row that cannot be stylised has None in `column` and the reason in the column `error`, which is empty elsewhere.
    Raises UsageError for a column that is not there and for what `Stylizer` refuses.
    """
    stylizer = style if isinstance(style, Stylizer) else Stylizer(style, look, **options)
    names = dataset.columns() or []
    found = [name for name in ((column,) if column else ("image", "bytes")) if name in names]
    if not found:
        wanted = column or "image or bytes"
        raise UsageError(f"the dataset has no column {wanted}, but {', '.join(names) or 'none'}: name one (column=...)")
    order = Order({stylizer.name: Recipe.of(stylizer)}, format=format)
    import ray
    from ray.data import ActorPoolStrategy

    styles = {sha256: ray.put(file) for sha256, file in files(stylizer).items()}
    most = max(1, int(ray.cluster_resources().get("CPU", 1)))
    return dataset.map(
        _Rows,
        compute=ActorPoolStrategy(min_size=1, max_size=most, initial_size=most),
        num_cpus=1,
        fn_constructor_args=(order, styles, stylizer.name, found[0]),
    )


class _Rows:
    """Stylises one row after the other, with a network that is kept."""

    def __init__(self, order: Order, styles: Mapping[str, Any], style: str, column: str) -> None:
        self.stylizer = Worker(order, styles, 1).stylizer(style)
        self.format, self.column = order.format, column

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row with its picture stylised."""
        try:
            return {**row, self.column: self._stylised(row[self.column]), ERROR: ""}
        except SakugaError as error:
            return {**row, self.column: None, ERROR: str(error)}

    def _stylised(self, picture: Any) -> Any:
        if isinstance(picture, np.ndarray):
            return np.asarray(self.stylizer(picture).convert("RGB"))
        if not isinstance(picture, bytes):
            raise SakugaError(f"a picture is an array or bytes, not {type(picture).__name__}")
        return encode(self.stylizer.picture(read(picture)), self.format)
