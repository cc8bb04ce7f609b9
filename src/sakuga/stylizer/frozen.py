"""Styles that measure the whole picture, run in tiles: what they measure is measured once and given to every tile."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from sakuga.errors import SakugaError
from sakuga.picture.pixels import Array
from sakuga.runtime.memory import ran_out
from sakuga.style.engine import Engine

if TYPE_CHECKING:
    from sakuga.style import Style


def freeze(style: "Style", threads: int | None, photo: Array, given: Mapping[str, Array] | None = None) -> Engine:
    """Return an engine whose result at a pixel depends on its surroundings alone (`card.local_receptive_field`).

    `photo`: the picture that the statistics are measured on, (3, H, W) float32 in [-1, 1]: the whole one, or as much of
    it as there is memory for, reduced. The style's network has statistics, or looks no further than its card says.
    `given`: what the network takes beside it, the same for every tile.
    Raises SakugaError when the network fails, and whatever `ran_out` recognises when there is no memory.
    """
    session = style.session(threads)
    stylised, *statistics = (output.name for output in session.get_outputs())
    name, feeds = style.card.photo or "", dict(given or {})
    if statistics:
        try:
            (measured,) = session.run(statistics, {**feeds, name: photo[None], "measure": np.array(True)})
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            if ran_out(error):
                raise
            raise SakugaError(f"style {style.name} cannot be run in tiles ({error}): export it again") from error
        feeds |= {"frozen": np.array(True), "given": measured}

    def run(x: Array) -> Array:
        result: Array = session.run([stylised], {**feeds, name: x[None]})[0][0]
        return result

    return Engine("ONNX Runtime, tiles", "fp32", run)
