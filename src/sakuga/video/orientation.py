"""How the frames of a video are to be turned and mirrored: the eight orientations of a display matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import VideoFrame


@dataclass(frozen=True)
class Orientation:
    """Quarter `turns` counter-clockwise, after a mirroring of left and right where `mirrored`."""

    turns: int = 0
    mirrored: bool = False

    @property
    def swaps(self) -> bool:
        """Whether width becomes height."""
        return self.turns % 2 == 1

    def upright(self, pixels: NDArray[Any], axes: tuple[int, int] = (0, 1)) -> NDArray[Any]:
        """Return pixels as they are to be shown; `axes` are those of the rows and of the columns."""
        return np.rot90(np.flip(pixels, axes[1]) if self.mirrored else pixels, self.turns, axes)


def orientation(frame: VideoFrame) -> Orientation:
    """Return how a decoded frame is to be shown, by its display matrix; other angles go to the nearest quarter."""
    from av.sidedata.sidedata import Type

    try:
        side_data: Any = frame.side_data  # its annotations lack that it goes by types
    except ValueError:  # a kind that PyAV has no name for
        return Orientation()
    data = side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return Orientation()
    # Rows (a, b, u) and (c, d, v): a pixel (x, y) is shown at (a x + c y, b x + d y). A negative determinant mirrors.
    a, b, _, c, d, *_ = np.frombuffer(bytes(data), np.int32).astype(float).tolist()
    mirrored = a * d - b * c < 0
    angle = np.degrees(np.arctan2(-b, a))  # counter-clockwise, of what was to the right
    return Orientation(round(angle / 90 + (2 if mirrored else 0)) % 4, mirrored)
