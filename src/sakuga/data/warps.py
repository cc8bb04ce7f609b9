"""Warps: a displacement for every place of a picture, as AutoToon learns them from artists."""

from pathlib import Path

import numpy as np

from sakuga.data.columns import Column, Crop
from sakuga.data.pictures import Pictures
from sakuga.errors import SakugaError, UsageError
from sakuga.runtime.downloaded import NO_ARRAYS


class Warps(Column):
    """A field (dx, dy) for each picture, (2, h, w) float32; a mirror reverses its width and negates dx.

    A field of the picture's size is cropped with it. A coarser one stands for the whole picture, which the crop must
    then hold.

    Args:
        pictures: the pictures.
        file: an .npz with an array (2, h, w) by each picture's name without suffix.

    Raises:
        UsageError: there is no such file, or a picture is not in it.
        SakugaError: it is damaged, or an array has another shape or is not finite.
    """

    sizes: list[tuple[int, int]]

    def __init__(self, pictures: Pictures, file: Path):
        self.sizes = pictures.sizes
        self.file, self.fields = file, list[np.ndarray]()
        try:
            with np.load(file) as stored:
                for path in pictures.paths:
                    if path.stem not in stored:
                        raise UsageError(f"{file} has no warp for {path}: add {path.stem}, or remove the picture")
                    self.fields.append(np.asarray(stored[path.stem], np.float32))
        except OSError as error:
            raise UsageError(f"{file} cannot be read ({error.strerror or error}): name an .npz of warps") from error
        except (*NO_ARRAYS, AttributeError, TypeError) as error:
            raise SakugaError(f"{file} is no whole .npz of numbers ({error}): make it again") from error
        for path, field in zip(pictures.paths, self.fields, strict=True):
            if field.ndim != 3 or field.shape != (2, *self.fields[0].shape[1:]) or not np.isfinite(field).all():
                raise SakugaError(
                    f"{file}: {path.stem} is an array {field.shape}, not finite numbers "
                    f"{(2, *self.fields[0].shape[1:])}: make it again"
                )

    def __len__(self) -> int:
        return len(self.fields)

    def take(self, crop: Crop) -> np.ndarray:
        """Return the field of a crop."""
        field = self.fields[crop.index]
        size = self.sizes[crop.index]
        if field.shape[1:] == size:
            field = crop.cut(field.transpose(1, 2, 0)).transpose(2, 0, 1)
        elif crop.top or crop.left or max(size) > crop.size:
            raise SakugaError(
                f"{self.file} holds warps of {field.shape[2]}x{field.shape[1]} for whole pictures, and a crop of "
                f"{crop.size} is a part of {size[1]}x{size[0]}: cut the pictures to squares and scale them to the crop"
            )
        elif crop.mirrored:
            field = field[:, :, ::-1]
        return field * np.array([-1, 1], np.float32)[:, None, None] if crop.mirrored else field
